"""Wheels and archives that a project carries, from the list to the environment: with real uv and pip, wherever the project lies."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.catalogue.yaml_text import parse_yaml
from provisioner.change.execute import execute
from provisioner.commands.plan_locked import plan_locked
from provisioner.engines.uv import find_uv
from provisioner.environment.read import read_site
from provisioner.errors import ConsentError, InputError
from provisioner.host.local import LocalHost
from provisioner.lock.store import read_lock
from provisioner.model.plan import Plan
from provisioner.model.request import Request
from provisioner.model.team import LockedTarget
from provisioner.report.plan_text import plan_text
from provisioner.session import Session
from provisioner.session.trust import Trust
from tests.cli.support import Inside, make_profiles
from tests.lock.index import Index
from tests.lock.test_locked import prove_passed
from tests.lock.trees import tree
from tests.support import PYTHON, make_wheel

DECLARATION = """\
tensorflow: "2.20"
pythons: ["{python}"]
targets:
  - {{name: ci, platform: linux-x86_64, device: cpu}}
files: [lists/all.txt]
indexes:
  - url: {url}
folder: locks
formats: {formats}
"""
LIST = """\
--find-links ../wheels
ours
colours
shapes
./vendor/named-1.0-py3-none-any.whl
"""


@pytest.fixture
def inside(capsys, monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(capsys, monkeypatch)


def wheel(folder: Path, name: str, version: str, text: str = "", *requires: str) -> Path:
    made = make_wheel(folder, name, version, {f"{name}.py": text}, requires=requires)
    return folder / made.filename


@pytest.fixture
def project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project that carries ``ours`` and ``named``, a newer ``colours`` than the index, and an older ``shapes``."""
    files = (index.add("tensorflow-cpu", "2.20.0", "numpy"), index.add("numpy", "1.26"))
    for name, version in (("pytz", "1.0"), ("colours", "2.0"), ("shapes", "3.0")):
        index.add(name, version)
    monkeypatch.setenv("TFSETUP_PROFILES", str(make_profiles(tmp_path / "profiles", tuple(sorted(files, key=lambda file: file.filename)))))
    folder = tmp_path / "project"
    for name, version in (("colours", "2.1"), ("shapes", "2.9")):
        wheel(folder / "wheels", name, version, "OWN = True\n")
    wheel(folder / "wheels", "ours", "1.0", "", "pytz")
    wheel(folder / "lists" / "vendor", "named", "1.0", "FIRST = True\n")
    (folder / "lists" / "all.txt").write_text(LIST)
    declare(folder, index)
    monkeypatch.chdir(folder)
    yield folder
    monkeypatch.undo()


def declare(folder: Path, index: Index, formats: str = "[requirements, pylock]", more: str = "") -> None:
    text = DECLARATION.format(python=PYTHON, url=index.url, formats=formats)
    (folder / "tfsetup.yaml").write_text(text + more)


def locked(folder: Path) -> LockedTarget:
    lock = read_lock(LocalHost(), str(folder / "locks"))
    assert lock is not None
    return lock.targets[0]


def planned(folder: Path, env: Path) -> Plan:
    session = Session(LocalHost(), trust=Trust(given=True))
    return plan_locked(session, Request(env=str(env), python=PYTHON), str(folder / "locks"), "").plan


def install(folder: Path, env: Path) -> dict[str, str]:
    assert execute(planned(folder, env), LocalHost(), prove=prove_passed, progress=SILENT, wait=0).kept
    return {item.name: item.version for item in read_site(LocalHost(), str(env)).distributions}


ALL = {"colours": "2.1", "named": "1.0", "numpy": "1.26", "ours": "1.0", "pytz": "1.0", "shapes": "3.0", "tensorflow-cpu": "2.20.0"}


