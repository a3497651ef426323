"""The last words of a command that failed: what a look at the environment shows, never what ought to be there."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from provisioner.change.journal import Journal, write
from provisioner.commands.telling import telling
from provisioner.environment.workspace import Workspace
from provisioner.errors import InterruptedRunError, OperationError, UnforeseenError
from provisioner.host.local import LocalHost

HOST = LocalHost()


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """One of two moves is done."""
    workspace = Workspace(root=str(tmp_path / "env"))
    for name in ("env/.tfsetup/stage/b", "env/a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    write(HOST, workspace.journal, Journal(number=1, seal="", started="t", phase="moving", before="venv", incoming=("a", "b")))
    return tmp_path / "env"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyboardInterrupt(), InterruptedRunError),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), OperationError),
        (ValueError("a bug"), UnforeseenError),
    ],
)
def test_a_half_environment_is_named_with_the_command_that_goes_on(half: Path, error: BaseException, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught, telling(HOST, str(half)):
        raise error
    assert f"{half} is half changed (1 of 2 moves are done)" in str(caught.value)
    if expected is not UnforeseenError:
        assert f"tfsetup undo --env {half}" in caught.value.hint


def test_where_all_moves_are_done_nothing_is_half_whatever_the_record_says(half: Path) -> None:
    """The record was refused (a quota that is used up) when all files were in place."""
    (half / ".tfsetup" / "stage" / "b").rename(half / "b")
    with pytest.raises(OperationError, match="is new and not proven") as caught, telling(HOST, str(half)):
        raise OSError(errno.EDQUOT, "Disk quota exceeded", "/x")
    assert f"tfsetup undo --env {half}" in caught.value.hint


def test_where_nothing_was_done_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError, match=r"env is as it was before"), telling(HOST, str(tmp_path / "env")):
        raise KeyboardInterrupt


def test_what_was_finished_is_not_called_old(tmp_path: Path) -> None:
    """Ctrl-C while the last words are printed."""
    (tmp_path / ".tfsetup").mkdir()

    def finish() -> None:
        (tmp_path / ".tfsetup" / "receipt.json").write_text("{}")
        raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError, match="is changed as asked"), telling(HOST, str(tmp_path)):
        finish()


def test_a_run_that_is_at_work_is_another_ones(half: Path) -> None:
    words = "another tfsetup is at work"
    with HOST.lock(Workspace(root=str(half)).lock, wait=0), pytest.raises(InterruptedRunError, match=words), telling(HOST, str(half)):
        raise KeyboardInterrupt


def record(root: Path, number: int) -> Path:
    """A change that can be undone."""
    path = Path(Workspace(root=str(root)).undo_record(number))
    path.parent.mkdir(parents=True, exist_ok=True)
    write(HOST, str(path), Journal(number=number, seal="", started="t", phase="moved", before="venv"))
    return path


def test_an_undo_that_was_finished_is_not_told_as_if_nothing_had_been_done(tmp_path: Path) -> None:
    """ "As it was before" would be read as before the undo."""
    record(tmp_path, 1)
    path = record(tmp_path, 2)

    def finish() -> None:
        path.unlink()
        raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError, match=r"the last change of .* is taken back"), telling(HOST, str(tmp_path)):
        finish()


@pytest.mark.parametrize(("undoing", "words"), [(True, "the last change of"), (False, "that was interrupted is taken back")])
def test_what_was_interrupted_before_and_is_taken_back_now_is_said(tmp_path: Path, undoing: bool, words: str) -> None:
    workspace = Workspace(root=str(tmp_path))
    (tmp_path / ".tfsetup").mkdir()
    write(HOST, workspace.journal, Journal(number=1, seal="", started="t", phase="clearing", before="venv", exact=undoing))

    def finish() -> None:
        Path(workspace.journal).unlink()
        raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError, match=words), telling(HOST, str(tmp_path)):
        finish()


def test_an_error_of_ours_in_the_middle_says_how_the_environment_stands(half: Path) -> None:
    with pytest.raises(OperationError, match=r"something else is there; .* is half changed") as caught, telling(HOST, str(half)):
        raise OperationError("something else is there", hint="move it away")
    assert f"tfsetup undo --env {half}" in caught.value.hint


@pytest.mark.parametrize(("phase", "words"), [("undoing", "are as they were; "), ("clearing", "are as they were before the change; ")])
def test_of_an_undo_it_is_said_whether_it_has_moved_anything(tmp_path: Path, phase, words: str) -> None:
    workspace = Workspace(root=str(tmp_path))
    (tmp_path / ".tfsetup").mkdir()
    (tmp_path / "b").write_text("")
    write(HOST, workspace.journal, Journal(number=1, seal="", started="t", phase=phase, before="venv", incoming=("b",), exact=True))
    with pytest.raises(InterruptedRunError, match=words) as caught, telling(HOST, str(tmp_path)):
        raise KeyboardInterrupt
    assert "finishes it" in caught.value.hint
