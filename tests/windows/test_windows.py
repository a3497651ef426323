"""What `make test` and CI run on Windows: a new environment, the same changed by a lock, one fault mended and taken back, all of it undone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.check_layers import fingerprint
from tests.windows.conftest import PYTHON, RELEASE
from tests.windows.machine import DRIVE, REPOSITORY, assert_ended, tfsetup, winpy
from tests.windows.machine import PYTHON as TOOL

pytestmark = pytest.mark.real

DECLARATION = f"""\
tensorflow: "{RELEASE}"
targets:
  - name: desktop
    platform: windows-x86_64
    python: "{PYTHON}"
    device: cpu
files: [requirements.in]
folder: locks
"""
REMARK = (
    "I tensorflow/core/platform/cpu_feature_guard.cc:193] This TensorFlow binary is optimized with oneAPI Deep Neural Network Library\n"
)
LOCK = ("lock", "--cutoff", "2026-06-01T00:00:00Z")


def declared(folder: Path) -> Path:
    """A project with a declaration and one requirement."""
    folder.mkdir()
    (folder / "tfsetup.yaml").write_text(DECLARATION)
    (folder / "requirements.in").write_text("tqdm\n")
    return folder


def test_a_lock_has_the_bytes_that_linux_gives_it_and_is_installed_into_an_environment_that_is_there(env: Path, tmp_path: Path) -> None:
    before = fingerprint(env)
    here, there = declared(tmp_path / "team"), declared(env.parent / "team")
    assert_ended(tfsetup(*LOCK, cwd=there), 0, "desktop: TensorFlow 2.10.1, windows-x86_64, Python 3.10, cpu")
    subprocess.run([sys.executable, "-m", "provisioner", *LOCK], cwd=here, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=True)
    files = {path.name: path.read_bytes() for path in (here / "locks").iterdir()}
    assert {path.name: path.read_bytes() for path in (there / "locks").iterdir()} == files
    assert_ended(tfsetup("lock", "--check", cwd=there), 0, "")
    assert_ended(tfsetup("apply", "--locked", "--yes", "--env", "..\\env", cwd=there), 0, "Verified")
    assert (env / "Lib/site-packages/tqdm").is_dir()
    assert_ended(tfsetup("undo", "--yes", "--env", "env", cwd=env.parent), 0, "as it was before")
    assert fingerprint(env) == before


def test_a_fault_is_named_mended_and_the_mending_undone(env: Path, tmp_path: Path) -> None:
    # Another file in its place: written into, it would be damaged in uv's cache too, and fetched again.
    damaged = env / "Lib/site-packages/tensorflow/python/_pywrap_tensorflow_internal.pyd"
    shutil.move(damaged, tmp_path / "whole")
    damaged.write_bytes(b"MZ")
    broken = fingerprint(env)
    found = json.loads(tfsetup("doctor", "--json", "--env", "env", cwd=env.parent).out)["findings"][0]
    assert found["cause"] == "install-corrupt"
    assert_ended(tfsetup("fix", "--yes", "--env", "env", cwd=env.parent), 0, "Verified")
    assert_ended(tfsetup("undo", "--yes", "--env", "env", cwd=env.parent), 0, "as it was before")
    assert fingerprint(env) == broken
    damaged.unlink()
    shutil.move(tmp_path / "whole", damaged)


def test_commands_are_those_of_the_shell_that_it_was_started_from(work: Path) -> None:
    """There is no PowerShell here: a Python that has its name starts the tool, and Windows is asked which program started which."""
    python = DRIVE / f"Python{TOOL.replace('.', '')}"
    shell = python / "powershell.exe"
    shutil.copy2(python / "python.exe", shell)
    code = "import subprocess, sys; subprocess.run([sys.executable.replace('powershell', 'python'), *sys.argv[1:]])"
    given = ["-m", "tfsetup", "explain", "-", "--context", "os=Windows 11"]
    said = winpy(str(shell), "-c", code, *given, cwd=work, stdin=REMARK)
    shell.unlink()
    assert_ended(said, 0, '$ $env:TF_CPP_MIN_LOG_LEVEL = "2"')
    assert_ended(winpy(TOOL, *given, cwd=work, stdin=REMARK), 0, "$ set TF_CPP_MIN_LOG_LEVEL=2")


def test_and_taken_back_as_a_whole(env: Path) -> None:
    assert_ended(tfsetup("undo", "--yes", "--env", "env", cwd=env.parent), 0, "as it was before")
    assert not list(env.parent.glob("*env*"))
