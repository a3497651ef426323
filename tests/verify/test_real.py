"""``verify`` on a real TensorFlow: whole, and broken in the ways in which environments break."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from provisioner import in_process
from provisioner.verify import Expected
from tests.verify.support import causes, check, run_verify, tree

pytestmark = pytest.mark.real

TENSORFLOW = "2.21.0"
COMPUTED = ("import", "versions", "devices", "matmul", "convolution", "function", "xla", "keras-fit", "save-load", "saved-model")


def uv_run(*argv: str) -> None:
    subprocess.run([uv.find_uv_bin(), *argv, "--quiet"], check=True, env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"})


def make(folder: Path, python: str, *packages: str) -> Path:
    uv_run("venv", str(folder), "--python", python)
    for item in packages:
        uv_run("pip", "install", "--python", str(folder / "bin" / "python"), item)
    return folder


def site(env: Path) -> Path:
    return next(env.glob("lib/python3*/site-packages"))


@pytest.fixture(scope="session")
def healthy(tmp_path_factory):
    env = make(tmp_path_factory.mktemp("real") / "env", sys.executable, f"tensorflow-cpu=={TENSORFLOW}")
    # Bytecode once: each of the imports that follow then takes half the time.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([str(env / "bin" / "python"), "-c", "import tensorflow"], check=True, capture_output=True, env=environment)
    return env


@pytest.fixture
def copy(healthy, tmp_path):
    """A copy by hard links, a matter of a second. Its files are uv's cache's too: replace them, never write into them."""
    target = tmp_path / "env"
    shutil.copytree(healthy, target, copy_function=os.link, symlinks=True)
    return target


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_a_whole_environment_computes_and_stays_as_it_is(healthy):
    before = tree(healthy)
    expected = Expected(tensorflow=TENSORFLOW, packages={"tensorflow-cpu": TENSORFLOW}, device="cpu")
    found = run_verify(healthy, expected=expected)
    assert {name: check(found, name)[0] for name in COMPUTED} == dict.fromkeys(COMPUTED, "passed")
    assert check(found, "integrity")[0] == check(found, "requirements")[0] == check(found, "plan")[0] == "passed"
    assert check(found, "gpu")[0] == check(found, "libraries")[0] == "skipped"
    assert (found.passed, found.tensorflow, found.device, causes(found)) == (True, TENSORFLOW, "cpu", [])
    assert [item.cause for item in found.findings] == ["harmless-message"]
    assert tree(healthy) == before


def test_a_truncated_library(copy):
    path = site(copy) / "tensorflow" / "libtensorflow_framework.so.2"
    replace(path, path.read_bytes()[:1_000_000])
    found = run_verify(copy)
    assert causes(found, "error")[0] == "install-corrupt"
    assert str(path.name) in {Path(item.where).name for item in found.findings[0].evidence}
    assert check(found, "import")[0] in {"failed", "crashed"}


def test_a_removed_source_file(copy):
    (site(copy) / "tensorflow" / "python" / "framework" / "dtypes.py").unlink()
    found = run_verify(copy)
    assert causes(found, "error")[0] == "install-corrupt"
    assert found.findings[0].evidence[0].where.endswith("tensorflow/python/framework/dtypes.py")


def test_protobuf_too_old(copy):
    uv_run("pip", "install", "--python", str(copy / "bin" / "python"), "protobuf==5.29.5")
    found = run_verify(copy)
    assert causes(found, "error") == ["protobuf-incompatible"]
    seen = " ".join(item.seen for item in found.findings[0].evidence)
    assert "VersionError" in seen
    assert "but protobuf 5.29.5 is installed" in seen


def test_numpy_too_new(tmp_path):
    python = shutil.which("python3.11") or next(map(str, Path.home().glob(".pyenv/versions/3.11.*/bin/python3")), "")
    if not python:
        pytest.skip("TensorFlow 2.15 needs Python 3.11")
    env = make(tmp_path / "env", python, "tensorflow-cpu==2.15.1", "numpy==2.1.3")
    found = run_verify(env)
    assert causes(found, "error") == ["numpy-incompatible"]
    assert check(found, "import")[0] in {"failed", "crashed"}


def test_a_crash_belongs_to_the_check_that_ran(copy):
    path = site(copy) / "keras" / "src" / "saving" / "saving_lib.py"
    source = path.read_text()
    broken = source.replace(
        "def save_model(", "def save_model(*_, **__):\n    import os\n    os.kill(os.getpid(), 11)\n\n\ndef _save_model("
    )
    replace(path, broken.encode())
    found = run_verify(copy)
    assert check(found, "keras-fit")[0] == "passed"
    assert check(found, "save-load") == ("crashed", "the process was ended by SIGSEGV")
    assert check(found, "saved-model") == ("skipped", "not run: the process was ended by SIGSEGV")
    assert {item.cause for item in found.findings if item.severity == "error"} == {"install-corrupt", "unknown"}
    assert not found.passed


def test_pythonpath_brings_in_a_package(healthy, tmp_path, monkeypatch):
    outside = tmp_path / "outside"
    shutil.copytree(site(healthy) / "wrapt", outside / "wrapt")
    monkeypatch.setenv("PYTHONPATH", str(outside))
    found = run_verify(healthy)
    assert causes(found) == ["environment-leak"]
    assert found.findings[0].evidence[0].where == str(outside / "wrapt" / "__init__.py")
    assert found.passed


def test_the_gpu_half_rehearsed_on_two_processors(healthy, tmp_path):
    """The code that compares each GPU with the CPU and sums over all of them, on logical CPU devices (nothing here has a GPU)."""
    out = tmp_path / "out"
    probe = Path(in_process.script("_tensorflow.py"))
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [str(healthy / "bin" / "python"), str(probe), "--out", str(out), "--rehearse", "2"]
    subprocess.run(argv, check=True, capture_output=True, env=environment)
    events = [json.loads(line.partition(" ")[2]) for line in out.read_text().splitlines()]
    ended = {(event["check"], event["device"]): event for event in events if event["event"] == "end"}
    for device in ("CPU:0", "CPU:1"):
        for name in ("matmul", "convolution", "function", "xla", "keras-fit"):
            event = ended[name, device]
            assert event["status"] == "passed", event
            assert "differs from the CPU by" in event["detail"]
    assert ended["nccl", ""]["detail"].startswith("2 devices: ")
    assert events[-1]["event"] == "done"
