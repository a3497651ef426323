"""The command line with real TensorFlow: make, change, interrupt, take back; and the plan against the deed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import make_wheel, snapshot

pytestmark = pytest.mark.real

RELEASE = "2.21.0"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
OPTIONS = ["--tensorflow", RELEASE, "--python", PYTHON, "--device", "cpu"]


def tfsetup(*argv: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "provisioner", *argv], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def distributions(env: Path) -> dict[str, str]:
    """Ask the environment's own Python what is installed."""
    ask = "import importlib.metadata as m, json; print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
    found = json.loads(subprocess.run([f"{env}/bin/python", "-I", "-c", ask], capture_output=True, text=True, check=True).stdout)
    return {name.lower().replace("_", "-"): version for name, version in found.items()}


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One environment that apply made, in a place with blanks and other letters."""
    path = tmp_path_factory.mktemp("real") / "mein Labor ü" / "tf"
    plan = json.loads(tfsetup("plan", *OPTIONS, "--env", str(path), "--json").stdout)
    assert not path.exists(), "a plan changes nothing"
    done = tfsetup("apply", *OPTIONS, "--env", str(path), "--yes", "--json")
    document = json.loads(done.stdout)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert document["schema"] == "tfsetup/apply/1"
    assert document["changed"]
    assert [event["stage"] for event in events if event["event"] == "start"] == ["create", "install", "verify"]
    # Plan equals deed: exactly the packages that were planned are there, and they take the room that was said.
    assert distributions(path) == {item["name"]: item["version"] for item in plan["packages"]}
    used = sum(item.stat().st_size for item in path.rglob("*") if item.is_file() and not item.is_symlink() and ".tfsetup" not in item.parts)
    assert used == pytest.approx(plan["disk"], rel=0.02)
    return path


def test_applied_again_nothing_changes(env: Path) -> None:
    before = snapshot(env)
    done = tfsetup("apply", *OPTIONS, "--env", str(env))
    assert "Nothing to do" in done.stdout
    assert snapshot(env) == before
    assert tfsetup("plan", *OPTIONS, "--env", str(env), "--exit-code").returncode == 0


def test_verify_proves_it_and_writes_nothing(env: Path) -> None:
    before = snapshot(env)
    document = json.loads(tfsetup("verify", "--env", str(env), "--json").stdout)
    assert document["passed"]
    checks = {check["name"]: check["status"] for check in document["checks"]}
    assert all(
        checks[name] == "passed" for name in ("import", "matmul", "convolution", "function", "xla", "keras-fit", "save-load", "integrity")
    )
    assert snapshot(env) == before


def test_a_gpu_that_is_not_there_fails_only_when_it_is_required(env: Path) -> None:
    done = tfsetup("verify", "--env", str(env), "--require", "gpu", "--json", code=14)
    assert json.loads(done.stdout)["findings"][0]["severity"] == "error"


def test_an_environment_of_ones_own_is_mended_and_comes_back(tmp_path: Path) -> None:
    """What people have: today's packages under an older TensorFlow, a rival in the same folder, something of their own."""
    env = tmp_path / "old"
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "tensorflow-gpu", "2.11.0", {"tensorflow/gpu_only.py": "", "tensorflow/__init__.py": "raise ImportError\n"})
    make_wheel(wheels, "my-own", "1.0", {"my_own.py": "ANSWER = 42\n"})
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    target = ["--python", f"{env}/bin/python"]
    subprocess.run([*uv, "pip", "install", "-q", *target, "numpy<2", "protobuf<5", "six"], check=True)
    subprocess.run(
        [*uv, "pip", "install", "-q", *target, "--no-deps", "--find-links", str(wheels), "tensorflow-gpu==2.11.0", "my-own"], check=True
    )
    before = snapshot(env)
    plan = json.loads(tfsetup("plan", *OPTIONS, "--env", str(env), "--json").stdout)
    kept = {"my-own": "1.0", **plan["unchanged"]}
    assert {item["name"] for item in plan["removals"]} >= {"tensorflow-gpu", "protobuf"}
    tfsetup("apply", *OPTIONS, "--env", str(env), "--yes")
    assert distributions(env) == {**kept, **{item["name"]: item["version"] for item in plan["packages"]}}
    assert not list(env.rglob("gpu_only.py")) or all(".tfsetup" in path.parts for path in env.rglob("gpu_only.py"))
    subprocess.run([f"{env}/bin/python", "-B", "-c", "import my_own; assert my_own.ANSWER == 42"], check=True)
    tfsetup("undo", "--env", str(env), "--yes")
    assert snapshot(env) == before


@pytest.mark.parametrize(("number", "seconds", "code"), [(signal.SIGKILL, 0.9, -9), (signal.SIGINT, 4.0, 130), (signal.SIGTERM, 1.2, 130)])
def test_interrupted_it_is_not_there_and_the_next_run_goes_on(tmp_path: Path, number: int, seconds: float, code: int) -> None:
    env = tmp_path / "env"
    argv = [sys.executable, "-m", "provisioner", "apply", *OPTIONS, "--env", str(env), "--yes"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    os.kill(process.pid, number)
    _, words = process.communicate(timeout=60)
    assert process.returncode == code, words
    if number == signal.SIGKILL:
        # The empty file of the lock stays where a run was killed.
        left = [path.name for path in tmp_path.iterdir() if path.name != ".env.tfsetup-lock"]
        assert left in ([".env.tfsetup-new"], ["env"], [])
    else:
        assert list(tmp_path.iterdir()) == []
        assert "interrupted" in words.lower()
    tfsetup("undo", "--env", str(env), "--yes") if any(tmp_path.iterdir()) else None
    assert [path.name for path in tmp_path.iterdir() if path.name != ".env.tfsetup-lock"] == []


def test_undo_leaves_nothing(env: Path) -> None:
    """Last in the file: it takes the shared environment away."""
    folder = env.parent
    tfsetup("undo", "--env", str(env), "--yes")
    assert not folder.exists(), "the folder that was made for it goes too"
    assert folder.parent.exists()
