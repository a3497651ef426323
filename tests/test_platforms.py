"""What only Linux and macOS have in Python's standard library is asked for by nobody on Windows: told by the type checker, run as it is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# The port, whose second implementation is `host/windows.py`, and what is behind a question of the system that the type checker does not follow.
ELSEWHERE = ("provisioner/host/", "provisioner/in_process/_gpu.py", "provisioner/engines/_rattler.py", "tools/")


@pytest.mark.slow
def test_nothing_outside_the_port_asks_windows_for_what_it_has_not(tmp_path: Path) -> None:
    """`signal.SIGALRM` was asked for after each import of what else is installed: `fix` ended with a bug on Windows."""
    argv = [sys.executable, "-m", "mypy", "--platform", "win32", "--cache-dir", str(tmp_path), "--no-error-summary"]
    said = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT).stdout.splitlines()
    missing = [line for line in said if re.search(r"\[(attr|name)-defined\]$", line)]
    assert missing
    assert [line for line in missing if not line.startswith(ELSEWHERE)] == []
