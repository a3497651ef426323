"""The journal: written and read back; what cannot be understood is refused with the way out."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.change.apart import Folder, Parted
from provisioner.change.journal import Journal, last_record, read_at, write
from provisioner.environment.workspace import Workspace
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.model.conda import Outside
from provisioner.model.plan import Move

HOST = LocalHost()
ROOT = "/work/tf"
JOURNAL = Journal(
    number=3,
    seal="s",
    started="2026-01-01T00:00:00+00:00",
    phase="moving",
    before="venv",
    outgoing=("a/b",),
    incoming=("c", "d ü"),
    receipt="{}",
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = str(tmp_path / "journal.json")
    write(HOST, path, JOURNAL)
    assert read_at(HOST, path, root=ROOT) == JOURNAL
    assert json.loads(Path(path).read_text())["schema"] == "tfsetup/journal/1"
    assert [item.name for item in tmp_path.iterdir()] == ["journal.json"]


@pytest.mark.parametrize("path", ["missing", "file/journal.json", "loop/journal.json"])
def test_nothing_there_is_none(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    assert read_at(HOST, str(tmp_path / path), root=ROOT) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "\0", "9" * 5000, '{"schema": "tfsetup/journal/2"}', '{"schema": "tfsetup/journal/1", "number": "x"}', "[" * 99999],
)
def test_what_cannot_be_understood_is_refused_with_a_hint(tmp_path: Path, text: str) -> None:
    (tmp_path / "journal.json").write_text(text)
    with pytest.raises(OperationError, match="cannot be read") as caught:
        read_at(HOST, str(tmp_path / "journal.json"), root=ROOT)
    assert caught.value.place == str(tmp_path / "journal.json")
    assert "keep the folder" in caught.value.hint


def test_a_journal_that_is_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "journal.json")
    with pytest.raises(OperationError):
        read_at(HOST, str(tmp_path / "journal.json"), root=ROOT)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x"])
@pytest.mark.parametrize("field", ["outgoing", "incoming"])
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str, field: str) -> None:
    write(HOST, str(tmp_path / "j"), replace(JOURNAL, **{field: (name,)}))
    with pytest.raises(OperationError, match="outside the environment"):
        read_at(HOST, str(tmp_path / "j"), root=ROOT)


MOVES = {
    "elsewhere": ("/home/me/numpy.py", "/etc/cron.d/numpy.py.moved-by-tfsetup"),
    "another name": ("/home/me/numpy.py", "/home/me/.bashrc"),
    "more than a name": ("/home/me/numpy.py", "/home/me/numpy.py.moved-by-tfsetup/x"),
    "a way up": ("/home/me/../you/numpy.py", "/home/me/../you/numpy.py.moved-by-tfsetup"),
    "relative": ("numpy.py", "numpy.py.moved-by-tfsetup"),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_rename_to_anything_but_beside_itself_is_refused(tmp_path: Path, name: str) -> None:
    path, target = MOVES[name]
    write(HOST, str(tmp_path / "j"), replace(JOURNAL, moves=(Move(path=path, target=target, reason="forged"),)))
    with pytest.raises(OperationError, match="moves"):
        read_at(HOST, str(tmp_path / "j"), root=ROOT)


@pytest.mark.parametrize("ending", [".moved-by-tfsetup", ".moved-by-tfsetup-2"])
def test_a_rename_beside_itself_is_read(tmp_path: Path, ending: str) -> None:
    journal = replace(JOURNAL, moves=(Move(path="/home/me/a b.py", target=f"/home/me/a b.py{ending}", reason="it hides"),))
    write(HOST, str(tmp_path / "j"), journal)
    assert read_at(HOST, str(tmp_path / "j"), root=ROOT) == journal


FOLDER = Folder(path="lib/a", mode=0o750, mtime=1, owner=0, group=0)
APART = {
    "a folder outside": {"folders": (replace(FOLDER, path="../x"),)},
    "the tool's own": {"folders": (replace(FOLDER, path=".tfsetup/undo"),)},
    "no mode": {"folders": (replace(FOLDER, mode=1 << 40),)},
    "no time": {"folders": (replace(FOLDER, mtime=1 << 70),)},
    "no owner": {"folders": (replace(FOLDER, owner=1 << 40),)},
    "an emptied folder outside": {"emptied": ("/home/me",)},
    "a mount outside": {"mounts": ("/home/me",)},
    "what is not moved": {"parted": (Parted(path="/home/me/numpy", folders=(replace(FOLDER, path="numpy"),)),)},
}


@pytest.mark.parametrize("name", APART)
def test_folders_that_no_record_of_ours_takes_apart_are_refused(tmp_path: Path, name: str) -> None:
    write(HOST, str(tmp_path / "j"), replace(JOURNAL, **APART[name]))
    with pytest.raises(OperationError, match="the record of an earlier change"):
        read_at(HOST, str(tmp_path / "j"), root=ROOT)


def test_folders_that_were_taken_apart_are_read_and_stand_for_what_was_in_them(tmp_path: Path) -> None:
    below = replace(FOLDER, path="lib/a/b")
    move = Move(path="/home/me/numpy", target="/home/me/numpy.moved-by-tfsetup", reason="it hides")
    parted = Parted(path=move.path, folders=(replace(FOLDER, path="numpy"),))
    journal = replace(
        JOURNAL, outgoing=("lib/a/x", "lib/a/b/y", "lib/c"), folders=(FOLDER, below), moves=(move,), parted=(parted,), mounts=("data",)
    )
    write(HOST, str(tmp_path / "j"), journal)
    assert read_at(HOST, str(tmp_path / "j"), root=ROOT) == journal
    assert journal.went == ("lib/a", "lib/c")


def test_what_is_outside_is_read_where_it_is_a_registration(tmp_path: Path) -> None:
    line = Outside(kind="line", path="/home/me/.conda/environments.txt", text="/work/tf")
    link = Outside(kind="link", path="/opt/conda/envs/tf", text="/work/tf")
    write(HOST, str(tmp_path / "j"), replace(JOURNAL, outside=(line, link)))
    assert read_at(HOST, str(tmp_path / "j"), root=ROOT).outside == (line, link)
    for forged in (replace(line, path="/home/me/.bashrc"), replace(link, path="/etc/cron.d/x"), replace(link, text="tf")):
        write(HOST, str(tmp_path / "j"), replace(JOURNAL, outside=(forged,)))
        with pytest.raises(OperationError, match="cannot be right"):
            read_at(HOST, str(tmp_path / "j"), root=ROOT)


def test_a_journal_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    write(HOST, str(tmp_path / "j"), JOURNAL)
    data = json.loads((tmp_path / "j").read_text())
    assert data.pop("outside") == []
    (tmp_path / "j").write_text(json.dumps(data))
    assert read_at(HOST, str(tmp_path / "j"), root=ROOT) == JOURNAL


def test_the_last_record_is_the_one_with_the_highest_number(tmp_path: Path) -> None:
    workspace = Workspace(root=str(tmp_path))
    assert last_record(HOST, workspace) is None
    for number in (2, 9, 10):
        Path(workspace.undo_record(number)).parent.mkdir(parents=True)
        write(HOST, workspace.undo_record(number), replace(JOURNAL, number=number))
    # A folder without a record belongs to a change that was interrupted; the others are not ours.
    for other in ("11", "x", "²", "-1", "٣"):
        (tmp_path / ".tfsetup" / "undo" / other).mkdir()
    assert last_record(HOST, workspace).number == 10
