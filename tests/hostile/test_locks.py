"""What another user puts in the place of the lock beside an environment, in a folder such as /tmp: named and refused, and nobody waits for ever."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.support import Tool
from tests.hostile.test_owners import OTHER, USER, as_user, give
from tests.hostile.test_state import journal, plant, venv

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user"),
]


@pytest.fixture
def env() -> Iterator[Path]:
    """A user's environment with an interrupted run in it, in a folder where everybody may put files; pytest's own folders are root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        top.chmod(0o711)
        (top / "all").mkdir()
        (top / "all").chmod(0o1777)
        root = top / "all" / "env"
        venv(root)
        plant(root / ".tfsetup/journal.json", journal(before="venv"))
        give(root, USER)
        yield root


def fifo(path: Path) -> None:
    os.mkfifo(path, 0o644)


def unreadable(path: Path) -> None:
    path.write_text("")
    path.chmod(0o600)


def folder(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("planted", [fifo, unreadable, folder, link])
def test_a_lock_that_is_another_users_is_named(tool: Tool, tiny: dict[str, str], env: Path, planted: Callable[[Path], None]) -> None:
    lock = env.parent / ".env.tfsetup-lock"
    planted(lock)
    os.chown(lock, OTHER, OTHER, follow_symlinks=False)
    for command in (("doctor", "--static"), ("plan",), ("undo", "--yes")):
        ended = as_user(tool, env, *command, "--env", str(env), **tiny)
        assert "Traceback" not in ended.err, ended.err
        # The tests' user may read everything, and so hold that one, too.
        if command[0] == "undo" and planted is not unreadable:
            assert ended.code == 2, ended.err
            assert str(lock) in ended.err


@pytest.fixture
def held(env: Path) -> Iterator[Path]:
    lock = env.parent / ".env.tfsetup-lock"
    lock.write_text("")
    os.chown(lock, OTHER, OTHER)
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield lock


def test_who_keeps_a_lock_for_ever_is_named(tool: Tool, tiny: dict[str, str], env: Path, held: Path) -> None:
    ended = as_user(tool, env, "undo", "--yes", "--wait", "1", "--env", str(env), **tiny)
    assert ended.code not in {0, 70}, ended.err
    assert str(held) in ended.err
    assert str(OTHER) in ended.err
