"""Real file systems of a test's own: small, read-only, or mounted so that nothing runs from them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import Ended
from tests.support import PYTHON

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount, and be another user")
OTHER = 65534
SETPRIV = ("setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups")


@contextlib.contextmanager
def mounted(folder: Path, options: str = "", *, bind: Path | None = None) -> Iterator[Path]:
    """Mount a tmpfs with those options, or ``bind`` read-only, on ``folder``; skips where the sandbox lets nobody mount."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "--bind", str(bind), str(folder)] if bind else ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        if bind:
            subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def demoted(argv: list[str], *, cwd: Path, env: dict[str, str]) -> Ended:
    """Run a command as a user without rights; skips where the tests' Python lies where no such user may look."""
    if subprocess.run([*SETPRIV, argv[0], "-c", "import uv"], check=False, capture_output=True).returncode:
        pytest.skip("no process can be made of another user here")
    done = subprocess.run([*SETPRIV, *argv], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def python_for_all() -> str:
    """Return a Python of the tests' version that such a user can start; skips where there is none."""
    for path in (os.path.realpath(sys.executable), f"/usr/bin/python{PYTHON}"):
        # Some sandboxes start a program that the user cannot see.
        if not subprocess.run([*SETPRIV, path, "-c", f"open({path!r})"], check=False, capture_output=True).returncode:
            return path
    pytest.skip("no Python here can be started by a user without rights")


def give(path: Path) -> None:
    """Give a folder with all in it to that user."""
    for inner in (path, *path.rglob("*")):
        os.chown(inner, OTHER, OTHER, follow_symlinks=False)
