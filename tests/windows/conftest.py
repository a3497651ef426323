"""One Windows machine with tfsetup on it, a folder on its drive C, and one environment with TensorFlow there, for all tests of this folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.windows import machine
from tests.windows.machine import assert_ended, tfsetup

# Small, as TensorFlow goes, and on a Python that the tool is not installed into.
RELEASE, PYTHON = "2.10.1", "3.10"


@pytest.fixture(scope="session")
def work() -> Iterator[Path]:
    """A folder on drive C; where no machine can be made the tests are skipped, and fail where TFSETUP_WINDOWS says ``always`` (CI does)."""
    why_not = machine.lacking()
    if not why_not:
        try:
            machine.ready(PYTHON, machine.PYTHON)
        except subprocess.CalledProcessError as error:
            why_not = f"{machine.RIG}/setup ended with {error.returncode}, and said why above"
    if why_not:
        (pytest.fail if os.environ.get("TFSETUP_WINDOWS") == "always" else pytest.skip)(f"nothing is run on Windows: {why_not}")
    machine.install()
    folder = machine.DRIVE / "tfsetup-check"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def env(work: Path) -> Path:
    """One environment that apply made there."""
    asked = ["-t", RELEASE, "--python", PYTHON, "--env", ".\\env"]
    assert_ended(tfsetup("apply", "--yes", *asked, cwd=work), 0, f"Verified: TensorFlow {RELEASE} (cpu)")
    return work / "env"
