"""What rattler does with packages that are wrong, measured: what the tool has to do itself is marked so.

A test that fails after an update of rattler says that what we do in its place may go, or has to change.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.channel import broken, build, packages
from tests.channel.serve import Server
from tests.channel.using import install, solve

errors = pytest.importorskip("rattler.exceptions")
ROOT = Path(__file__).resolve().parents[2]


def channel_of(folder: Path, *items: packages.Package) -> build.Channel:
    return build.build(folder / "channel", items)


class TestHashes:
    @pytest.mark.parametrize("fault", ["bytes", "repodata"])
    def test_are_checked_over_http(self, tmp_path, fault):
        made = self.wrong(tmp_path, fault)
        with Server(made.folder) as server:
            records = solve(server.url, "scripted", cache=tmp_path)
            with pytest.raises(errors.InstallerError, match="hash mismatch"):
                install(records, tmp_path / "env", cache=tmp_path)
        assert not (tmp_path / "env/share").exists()

    @pytest.mark.parametrize("fault", ["bytes", "repodata"])
    def test_are_not_checked_in_folders_so_the_tool_has_to(self, tmp_path, fault):
        made = self.wrong(tmp_path, fault)
        prefix = install(solve(made.url, "scripted", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert (prefix / "share/scripted.txt").exists()

    def test_of_files_in_a_package_are_not_checked(self, tmp_path):
        made = channel_of(tmp_path, broken.wrong_listed_hash())
        assert (install(solve(made.url, "misread", cache=tmp_path), tmp_path / "env", cache=tmp_path) / "share/misread.txt").exists()

    def test_sizes_are_not_checked(self, tmp_path):
        made = channel_of(tmp_path, broken.with_script())
        broken.wrong_size(made, "scripted")
        with Server(made.folder) as server:
            prefix = install(solve(server.url, "scripted", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert (prefix / "share/scripted.txt").exists()

    def wrong(self, folder: Path, fault: str) -> build.Channel:
        made = channel_of(folder, broken.with_script())
        if fault == "bytes":
            broken.change_bytes(made.package("scripted"))
        else:
            broken.wrong_hash(made, "scripted")
        return made


class TestPathsOutside:
    def test_that_no_file_of_the_cache_answers_to_are_refused(self, tmp_path):
        made = channel_of(tmp_path, broken.climbing())
        with pytest.raises(errors.InstallerError, match="failed to link"):
            install(solve(made.url, "climbing", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert not (tmp_path / "outside.txt").exists()

    def test_are_written_so_the_tool_has_to_look(self, tmp_path):
        made = channel_of(tmp_path, broken.climbing_listed())
        install(solve(made.url, "climbing", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert (tmp_path / "climbing-1.0-0/share/climbing.txt").read_text() == "inside\n"

    def test_that_are_absolute_end_the_process_so_the_tool_has_to_look(self, tmp_path):
        made = channel_of(tmp_path, broken.climbing_listed(str(tmp_path / "absolute.txt")))
        program = (
            "import sys; from pathlib import Path; from tests.channel.using import install, solve; cache = Path(sys.argv[2]);"
            "install(solve(sys.argv[1], 'climbing', cache=cache), cache / 'env', cache=cache)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, made.url, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "RUST_BACKTRACE": "0"},
        )
        # By SIGABRT, or by SIGSEGV where another of its threads was at work.
        assert (done.returncode in {-6, -11}, "must be relative" in done.stderr) == (True, True)
        assert not (tmp_path / "absolute.txt").exists()

    def test_through_a_link_are_refused(self, tmp_path):
        target = tmp_path / "target"
        target.mkdir()
        made = channel_of(tmp_path, broken.through_link(target))
        with pytest.raises(errors.InstallerError, match="outside of destination path"):
            install(solve(made.url, "through-link", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert not list(target.iterdir())

    def test_through_a_link_of_another_package_are_not_written(self, tmp_path):
        target = tmp_path / "target"
        target.mkdir()
        made = channel_of(tmp_path, broken.link_outside(target), broken.into_link())
        # It links both at the same time: where the file came first there is a folder in the way of the link, and it gives up.
        with contextlib.suppress(errors.InstallerError):
            install(solve(made.url, "link-outside", "into-link", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert not list(target.iterdir())
        assert (tmp_path / "env/lib/evil/file.txt").read_text() == "written through\n"


class TestChannels:
    @pytest.mark.parametrize("fault", [broken.cut_repodata, broken.html_repodata])
    def test_repodata_that_cannot_be_read(self, tmp_path, fault):
        made = channel_of(tmp_path, broken.with_script())
        fault(made)
        with pytest.raises(errors.GatewayError, match=r"failed to parse repodata\.json"):
            solve(made.url, "scripted", cache=tmp_path)

    def test_a_platform_that_is_not_there_is_taken_for_an_empty_one(self, tmp_path):
        made = channel_of(tmp_path, broken.with_script())
        with Server(made.folder) as server:
            server.fail("/linux-64/repodata.json.zst", 404)
            server.fail("/linux-64/repodata.json", 404)
            with pytest.raises(errors.SolverError, match="No candidates"):
                solve(server.url, "scripted", cache=tmp_path)


class TestInstalling:
    def test_scripts_are_not_run(self, tmp_path):
        made = channel_of(tmp_path, broken.with_script())
        records = solve(made.url, "scripted", cache=tmp_path)
        assert not (install(records, tmp_path / "env", cache=tmp_path) / "post-link-ran").exists()
        assert (install(records, tmp_path / "other", cache=tmp_path, execute_link_scripts=True) / "post-link-ran").exists()

    def test_of_two_packages_with_one_path_the_first_wins_in_silence(self, tmp_path):
        made = channel_of(tmp_path, *broken.clobbering())
        prefix = install(solve(made.url, "clobber-a", "clobber-b", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert (prefix / "share/same.txt").read_text() == "from a\n"
        assert (prefix / "__clobbers__/clobber-b/share/same.txt").read_text() == "from b\n"

    def test_a_file_of_nobody_is_overwritten(self, tmp_path):
        own = tmp_path / "env/share/scripted.txt"
        own.parent.mkdir(parents=True)
        own.write_text("somebody's own")
        made = channel_of(tmp_path, broken.with_script())
        install(solve(made.url, "scripted", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert own.read_text() == "here\n"

    def test_a_file_that_is_not_listed_is_not_linked(self, tmp_path):
        made = channel_of(tmp_path, broken.unlisted())
        prefix = install(solve(made.url, "unlisted", cache=tmp_path), tmp_path / "env", cache=tmp_path)
        assert [path.name for path in (prefix / "share").iterdir()] == ["listed.txt"]

    def test_an_empty_folder_cannot_be_linked(self, tmp_path):
        made = channel_of(tmp_path, packages.Package(name="hollow", version="1", files={"var/empty": packages.File(folder=True)}))
        with pytest.raises(errors.InstallerError, match="neither a regular file nor a symlink"):
            install(solve(made.url, "hollow", cache=tmp_path), tmp_path / "env", cache=tmp_path)


def test_it_panics_where_a_package_stays_and_another_comes_so_the_tool_uses_a_stand_in(tmp_path):
    """Only a process of its own survives that for sure."""
    made = channel_of(
        tmp_path,
        packages.Package(name="stays", version="1", files={"a": "a"}),
        packages.Package(name="comes", version="1", files={"b": "b"}),
    )
    install(solve(made.url, "stays", cache=tmp_path), tmp_path / "there", cache=tmp_path)
    program = f"""
import rattler
from tests.channel.using import install, solve
from pathlib import Path
cache = Path({str(tmp_path)!r})
stays = rattler.PrefixRecord.from_path(cache / "there/conda-meta/stays-1-0.json")
install([*solve({made.url!r}, "comes", cache=cache), stays], cache / "stage", cache=cache, installed_packages=[stays])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode != 0
    assert "Expected just reordering" in done.stderr
