"""Moves out and in: as few as possible, byte code with its module, and nothing that is not outgoing."""

from __future__ import annotations

import posixpath
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.change.journal import Journal
from provisioner.change.moves import clear, incoming_moves, move_back, move_in, outgoing_moves, tree_of
from provisioner.environment.workspace import Workspace
from provisioner.errors import OperationError
from provisioner.host.files import make_folders
from provisioner.host.local import LocalHost
from tests.support import snapshot

HOST = LocalHost()


def fill(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(exist_ok=True) if name.endswith("/") else path.write_text(name)
    return root


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_paths_become_folders_and_a_whole_folder_stands_for_all_in_it() -> None:
    assert tree_of(["a/b/c", "a/b", "a/d", "e"]) == {"a": {"b": {}, "d": {}}, "e": {}}
    assert tree_of([]) == {}


@pytest.mark.parametrize(
    ("there", "outgoing", "moves"),
    [
        (["p/a.py", "p/b.py"], ["p/a.py", "p/b.py"], ["p"]),
        (["p/a.py", "p/b.py"], ["p/a.py"], ["p/a.py"]),
        (["p/a.py", "p/s/b.py", "q"], ["p/a.py", "p/s/b.py"], ["p"]),
        (["p/a.py", "p/s/b.py", "p/q"], ["p/a.py", "p/s/b.py"], ["p/a.py", "p/s"]),
        (["p/a.py", "p/__pycache__/a.cpython-311.pyc"], ["p/a.py"], ["p"]),
        (["p/a.py", "p/b.py", "p/__pycache__/a.x.pyc", "p/__pycache__/b.x.pyc"], ["p/a.py"], ["p/__pycache__/a.x.pyc", "p/a.py"]),
        (["p/a.py", "p/b.py", "p/__pycache__/a.cpython-311.pyc"], ["p/a.py"], ["p/__pycache__", "p/a.py"]),
        # Only byte code keeps the folder: of a module that is elsewhere or has left; what stays before it in the list is not forgotten.
        (["p/a.py", "p/__pycache__/a.x.pyc", "p/__pycache__/b.x.pyc"], ["p/a.py"], ["p/__pycache__/a.x.pyc", "p/a.py"]),
        (["p/A", "p/a.py", "p/__pycache__/a.x.pyc"], ["p/a.py"], ["p/__pycache__", "p/a.py"]),
        # pip records byte code: other byte code of the module goes with it all the same, and that of another module stays.
        (["p/a.py", "p/b.py", "p/__pycache__/a.1.pyc", "p/__pycache__/a.2.pyc"], ["p/a.py", "p/__pycache__/a.1.pyc"], ["p/__pycache__", "p/a.py"]),
        (["p/a.py", "p/__pycache__/a.1.pyc", "p/__pycache__/a.2.pyc", "p/__pycache__/b.1.pyc"], ["p/a.py", "p/__pycache__/a.1.pyc"],
         ["p/__pycache__/a.1.pyc", "p/__pycache__/a.2.pyc", "p/a.py"]),
        (["p/a.py"], ["p"], ["p"]),
        (["p/a.py"], ["p/missing.py", "missing"], []),
        (["p/a.py/"], ["p/a.py"], ["p"]),
    ],
)  # fmt: skip
def test_the_fewest_moves(tmp_path: Path, there: list[str], outgoing: list[str], moves: list[str]) -> None:
    fill(tmp_path, *there)
    assert sorted(outgoing_moves(HOST, str(tmp_path), outgoing)) == sorted(moves)


NAMES = st.sampled_from(["a.py", "b.py", "ab.py", "c", "d.so"])
FOLDERS = st.lists(st.sampled_from(["p", "q", "r"]), max_size=3).map("/".join)
PATHS = st.builds(posixpath.join, FOLDERS, NAMES).map(lambda name: "env/" + name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(there=st.sets(PATHS, max_size=14), outgoing=st.sets(PATHS, max_size=8), compiled=st.booleans())
def test_exactly_the_doomed_files_and_their_byte_code_leave_and_come_back(there: set[str], outgoing: set[str], compiled: bool) -> None:
    base = Path(tempfile.mkdtemp())
    try:
        root = fill(base / "root", *there)
        root.mkdir(exist_ok=True)
        if compiled:
            for name in there:
                if name.endswith(".py"):
                    folder, base_name = posixpath.split(name)
                    fill(root, f"{folder}/__pycache__/{base_name[:-3]}.cpython-311.pyc")
        before, all_files = snapshot(root), files(root)
        gone = {name for name in outgoing if name in there}
        for name in list(gone):
            folder, base_name = posixpath.split(name)
            gone |= {f"{folder}/__pycache__/{base_name[:-3]}.cpython-311.pyc"} & all_files if name.endswith(".py") else set()
        workspace = Workspace(root=str(root))
        moves = outgoing_moves(HOST, str(root), outgoing)
        assert not any(one != other and one.startswith(other + "/") for one in moves for other in moves), "no move inside another"
        journal = Journal(number=1, seal="", started="", phase="moving", before="venv", outgoing=moves)
        move_in(HOST, workspace, journal)
        assert {name for name in files(root) if not name.startswith(".tfsetup")} == all_files - gone
        move_back(HOST, workspace, journal)
        clear(HOST, workspace, journal)
        left = {name: value for name, value in snapshot(root).items() if not name.startswith(".tfsetup")}
        assert left == before
    finally:
        shutil.rmtree(base)


def test_new_files_move_in_whole_where_nothing_is_and_one_by_one_where_something_stays(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", "p/old.py", "p/kept.py", "q/x.py", "f")
    stage = fill(tmp_path / "stage", "p/new.py", "p/old.py", "q/y.py", "n/z.py", "f")
    incoming, in_the_way = incoming_moves(HOST, str(root), str(stage), ["q"])
    assert incoming == ("f", "n", "p/new.py", "p/old.py", "q")
    assert in_the_way == ("f", "p/old.py")


def test_a_file_where_a_folder_comes_goes_out_first(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", "p")
    stage = fill(tmp_path / "stage", "p/x.py")
    assert incoming_moves(HOST, str(root), str(stage), []) == (("p",), ("p",))


def test_what_appears_meanwhile_is_never_replaced(tmp_path: Path) -> None:
    root = fill(tmp_path, ".tfsetup/stage/new.py", "new.py")
    journal = Journal(number=1, seal="", started="", phase="moving", before="venv", incoming=("new.py",))
    with pytest.raises(OperationError, match="appeared") as caught:
        move_in(HOST, Workspace(root=str(root)), journal)
    assert caught.value.place == f"{root}/new.py"
    assert (root / "new.py").read_text() == "new.py"


def test_moving_in_twice_is_moving_in_once(tmp_path: Path) -> None:
    root = fill(tmp_path, ".tfsetup/stage/new.py", "old.py")
    journal = Journal(number=1, seal="", started="", phase="moving", before="venv", outgoing=("old.py",), incoming=("new.py",))
    workspace = Workspace(root=str(root))
    move_in(HOST, workspace, journal)
    move_in(HOST, workspace, journal)
    assert {name for name in files(root) if "/" not in name} == {"new.py"}
    fill(root, "__pycache__/new.cpython-311.pyc")
    move_back(HOST, workspace, journal)
    move_back(HOST, workspace, journal)
    assert {name for name in files(root) if not name.startswith(".tfsetup")} == {"old.py"}
    assert not (root / "__pycache__").exists(), "the byte code of a module that left goes with it"


def test_folders_are_made_outermost_first(tmp_path: Path) -> None:
    assert make_folders(HOST, f"{tmp_path}/a/b/c") == (f"{tmp_path}/a", f"{tmp_path}/a/b", f"{tmp_path}/a/b/c")
    assert make_folders(HOST, f"{tmp_path}/a/b") == ()