def test_from_the_list_to_the_environment_wherever_the_project_lies(
    project: Path, inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code == 0, ended.err
    assert "named 1.0 (from ../lists/vendor/named-1.0-py3-none-any.whl)" in ended.out
    assert "shapes 3.0 comes from the index, though the project carries wheels/shapes-2.9-py3-none-any.whl" in ended.out
    paths = {file.name: file.path for file in locked(project).files if file.path}
    assert paths == {
        "colours": "../wheels/colours-2.1-py3-none-any.whl",
        "named": "../lists/vendor/named-1.0-py3-none-any.whl",
        "ours": "../wheels/ours-1.0-py3-none-any.whl",
    }
    written = {path.name: path.read_bytes() for path in (project / "locks").iterdir()}
    assert str(tmp_path) not in b"".join(written.values()).decode()
    elsewhere = tmp_path / "else where"
    shutil.move(project, elsewhere)
    monkeypatch.chdir(elsewhere)
    assert inside("lock", "--check").code == 0
    assert install(elsewhere, tmp_path / "env") == ALL
    assert not planned(elsewhere, tmp_path / "env").changes
    assert inside("lock").code == 0
    assert {path.name: path.read_bytes() for path in (elsewhere / "locks").iterdir()} == written


@pytest.mark.parametrize("how", ["pip", "uv", "pylock"])
@pytest.mark.slow
def test_other_installers_find_the_files_from_any_folder(how: str, project: Path, inside: Inside, tmp_path: Path) -> None:
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    uv, python = find_uv(LocalHost()), tmp_path / "env" / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--seed", "--python", PYTHON, str(tmp_path / "env")], check=True)
    listed, pylock = project / "locks" / "requirements.ci.txt", project / "locks" / "pylock.ci.toml"
    words = {
        "pip": [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", listed],
        "uv": [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", listed],
        "pylock": [uv, "pip", "sync", "--quiet", "--preview-features", "pylock", "--python", python, pylock],
    }
    subprocess.run(words[how], check=True, cwd="/")
    found = {item.name: item.version for item in read_site(LocalHost(), str(tmp_path / "env")).distributions}
    assert ALL.items() <= found.items()


def test_check_names_each_file_that_is_not_as_it_was(project: Path, inside: Inside) -> None:
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    wheel(project / "wheels", "ours", "1.0", "SECOND = True\n", "pytz")
    wheel(project / "wheels", "more", "1.0")
    (project / "wheels" / "shapes-2.9-py3-none-any.whl").unlink()
    checked = {item["name"]: item["why"] for item in inside("lock", "--check", "--json").json["differences"]}
    assert checked == {
        "wheels/more-1.0-py3-none-any.whl": "is new since the lock was made",
        "wheels/ours-1.0-py3-none-any.whl": "has changed since the lock was made",
        "wheels/shapes-2.9-py3-none-any.whl": "was there when the lock was made, and is not any more",
    }
    assert inside("lock").code == 0
    assert inside("lock", "--check").code == 0


def test_what_was_changed_after_locking_is_not_installed(project: Path, inside: Inside, tmp_path: Path) -> None:
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    wheel(project / "wheels", "ours", "1.0", "SECOND = True\n", "pytz")
    (project / "lists" / "vendor" / "named-1.0-py3-none-any.whl").unlink()
    with pytest.raises(InputError) as caught:
        planned(project, tmp_path / "env")
    assert [fault.replace(str(project), "") for fault in caught.value.faults] == [
        "/lists/vendor/named-1.0-py3-none-any.whl is not there, which the lock has named 1.0 from",
        "/wheels/ours-1.0-py3-none-any.whl is another file than was locked (its SHA-256 differs)",
    ]


@pytest.mark.slow
def test_one_that_was_built_again_in_the_same_version_is_exchanged(project: Path, inside: Inside, tmp_path: Path) -> None:
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    install(project, tmp_path / "env")
    wheel(project / "lists" / "vendor", "named", "1.0", "SECOND = True\n")
    assert inside("lock").code == 0
    made = planned(project, tmp_path / "env")
    assert [(item.name, item.reason) for item in made.removals] == [("named", "the lock has another file of this version")]
    (package,) = made.packages
    assert package.size == (project / "lists" / "vendor" / package.filename).stat().st_size
    assert f"from file://{project}/lists/vendor/named-1.0-py3-none-any.whl" in plan_text(made, interrupted=None, verbose=True)
    assert install(project, tmp_path / "env") == ALL
    (path,) = (tmp_path / "env").glob("lib/python*/site-packages/named.py")
    assert path.read_text() == "SECOND = True\n"
    assert not planned(project, tmp_path / "env").changes


@pytest.mark.slow
def test_a_copy_of_what_the_index_has_is_taken_from_the_project(project: Path, inside: Inside, index: Index) -> None:
    shutil.copy(index.folder / "numpy-1.26-py3-none-any.whl", project / "wheels")
    declare(project, index, "[requirements, pylock, conda-lock]")
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code == 0, ended.err
    (numpy,) = [file for file in locked(project).files if file.name == "numpy"]
    assert (numpy.path, numpy.profile, numpy.index) == ("../wheels/numpy-1.26-py3-none-any.whl", True, "")
    assert numpy.url == f"http://{index.host}/files/numpy-1.26-py3-none-any.whl"
    assert "colours, named and ours: no index has them, and conda-lock cannot hold a file by its path from the lock" in ended.out
    text = (project / "locks" / "conda-lock.yml").read_text()
    assert "numpy-1.26" in text
    assert "ours" not in text
    assert inside("lock", "--check", "--online").code == 0


def test_the_one_of_the_project_is_taken_where_an_index_has_the_same_version(project: Path, inside: Inside) -> None:
    path = wheel(project / "wheels", "shapes", "3.0", "OWN = True\n")
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    (shapes,) = [file for file in locked(project).files if file.name == "shapes"]
    assert (shapes.path, shapes.url) == (f"../wheels/{path.name}", "")


def test_another_file_under_the_name_of_one_of_the_set_is_not_taken(project: Path, inside: Inside) -> None:
    wheel(project / "wheels", "numpy", "1.26", "OWN = True\n")
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    (numpy,) = [file for file in locked(project).files if file.name == "numpy"]
    assert (numpy.path, numpy.profile) == ("", True)


def test_one_for_another_platform_is_told(project: Path, inside: Inside) -> None:
    path = project / "wheels" / "ours-1.0-py3-none-any.whl"
    path.rename(path.with_name("ours-1.0-cp39-cp39-win_amd64.whl"))
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code == 1
    assert "there is neither a wheel nor source of ours" in ended.err


@pytest.mark.slow
def test_nobody_is_asked_to_build_what_a_stranger_has_under_the_name(project: Path, inside: Inside, index: Index) -> None:
    path = project / "wheels" / "ours-1.0-py3-none-any.whl"
    path.rename(path.with_name("ours-1.0-cp39-cp39-win_amd64.whl"))
    index.add_source("ours", "7.0", "raise SystemExit\n")
    ended = inside("lock", "--accept", "--yes", "--cutoff", "2026-06-01")
    assert ended.code == 1
    assert "the project carries ours for other machines alone (wheels/ours-1.0-cp39-cp39-win_amd64.whl), not for linux-x86_64" in ended.err
    assert "which may be a stranger's" in ended.err
    assert "source_builds" not in (project / "tfsetup.yaml").read_text()


@pytest.mark.slow
def test_an_archive_of_source_is_built_where_that_is_allowed_and_installed_with_a_word(
    project: Path, inside: Inside, index: Index, tmp_path: Path
) -> None:
    mark = tree(tmp_path / "forge", "forge", "3.1", "pytz")
    file = index.add_tree("forge", "3.1", {path.name: path.read_text() for path in (tmp_path / "forge").iterdir()})
    (index.folder / file.filename).rename(project / "wheels" / file.filename)
    (project / "lists" / "all.txt").write_text("-f ../wheels\nforge\n")
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert (ended.code, mark.exists()) == (1, False)
    assert "`policy: {source_builds: [forge]}`" in ended.err
    declare(project, index, more="policy: {source_builds: [forge]}\n")
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    (forge,) = [item for item in locked(project).files if item.name == "forge"]
    assert (forge.path, forge.source, forge.requires) == (f"../wheels/{file.filename}", True, ("pytz",))
    assert f'sdist = {{ name = "{file.filename}", path = "../wheels/{file.filename}"' in (project / "locks" / "pylock.ci.toml").read_text()
    with pytest.raises(ConsentError, match=f"the build of forge from {project}/wheels/{file.filename}"):
        plan_locked(Session(LocalHost()), Request(env=str(tmp_path / "env"), python=PYTHON), str(project / "locks"), "")
    assert install(project, tmp_path / "env")["forge"] == "3.1"


def test_a_folder_that_git_leaves_out_is_told(project: Path, inside: Inside) -> None:
    (project / "wheels" / ".gitignore").write_text("*")
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert f"{project}/wheels/.gitignore keeps the files beside it out of the repository" in ended.out
    (project / "wheels" / ".gitignore").write_text("*.txt\n")
    (project / "lists" / "all.txt").write_text(f"{LIST}pytz\n")
    assert ".gitignore" not in inside("lock").out


@pytest.mark.slow
def test_init_takes_such_a_list_over(project: Path, inside: Inside) -> None:
    (project / "tfsetup.yaml").unlink()
    (project / "requirements.txt").write_text("-f wheels\nours\n./lists/vendor/named-1.0-py3-none-any.whl\n")
    ended = inside("init")
    assert ended.code == 0, ended.err
    assert "warning" not in ended.err + ended.out
    assert 'files: ["requirements.txt"]' in (project / "tfsetup.yaml").read_text()


def test_a_page_of_links_is_asked_with_a_word_and_its_files_locked_by_address(
    project: Path, inside: Inside, index: Index, tmp_path: Path
) -> None:
    url = index.link("linked", "1.1", "pytz", text="LINKED = True\n")
    index.link("linked", "1.0")
    index.link("shapes", "2.0")
    taken = index.link("colours", "9.0")
    (project / "lists" / "all.txt").write_text(f"-f {index.links.replace('127.0.0.1', 'localhost')}\nlinked\ncolours\nshapes\n")
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code != 0
    assert "names the page of links http://localhost:" in ended.err
    assert "/links.html" not in index.seen
    (project / "lists" / "all.txt").write_text(f"-f {index.links}\nlinked\ncolours\nshapes\n")
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code == 0, ended.err
    assert "page of links, tells no upload dates of colours, linked: no date holds for them" in ended.out
    files = {file.name: file for file in locked(project).files}
    assert {name: files[name].url for name in ("linked", "colours")} == {"linked": url, "colours": taken}
    assert (files["linked"].direct, files["linked"].index, files["linked"].requires) == (True, "", ("pytz",))
    assert (files["shapes"].version, files["shapes"].direct) == ("3.0", False)
    assert f"linked @ {url} \\\n    --hash=sha256:{files['linked'].sha256}\n" in (project / "locks" / "requirements.ci.txt").read_text()
    assert inside("lock", "--check", "--online").code == 0
    assert install(project, tmp_path / "env").items() >= {"linked": "1.1", "colours": "9.0", "shapes": "3.0"}.items()


def test_what_of_a_page_must_have_cooled_down_is_refused(project: Path, inside: Inside, index: Index) -> None:
    index.link("linked", "1.1")
    (project / "lists" / "all.txt").write_text(f"-f {index.links}\nlinked\n")
    declare(project, index, more="policy: {cool_down: 7}\n")
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code == 2
    assert "tells no upload dates of linked, so nobody can say whether they have cooled down" in ended.err


@pytest.mark.slow
def test_what_the_pip_part_of_an_environment_file_brings_stands_in_the_declaration(project: Path, inside: Inside) -> None:
    (project / "tfsetup.yaml").unlink()
    lines = ["-f wheels", "ours", "named @ file:lists/vendor/named-1.0-py3-none-any.whl", "--find-links https://example.com/links.html"]
    (project / "environment.yml").write_text(json.dumps({"dependencies": [f"python={PYTHON}", {"pip": lines}]}))
    ended = inside("init")
    assert ended.code == 0, ended.err
    said = parse_yaml((project / "tfsetup.yaml").read_text(), file="")["requirements"]
    links = ["--find-links wheels", "--find-links https://example.com/links.html"]
    assert said == [*links, "ours", "named @ file:lists/vendor/named-1.0-py3-none-any.whl"]
    ended = inside("lock")
    assert "only a file names the page of links https://example.com/links.html" in ended.err


def test_pip_tools_is_not_asked_for_what_it_cannot_hash(project: Path, inside: Inside) -> None:
    (project / "lists" / "all.txt").write_text("-f ../wheels\nours\n")
    ended = inside("lock", "--engine", "pip-tools")
    assert ended.code == 2
    assert "pip tells no hash of a file that --find-links finds" in ended.err


def test_a_lock_cannot_lead_an_installer_to_another_file(project: Path, inside: Inside, tmp_path: Path) -> None:
    assert inside("lock", "--cutoff", "2026-06-01").code == 0
    path = project / "locks" / "tfsetup.lock.json"
    data = json.loads(path.read_text())
    (ours,) = [item for item in data["targets"][0]["files"] if item["name"] == "ours"]
    for wrong in ("/etc/passwd", "../wheels/other-1.0-py3-none-any.whl", "..\\wheels\\ours-1.0-py3-none-any.whl"):
        ours["path"] = wrong
        path.write_text(json.dumps(data))
        with pytest.raises(InputError) as caught:
            planned(project, tmp_path / "env")
        assert caught.value.faults == (f"ci: path of ours cannot be {wrong!r}",)
