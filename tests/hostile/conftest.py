"""The command line of ``tests.cli``, and programs that leave a mark when they are started."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import inside, shared, tiny, tool, variables, work

__all__ = ["inside", "shared", "tiny", "tool", "variables", "work"]

Plant = Callable[[Path], Path]


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that is there once a planted program was started."""
    return tmp_path / "started"


@pytest.fixture
def plant(mark: Path) -> Plant:
    """Write a program that leaves a mark and then is the Python of the tests, so that whoever starts it is content."""

    def written(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        quoted = shlex.quote(sys.executable)
        path.write_text(f'#!/bin/sh\necho "$0" >> {shlex.quote(str(mark))}\nexec {quoted} "$@"\n')
        path.chmod(0o755)
        return path

    return written
