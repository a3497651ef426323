"""The entry: Ctrl-C at any moment of the start ends quietly, and ``python -m tfsetup`` is the command."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provisioner import __version__

ROOT = Path(__file__).parents[1]
# Tells when the entry's first lines have run, and from then on sends itself the signal at the Nth import.
SCRIPT = """
import builtins, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["tfsetup", "plan", "--env", "e"]
import provisioner.__main__ as entry
count, real = [int(os.environ["AFTER"])], builtins.__import__
def counted(*args, **kwargs):
    count[0] -= 1
    if count[0] == 0:
        os.kill(os.getpid(), signal.SIGINT)
    return real(*args, **kwargs)
builtins.__import__ = counted
entry.main()
"""


@pytest.mark.parametrize("after", [1, 2, 40, 200, 400, 800])
def test_ctrl_c_while_it_starts_ends_it_without_a_traceback(tmp_path: Path, after: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env={"AFTER": str(after), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert (done.stdout, done.stderr) in {("", ""), ("", "error: interrupted\n")}
    assert list(tmp_path.glob("e*")) == []


def test_what_nohup_ignores_stays_ignored(tmp_path: Path) -> None:
    command = f"trap '' INT; exec {sys.executable} -m provisioner plan --env e"
    with subprocess.Popen(
        ["/bin/sh", "-c", command], cwd=tmp_path, env={"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as process:
        for _ in range(20):
            time.sleep(0.01)
            process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith("TensorFlow ")


def test_the_module_is_the_command(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "tfsetup"]
    done = subprocess.run([*run, "--version"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"tfsetup {__version__}\n"
    # From another folder, and hints are as one can type them again.
    done = subprocess.run(
        [*run, "install"], cwd=tmp_path, env={"HOME": "/", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.endswith(f"\nhint: {sys.executable} -m tfsetup apply\n")
