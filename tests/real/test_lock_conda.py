"""A conda target with real TensorFlow wheels from the real index, on a Python from the local channel: locked, rendered, installed, computing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.channel import build
from tests.channel.python import needs
from tests.support import PYTHON

DECLARATION = {
    "tensorflow": "2.20",
    "pythons": [PYTHON],
    "channels": ["./channel"],
    "targets": [{"name": "lab", "platform": "linux-x86_64", "device": "cpu", "kind": "conda", "floor": "2.28"}],
    "requirements": ["pandas"],
}


def run(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = dict(os.environ)
    done = subprocess.run([str(part) for part in argv], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


@pytest.mark.real
@needs(PYTHON)
def test_locked_installed_and_computing(tmp_path: Path) -> None:
    build.build(tmp_path / "channel", build.pythons(PYTHON))
    (tmp_path / "tfsetup.yaml").write_text(yaml.safe_dump(DECLARATION))
    tfsetup = (sys.executable, "-m", "provisioner")
    run(*tfsetup, "lock", "--cutoff", "2026-06-01", cwd=tmp_path)
    run(sys.executable, "-W", "ignore", "-m", "conda_lock", "render", "--kind", "explicit", "conda-lock.yml", cwd=tmp_path)
    assert "# pip pandas @" in (tmp_path / "conda-linux-64.lock").read_text()
    done = run(*tfsetup, "apply", "--locked", "--env", tmp_path / "env", "--yes", "--json", cwd=tmp_path)
    checks = {check["name"]: check["status"] for check in json.loads(done.stdout)["verification"]["checks"]}
    assert checks["matmul"] == checks["integrity"] == checks["requirements"] == "passed"
    run(tmp_path / "env" / "bin" / "python", "-c", "import pandas, tensorflow", cwd=tmp_path)
    assert "Nothing to do" in run(*tfsetup, "apply", "--locked", "--env", tmp_path / "env", "--yes", cwd=tmp_path).stdout
