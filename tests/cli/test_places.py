"""``--env``: every kind of place, by the real command; and the one that root may write anyway, by a host that says no."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.commands import plan as planning
from provisioner.errors import InputError
from provisioner.host.local import LocalHost
from provisioner.model.request import Request
from provisioner.session import Session
from tests.cli.support import Inside, Tool
from tests.support import SITE, snapshot


def venv(path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(path)], check=True)
    return path


def a_file(path: Path) -> None:
    path.write_text("mine")


def below_a_file(path: Path) -> None:
    path.parent.write_text("mine")


def other_files(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "thesis.tex").write_text("mine")


def a_pythons_place(path: Path) -> None:
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python3").symlink_to(sys.executable)


def frozen(path: Path) -> None:
    (path / "conda-meta").mkdir(parents=True)
    (path / "conda-meta" / "frozen").touch()


def python_gone(path: Path) -> None:
    venv(path)
    (path / "bin" / "python").unlink()
    (path / "bin" / "python").symlink_to("/opt/gone/python3")


def no_site_packages(path: Path) -> None:
    path.mkdir()
    (path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")


def packages_elsewhere(path: Path) -> None:
    venv(path)
    (path / SITE).rename(path.parent / "elsewhere")
    (path / SITE).symlink_to(path.parent / "elsewhere")


def config_is_a_folder(path: Path) -> None:
    (path / "pyvenv.cfg").mkdir(parents=True)


def a_loop(path: Path) -> None:
    path.symlink_to(path)


def no_config(path: Path) -> None:
    venv(path)
    (path / "pyvenv.cfg").unlink()


REFUSED = {
    a_file: "it is a file",
    below_a_file: "it is a file",
    other_files: "a folder with other files in it",
    a_pythons_place: "the place of a Python installation",
    frozen: "it is frozen",
    python_gone: "its Python is gone (/opt/gone/python3)",
    no_site_packages: "names no Python whose site-packages folder is there",
    packages_elsewhere: "its packages are elsewhere",
    config_is_a_folder: "its pyvenv.cfg cannot be read",
    a_loop: "it is a file",
    no_config: "its pyvenv.cfg, which makes it an environment, is not there",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_place_that_cannot_be_an_environment_is_refused_and_left_alone(inside: Inside, tiny, work: Path, make, command: str) -> None:
    place = work / "sub" / "env" if make is below_a_file else work / "env"
    make(place)
    before = snapshot(work)
    ended = inside(command, "--env", str(place), *(["--yes"] if command == "apply" else []), **tiny)
    assert (ended.code, ended.out) == (2, "")
    assert REFUSED[make] in ended.err
    assert "bug" not in ended.err
    assert snapshot(work) == before


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (a_file, "it is a file, not an environment"),
        (other_files, "it is no environment: no pyvenv.cfg, no conda-meta, no Python and no packages in it"),
        (Path.mkdir, "it is no environment: no pyvenv.cfg, no conda-meta, no Python and no packages in it"),
        (lambda path: None, "there is no environment"),
    ],
    ids=["file", "other files", "empty", "absent"],
)
def test_whoever_looks_says_the_same_of_what_is_no_environment(inside: Inside, tiny, work: Path, make, told: str) -> None:
    make(work / "env")
    for command in ("verify", "doctor", "fix", "status", "shell"):
        ended = inside(command, "--env", str(work / "env"), **tiny)
        assert (ended.code, ended.out) == (2, ""), command
        assert f"error: {work / 'env'}: {told}\n" in ended.err, command


def test_those_beside_one_that_is_not_there_are_named(inside: Inside, tiny, work: Path) -> None:
    venv(work / ".venv")
    for command in ("verify", "status", "doctor"):
        ended = inside(command, *(["--env", "tf-enw"] if command != "verify" else []), **tiny)
        assert ended.code == 2
        assert "hint: beside it there is .venv (--env); " in ended.err, command
    venv(work / "b")
    assert "beside it there are .venv and b (--env); " in inside("verify", **tiny).err


@pytest.mark.parametrize("command", ["plan", "verify"])
def test_an_environments_python_leads_to_that_environment_though_it_is_a_link_out_of_it(
    inside: Inside, tiny, work: Path, command: str
) -> None:
    venv(work / "env")
    ended = inside(command, "--env", "env/bin/python", **tiny)
    assert ended.code == 2
    assert f"hint: it lies in the environment {work}/env: name that with --env" in ended.err


def test_a_shell_that_is_asked_for_beside_an_environment_of_another_name_names_that(inside: Inside, tiny, work: Path) -> None:
    """It was said that none is in this folder."""
    venv(work / ".venv")
    for path, then in (("/usr/bin:/bin", "make one with"), ("/nowhere", "name one with")):
        ended = inside("shell", **tiny, PATH=path)
        assert ended.code == 2
        assert f"hint: here there is .venv (--env); {then}" in ended.err


@pytest.mark.parametrize("command", ["plan", "verify", "doctor", "status"])
def test_those_in_a_folder_that_is_none_are_named(inside: Inside, tiny, work: Path, command: str) -> None:
    venv(work / "project" / ".venv")
    (work / "project" / "main.py").touch()
    ended = inside(command, "--env", "project", **tiny)
    assert ended.code == 2
    assert "hint: in it there is .venv (--env); " in ended.err


def test_nothing_is_run_in_a_python_installation_as_if_it_were_an_environment(inside: Inside, tiny) -> None:
    """It was said that none is active, of one that was named."""
    base = os.path.realpath(sys.base_prefix)
    ended = inside("run", "--env", base, "python", "-c", "pass", **tiny)
    assert ended.code == 2
    assert f"error: {base}: it is a Python installation itself, not an environment\nhint: start {base}/bin/python" in ended.err


def test_who_refuses_an_environment_without_its_config_names_what_mends_it(tool: Tool, tiny, work: Path) -> None:
    no_config(work / "env")
    refused = tool("plan", "--env", "env", **tiny)
    assert f"fix --env {work / 'env'}` mends it" in refused.err
    told = tool("doctor", "--json", "--env", "env", **tiny).json["findings"]
    assert [f"tfsetup fix --env {work / 'env'}"] in [item["remedy"]["steps"] for item in told]


@pytest.fixture
def debians() -> str:
    """The Python of the system, where that manages it."""
    if not list(Path("/usr/lib").glob("python3*/EXTERNALLY-MANAGED")):
        pytest.skip("this system does not manage its Python (PEP 668)")
    return "/usr/bin/python3"


@pytest.mark.parametrize("named", [["--python", "/usr/bin/python3"], ["--env", "/usr"]], ids=["interpreter", "folder"])
def test_the_systems_python_is_no_broken_environment_and_pip_is_kept_off_it(tool: Tool, tiny, debians: str, named: list[str]) -> None:
    document = tool("doctor", "--json", *named, **tiny).json
    assert [item["cause"] for item in document["findings"] if item["severity"] in {"error", "warning"}] == ["tf-not-installed"]
    remedy = document["findings"][0]["remedy"]
    assert remedy["steps"][0] == "python3 -m venv tf-env"
    assert "PEP 668" in remedy["why"]


def test_verify_takes_an_interpreter_alone_for_what_it_belongs_to(tool: Tool, tiny, work: Path) -> None:
    venv(work / "tf-env")
    venv(work / "other")
    document = tool("verify", "--json", "--python", "other/bin/python", **tiny).json
    assert (document["env"], document["python"]) == (str(work / "other"), str(work / "other" / "bin" / "python"))


@pytest.mark.parametrize("place", ["/usr", os.path.realpath(sys.base_prefix), "/etc", "/proc/self", "/dev/null", "/dev"])
def test_the_systems_own_places_are_refused(inside: Inside, tiny, place: str) -> None:
    ended = inside("plan", "--env", place, **tiny)
    assert ended.code == 2
    assert "error: " in ended.err


def test_a_link_to_the_systems_python_is_seen_through(inside: Inside, tiny, work: Path) -> None:
    (work / "env").symlink_to(os.path.realpath(sys.base_prefix))
    ended = inside("plan", "--env", "env", **tiny)
    assert ended.code == 2
    assert "never changed" in ended.err


def test_a_symlinked_environment_is_the_one_it_leads_to(inside: Inside, tiny, work: Path) -> None:
    venv(work / "real env")
    (work / "link").symlink_to("real env")
    document = inside("plan", "--env", "link", "--json", **tiny).json
    assert document["env"]["path"] == str(work / "real env")
    assert document["env"]["kind"] == "venv"
    (work / "link").unlink()
    (work / "link").symlink_to("nowhere")
    assert inside("plan", "--env", "link", "--json", **tiny).json["env"] | {"digest": ""} == {
        "path": str(work / "nowhere"), "kind": "absent", "digest": "", "python": "", "python_version": "", "site_packages": "", "managed": False,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["with spaces", "größe-環境", 'it\'s "quoted"', "-dash", "[glob]*?", "$HOME", "tilde~", "new\nline"])
def test_names_are_just_names(inside: Inside, tiny, work: Path, name: str) -> None:
    document = inside("plan", f"--env=./{name}", "--json", **tiny).json
    assert document["env"]["path"] == str(work / name)
    venv(work / name)
    document = inside("plan", f"--env=./{name}", "--json", **tiny).json
    assert (document["env"]["kind"], document["env"]["site_packages"]) == ("venv", SITE)


def test_a_name_that_is_no_utf8_is_just_a_name(tool: Tool, tiny, work: Path) -> None:
    ended = tool("plan", "--env", os.fsdecode(b"caf\xe9"), **tiny)
    assert ended.code == 0, ended.err
    assert r"caf\udce9" in ended.out


def test_home_is_written_with_a_tilde(inside: Inside, tiny, variables: dict[str, str]) -> None:
    assert inside("plan", "--env", "~/env", "--json", **tiny).json["env"]["path"] == f"{variables['HOME']}/env"


def test_folders_that_are_made_outside_are_announced(inside: Inside, tiny, work: Path) -> None:
    document = inside("plan", "--env", "a/b/env", "--json", **tiny).json
    assert document["outside"][:2] == [f"the folder {work}/a is made", f"the folder {work}/a/b is made"]


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, who may write everywhere; so the host says no."""

    class Closed(LocalHost):
        def writable(self, path: str) -> bool:
            return path != str(tmp_path)

    for name, value in tiny.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="may not write there") as caught:
        planning.plan(Session(Closed()), Request(env=str(tmp_path / "a" / "env")))
    assert caught.value.place == str(tmp_path)


