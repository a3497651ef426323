"""The variables of a shell in which an environment is active, held against what venv's own script sets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from provisioner.environment.activated import activated
from provisioner.environment.layout import POSIX, WINDOWS


def test_it_is_what_the_script_of_venv_sets(tmp_path: Path) -> None:
    root = tmp_path / "my env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root)], check=True)
    before = {"PATH": "/usr/bin:/bin", "HOME": "/h", "PYTHONHOME": "/wrong", "PS1": ""}
    said = subprocess.run(
        ["/bin/bash", "-c", f". '{root}/bin/activate'; /usr/bin/env"], env=before, capture_output=True, text=True, check=True
    ).stdout
    script = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    found = activated(before, str(root), conda=False, shape=POSIX)
    for name in ("PATH", "VIRTUAL_ENV", "PYTHONHOME", "HOME"):
        assert found.get(name) == script.get(name), name


def test_another_one_that_is_active_does_not_stay_before_it() -> None:
    before = {"PATH": "/other/bin:/e/bin:/usr/bin", "VIRTUAL_ENV": "/other", "CONDA_PREFIX": "/c", "CONDA_DEFAULT_ENV": "base"}
    found = activated(before, "/e", conda=False, shape=POSIX)
    assert found == {"PATH": "/e/bin:/usr/bin", "VIRTUAL_ENV": "/e", "VIRTUAL_ENV_PROMPT": "e"}
    found = activated(before, "/e", conda=True, shape=POSIX)
    assert found == {"PATH": "/e/bin:/usr/bin", "CONDA_PREFIX": "/e", "CONDA_DEFAULT_ENV": "/e"}
    assert activated({}, "/e", conda=False, shape=POSIX)["PATH"] == "/e/bin"


def test_on_windows_condas_programs_lie_in_many_folders_and_its_python_at_the_root() -> None:
    """Only ``Scripts`` was on PATH, where conda's Python is not."""
    before = {"PATH": "C:/base;C:/base/Scripts;C:/base/Library/bin;C:/windows", "CONDA_PREFIX": "C:/base"}
    path = activated(before, "C:/e", conda=True, shape=WINDOWS)["PATH"].split(";")
    assert path[0] == "C:/e"
    assert path[-3:] == ["C:/e/Scripts", "C:/e/bin", "C:/windows"]
    assert activated(before, "C:/e", conda=False, shape=WINDOWS)["PATH"] == "C:/e/Scripts;C:/windows"
