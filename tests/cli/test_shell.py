"""``tfsetup shell``: a person's own shell, with the environment before whatever its settings put on PATH."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import Inside, Tool


@pytest.fixture
def env(work: Path) -> Path:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(work / "my env")], check=True)
    return work / "my env"


@pytest.mark.parametrize("shell", ["bash", "sh", "fish", "zsh"])
def test_its_python_is_the_one_that_is_found(tool: Tool, env: Path, work: Path, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    # Settings that put something else first.
    Path(tool.env["HOME"], ".bashrc").write_text("export PATH=/usr/bin:$PATH\n")
    script = "command -v python\nexit 7\n"
    done = subprocess.run(
        [*tool.argv, "shell", "--env", "my env", "--quiet"], cwd=work, env={**tool.env, "SHELL": program, "PS1": ""}, input=script,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"{env}/bin/python" in done.stdout.splitlines()
    assert done.returncode == 7, done.stderr


def test_where_there_is_none_nothing_is_started(inside: Inside) -> None:
    ended = inside("shell", "--env", "none")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no environment" in ended.err