@pytest.fixture
def mounted(tmp_path: Path):
    """A small file system of its own, where this user may mount one."""
    place = tmp_path / "mount"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this user may not mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_read_only_file_system_is_refused(inside: Inside, tiny, mounted: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    ended = inside("plan", "--env", str(mounted / "env"), **tiny)
    assert ended.code == 2
    assert "may not write there" in ended.err


@pytest.mark.parametrize("pages", [0, 4, 16, 24])
def test_a_full_disk_leaves_nothing_and_says_so(tool: Tool, tiny, mounted: Path, pages: int) -> None:
    """Full before anything is written, while the environment is made, while packages are installed."""
    with open(mounted / "ballast", "wb", buffering=0) as ballast:
        with contextlib.suppress(OSError):
            while True:
                ballast.write(b"x" * 4096)
        ballast.truncate(ballast.tell() // 4096 * 4096 - pages * 4096)
    document = tool("apply", "--yes", "--json", "--env", str(mounted / "env"), **tiny)
    assert document.code == 1, document.out
    assert document.json["error"].get("cause") == "disk-full", document.out
    assert ("no space is left on the disk" if pages else "there is not enough room") in document.json["error"]["message"]
    assert [path.name for path in mounted.iterdir()] == ["ballast"]


def test_a_cache_that_cannot_be_written_is_no_obstacle(tool: Tool, tiny, work: Path) -> None:
    (work / "file").write_text("")
    for cache in (str(work / "file"), "/proc/no", "/dev/null"):
        assert tool("plan", **{**tiny, "TFSETUP_CACHE_DIR": cache}).code == 0
