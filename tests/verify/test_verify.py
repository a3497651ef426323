"""The whole of ``verify`` with real interpreters, where TensorFlow's import does what a real one seldom does: die, hang, fail."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner import in_process
from provisioner.errors import InputError
from provisioner.report.verify_text import verification_text
from provisioner.verify import Expected
from tests.verify.support import SITE, causes, check, fake_tensorflow, install, make_env, run_verify, tree

TRACEBACKS = {
    "protobuf-incompatible": "raise TypeError('Descriptors cannot be created directly.\\nIf this call came from a _pb2.py file, …')",
    "numpy-incompatible": "raise AttributeError('_ARRAY_API not found')",
    "keras-incompatible": "import keras",
    "dependency-incompatible": "import absl",
    "glibc-too-old": "raise ImportError('/lib64/libm.so.6: version `GLIBC_2.27\\' not found (required by /x/framework.so.2)')",
    "install-corrupt": "raise ImportError('/x/_pywrap.so: file too short')",
    "permission-denied": "raise PermissionError(13, 'Permission denied', '/x/_pywrap.so')",
    "extension-abi-mismatch": "raise ImportError('/x/ops.so: undefined symbol: _ZN10tensorflow6Status')",
    "cuda-libs-missing": "raise ImportError('libcublas.so.10.0: cannot open shared object file: No such file or directory')",
    "unknown": "raise RuntimeError('nobody knows this one')",
}


@pytest.fixture
def env(tmp_path):
    return make_env(tmp_path / "env")


@pytest.mark.parametrize("cause", TRACEBACKS)
def test_import_failures_have_their_cause(env, cause):
    fake_tensorflow(env, TRACEBACKS[cause])
    found = run_verify(env)
    assert not found.passed
    assert causes(found, "error") == [cause]
    assert check(found, "import")[0] == "failed"
    assert check(found, "keras-fit") == ("skipped", "not run: the import failed")
    assert found.tensorflow == "2.99.0"


def test_nothing_installed(env):
    found = run_verify(env)
    assert (causes(found), found.tensorflow, found.device) == (["tf-not-installed"], "", "")


def test_an_empty_folder_is_no_tensorflow(env):
    (env / SITE / "tensorflow").mkdir(parents=True)
    assert causes(run_verify(env)) == ["install-corrupt"]


@pytest.mark.parametrize(
    ("number", "cause", "words"),
    [
        ("SIGILL", "cpu-no-avx", ""),
        ("SIGSEGV", "unknown", "check import crashed: the process was ended by SIGSEGV"),
        ("SIGKILL", "unknown", "lack of memory"),
    ],
)
def test_signals_are_findings_of_the_check_that_ran(env, number, cause, words):
    fake_tensorflow(env, f"import os, signal\nos.kill(os.getpid(), signal.{number})")
    found = run_verify(env)
    assert check(found, "import") == ("crashed", f"the process was ended by {number}")
    assert check(found, "matmul") == ("skipped", f"not run: the process was ended by {number}")
    (finding,) = [item for item in found.findings if item.severity == "error"]
    assert finding.cause == cause
    assert words in finding.title
    if number == "SIGSEGV":
        assert any("Segmentation fault" in item.seen for item in finding.evidence)


def test_a_crash_that_says_why(env):
    text = "The TensorFlow library was compiled to use AVX instructions, but these aren't available on your machine."
    fake_tensorflow(env, f"import os, sys\nsys.stderr.write({text!r})\nsys.stderr.flush()\nos.abort()")
    found = run_verify(env)
    (finding,) = [item for item in found.findings if item.severity == "error"]
    assert (finding.cause, finding.confidence) == ("cpu-no-avx", "certain")


@pytest.mark.slow
def test_a_hang_is_a_finding_with_the_stack(env):
    fake_tensorflow(env, "import time\ntime.sleep(600)")
    found = run_verify(env, timeout=2.5)
    assert check(found, "import") == ("timed out", "no answer within 2 s")
    (finding,) = [item for item in found.findings if item.severity == "error"]
    assert "check import was still running after 2 s" in finding.title
    assert any("tensorflow/__init__.py" in item.seen.replace(os.sep, "/") for item in finding.evidence)


def test_leaving_without_a_word(env):
    fake_tensorflow(env, "import os\nos._exit(7)")
    found = run_verify(env)
    assert check(found, "import") == ("crashed", "the process ended with exit code 7")
    assert not found.passed


def test_noise_on_stdout_does_not_matter(env):
    noise = "import os\nprint('@ {}', flush=True)\nos.write(1, bytes([0x80, 0xff]))\n"
    fake_tensorflow(env, noise + "raise OSError(28, 'No space left on device')")
    assert causes(run_verify(env)) == ["disk-full"]


def test_an_interpreter_that_does_not_start(env):
    found_python = env / "bin" / "python"
    found_python.unlink()
    with pytest.raises(InputError, match="cannot be started"):
        run_verify(env)
    found_python.write_text("#!/bin/sh\necho 'Fatal Python error: no encodings' >&2\nexit 1\n")
    found_python.chmod(0o755)
    found = run_verify(env)
    assert [item.title for item in found.findings] == ["The interpreter did not start: the process ended with exit code 1"]
    assert check(found, "requirements")[0] == "could not tell"


def test_nothing_is_written_and_the_temporary_folder_goes(env, tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    fake_tensorflow(env, "import helper\nraise ImportError('stop')")
    install(env, "helper", "1", {"helper.py": "import os\nprint(os.getcwd())\n"})
    before = tree(env)
    said: list[str] = []
    run_verify(env, said=said)
    assert tree(env) == before
    assert list(temporary.iterdir()) == []
    assert said[0] == "importing TensorFlow in a process of its own"


def test_the_users_folder_does_not_matter_but_the_users_variables_do(env, tmp_path, monkeypatch):
    fake_tensorflow(env, "import colorsys, helper\nraise ImportError('stop')")
    install(env, "helper", "1", {"helper/__init__.py": ""})
    here = tmp_path / "project"
    here.mkdir()
    (here / "colorsys.py").write_text("raise RuntimeError('the wrong one')")
    assert causes(run_verify(env)) == ["unknown"]
    monkeypatch.setenv("PYTHONPATH", str(here))
    (here / "colorsys.py").write_text("x = 1\n")
    found = run_verify(env)
    assert causes(found, "error")[0] == "module-shadowed"
    evidence = found.findings[0].evidence[0]
    assert evidence.where == str(here / "colorsys.py")
    assert "PYTHONPATH" in evidence.seen
    shutil.copytree(env / SITE / "helper", here / "helper")
    (here / "colorsys.py").unlink()
    found = run_verify(env)
    assert causes(found, "error")[0] == "environment-leak"
    assert found.findings[0].evidence[0].where == str(here / "helper" / "__init__.py")


def test_damage_comes_before_what_it_causes(env):
    fake_tensorflow(env, "import helper.inner\n")
    install(env, "helper", "1", {"helper/__init__.py": "", "helper/inner.py": ""})
    (env / SITE / "helper" / "inner.py").unlink()
    found = run_verify(env)
    assert causes(found, "error")[0] == "install-corrupt"
    assert found.findings[0].evidence[0].where.endswith("helper/inner.py")
    assert check(found, "integrity")[0] == "failed"


def test_requirements_and_plan(env):
    fake_tensorflow(env, "raise AttributeError('_ARRAY_API not found')")
    install(env, "numpy", "2.1.0", {"numpy/__init__.py": ""})
    install(env, "user", "1.0", {"user.py": ""}, requires=("numpy<2", "absent"))
    found = run_verify(env, expected=Expected(tensorflow="2.99.0", packages={"tensorflow": "2.99.0", "numpy": "1.26.4", "gone": "1"}))
    numpy = next(item for item in found.findings if item.cause == "numpy-incompatible")
    assert (numpy.severity, numpy.confidence) == ("error", "certain")
    seen = [item.seen for item in numpy.evidence]
    assert "numpy 2.1.0 is installed, the plan has 1.26.4" in seen
    assert "user 1.0 requires numpy<2, but numpy 2.1.0 is installed" in seen
    assert check(found, "plan") == ("failed", "1 of 3 packages as planned; different: gone, numpy")
    assert "user 1.0 requires absent" in next(item for item in found.findings if item.cause == "dependency-incompatible").evidence[0].seen


def test_rivals(env):
    fake_tensorflow(env, "raise ImportError('stop')")
    install(env, "tensorflow-cpu", "2.98.0", {"tensorflow/__init__.py": "raise ImportError('stop')"})
    found = run_verify(env)
    assert causes(found, "error")[0] == "conflicting-tf-packages"
    assert {item.seen for item in found.findings[0].evidence} == {
        "tensorflow 2.99.0 owns the tensorflow folder",
        "tensorflow-cpu 2.98.0 owns the tensorflow folder",
    }


def test_a_gpu_is_required_of_a_cpu_build(env):
    fake_tensorflow(env, "raise ImportError('stop')")
    found = run_verify(env, require_gpu=True)
    assert "cpu-only-build" in causes(found, "error")
    assert check(found, "gpu") == ("failed", "this build uses no GPU")
    assert check(found, "libraries") == ("skipped", "a CPU build opens no GPU libraries")


def test_the_text_names_everything(env):
    fake_tensorflow(env, TRACEBACKS["protobuf-incompatible"])
    text = verification_text(run_verify(env), verbose=False)
    assert "x failed" in text
    assert "ERROR protobuf-incompatible (certain): protobuf does not fit this TensorFlow" in text
    assert f"$ tfsetup fix --env {env}" in text
    assert text.endswith("Result: failed; first cause: protobuf-incompatible, protobuf does not fit this TensorFlow")


@pytest.mark.parametrize("name", ["_inspect.py", "_interpreter.py", "_tensorflow.py", "_kernels.py", "_libraries.py"])
def test_target_scripts_parse_on_old_interpreters(name):
    text = Path(in_process.script(name)).read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 6))


def test_ctrl_c_ends_the_child(env, tmp_path):
    """The child is gone and so is the temporary folder, though it would have slept for ten minutes."""
    pid = tmp_path / "pid"
    fake_tensorflow(env, f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)")
    code = "from tests.verify.support import run_verify\nfrom pathlib import Path\nimport sys\nrun_verify(Path(sys.argv[1]), timeout=500)"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(["tests", "."])}
    child = subprocess.Popen([sys.executable, "-c", code, str(env)], env=environment, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2])
    try:
        deadline = 200
        while not (pid.exists() and pid.read_text()) and deadline:
            deadline -= 1
            signal.sigtimedwait([], 0.05)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=20)
    finally:
        child.kill()
    assert not Path(f"/proc/{pid.read_text()}").exists()
    assert list(temporary.iterdir()) == []
