"""The conda half of a change: history as conda writes it, the files of packages that leave, and that nothing is done where nothing is to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.change.conda import HISTORY, history, link
from provisioner.change.contents import read_contents
from provisioner.change.outgoing import leaving
from provisioner.environment.read import read_conda_site
from provisioner.environment.workspace import Workspace
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.model.conda_package import CondaPackage, CondaPart, CondaRemoval
from tests.support import DyingHost, make_lock, make_plan, make_wheel, snapshot

HOST = LocalHost()
PYTHON = CondaPackage(
    name="python", version="3.11.7", build="h1_0", build_number=0, subdir="linux-64", filename="python-3.11.7-h1_0.conda",
    url="https://packages.example/lab/linux-64/python-3.11.7-h1_0.conda", channel="https://packages.example/lab/", sha256="a" * 64,
)  # fmt: skip
PART = CondaPart(
    specs=("python 3.11.*", "cudnn 8.0.*"), virtual=(), channels=("https://packages.example/lab",), packages=(PYTHON,),
    unchanged={"tool": "1.0 0"}, removals=(CondaRemoval(identity="python-3.11.0-h1_0", reason="r"),),
)  # fmt: skip


def plan(tmp_path: Path, part: CondaPart | None):
    lock = make_lock(make_wheel(tmp_path / "wheels", "tensorflow", "2.0", {"tensorflow/__init__.py": ""}))
    return replace(make_plan(HOST, tmp_path / "env", lock), made="2026-11-26T18:45:04+00:00", conda=part)


CHANGE = """\
==> 2026-11-26 18:45:04 <==
# cmd: tfsetup apply --kind conda
-python-3.11.0-h1_0
+lab/linux-64::python-3.11.7-h1_0
# update specs: ['python 3.11.*', 'cudnn 8.0.*']
"""


def test_history_is_conda_s_and_is_continued(tmp_path: Path) -> None:
    made = plan(tmp_path, PART)
    assert history(HOST, made) == CHANGE
    (tmp_path / "env/conda-meta").mkdir(parents=True)
    (tmp_path / "env" / HISTORY).write_text("==> 2020-01-01 00:00:00 <==\n+old\n")
    assert history(HOST, made) == "==> 2020-01-01 00:00:00 <==\n+old\n" + CHANGE


def test_conda_reads_the_history() -> None:
    """The three forms of lines that conda's own reader knows (``History._parse_old_format_specs_string``, ``parse`` in conda.history)."""
    for line in CHANGE.splitlines():
        assert line.startswith(("==> ", "# cmd: ", "# update specs: [", "-", "+"))


def environment(root: Path, *files: str) -> Path:
    for path in files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")
    return root


def record(root: Path, identity: str, *files: str) -> None:
    name, version, build = identity.rsplit("-", 2)
    data = {"name": name, "version": version, "build": build, "files": list(files)}
    (root / "conda-meta").mkdir(parents=True, exist_ok=True)
    (root / f"conda-meta/{identity}.json").write_text(json.dumps(data))


def of_conda(root: Path) -> frozenset[str]:
    made = replace(plan(root.parent, PART), removals=())
    return leaving(read_contents(made, HOST, Workspace(root=str(root)), read_conda_site(HOST, str(root))))


def test_what_leaves_is_the_files_of_its_packages_and_their_records(tmp_path: Path) -> None:
    root = environment(tmp_path / "env", "bin/python", "lib/mine.py", "lib/theirs.py")
    record(root, "python-3.11.0-h1_0", "bin/python", "lib/mine.py", "lib/gone.py")
    record(root, "other-1-0", "lib/theirs.py")
    assert of_conda(root) == {"bin/python", "lib/mine.py", "conda-meta/python-3.11.0-h1_0.json"}


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "lib/../../outside"])
def test_a_record_that_names_files_outside_takes_none_of_them(tmp_path: Path, path: str) -> None:
    root = environment(tmp_path / "env", "bin/python")
    (tmp_path / "outside").write_text("x")
    record(root, "python-3.11.0-h1_0", "bin/python", path)
    assert of_conda(root) == {"bin/python", "conda-meta/python-3.11.0-h1_0.json"}


def test_a_package_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    root = environment(tmp_path / "env", "bin/python")
    record(root, "other-1-0")
    assert of_conda(root) == set()


def test_where_nothing_changes_nothing_is_written(tmp_path: Path) -> None:
    environment(tmp_path / "env", HISTORY)
    made = plan(tmp_path, replace(PART, packages=(), removals=()))
    before = snapshot(tmp_path)
    link(made, DyingHost(dies_at=1), str(tmp_path / "stage"), channels=(), progress=SILENT)
    assert snapshot(tmp_path) == before


def test_packages_that_only_leave_are_noted(tmp_path: Path) -> None:
    environment(tmp_path / "env", HISTORY)
    (tmp_path / "stage").mkdir()
    link(plan(tmp_path, replace(PART, packages=())), HOST, str(tmp_path / "stage"), channels=(), progress=SILENT)
    assert (tmp_path / "stage" / HISTORY).read_text().splitlines()[-2] == "-python-3.11.0-h1_0"


def test_a_plan_without_a_conda_half(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="names no conda packages"):
        link(plan(tmp_path, None), HOST, str(tmp_path), channels=(), progress=SILENT)
