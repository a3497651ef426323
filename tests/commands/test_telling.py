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
