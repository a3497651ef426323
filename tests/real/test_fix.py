"""`tfsetup fix` with real TensorFlow: faults that people have, mended by the smallest repair, and brought back byte for byte."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.test_apply import distributions, tfsetup
from tests.support import snapshot

pytestmark = pytest.mark.real

RELEASE = "2.15.1"
UV = [sys.executable, "-m", "uv"]
SITE = "lib/python3.11/site-packages"


def pip(env: Path, *names: str) -> None:
    subprocess.run([*UV, "pip", "install", "-q", "--python", f"{env}/bin/python", *names], check=True)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user of today has: TensorFlow as the index gives it, and something of their own."""
    env = tmp_path_factory.mktemp("healthy") / "env"
    # Its scripts find their Python by their own place, so each copy is whole.
    subprocess.run([*UV, "venv", "-q", "--relocatable", "--python", "3.11", str(env)], check=True)
    pip(env, f"tensorflow-cpu=={RELEASE}", "numpy<2", "pandas<2.2")
    return env


def numpy_2(env: Path) -> None:
    pip(env, "--no-deps", "numpy==2.1.0")


def keras_3(env: Path) -> None:
    pip(env, "--no-deps", "keras==3.3.3")


def gpu_package(env: Path) -> None:
    pip(env, "--no-deps", f"tensorflow=={RELEASE}")


def half_a_file(env: Path) -> None:
    path = env / SITE / "tensorflow" / "python" / "framework" / "ops.py"
    text = path.read_text()
    path.unlink()
    path.write_text(text[: len(text) // 2])


def no_python(env: Path) -> None:
    (env / "bin" / "python").unlink()
    (env / "bin" / "python").symlink_to("/gone/bin/python3")


@pytest.mark.parametrize("fault", [numpy_2, keras_3, gpu_package, half_a_file, no_python])
def test_the_small_repair_mends_it_and_undo_brings_the_fault_back(tmp_path: Path, healthy: Path, fault: Callable[[Path], None]) -> None:
    env = tmp_path / "env"
    shutil.copytree(healthy, env, symlinks=True)
    others = {name: version for name, version in distributions(env).items() if name in {"pandas", "pytz", "python-dateutil", "tzdata"}}
    fault(env)
    before = snapshot(env)
    document = json.loads(tfsetup("fix", "--env", str(env), "--yes", "--json").stdout)
    assert document["outcome"] == "mended"
    assert [item["kind"] for item in document["attempts"]] == ["repair"]
    now = distributions(env)
    assert {name: now[name] for name in others} == others
    tfsetup("verify", "--env", str(env))
    tfsetup("undo", "--env", str(env), "--yes")
    assert snapshot(env) == before


def test_a_healthy_one_is_left_alone(healthy: Path) -> None:
    before = snapshot(healthy)
    assert "is healthy" in tfsetup("fix", "--env", str(healthy), "--yes").stdout
    assert snapshot(healthy) == before
