"""Which CUDA libraries the real loader finds: small libraries with the right names beside one that opens them as TensorFlow's does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.model.catalogue import CudaBuild
from provisioner.verify import Expected, surroundings
from tests.verify.support import SITE, causes, check, fake_tensorflow, make_env, run_verify

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the loader of Linux is asked")

SOURCES = {
    "cuda_runtime/lib/libcudart.so.12": "int cudaRuntimeGetVersion(int *v) { *v = 12050; return 0; }",
    "cublas/lib/libcublasLt.so.12": "int cublasLtGetProperty(int k, int *v) { *v = k + 12; return 0; }",
    "cublas/lib/libcublas.so.12": "int cublasGetProperty(int k, int *v) { *v = k == 0 ? 12 : k; return 0; }",
    "cudnn/lib/libcudnn.so.9": "#include <stddef.h>\nsize_t cudnnGetVersion(void) { return 91002; }",
    "cusolver/lib/libcusolver.so.11": "int nothing;",
}
# As in 2.21.0: nvidia/cusolver/lib is not on the path.
RUNPATH = ("cuda_runtime", "cublas", "cudnn")
DRIVER = (
    "int cuInit(int f) {{ return {code}; }}\nint cuDeviceGetCount(int *n) {{ *n = {gpus}; return 0; }}\n"
    'int cuGetErrorName(int c, const char **t) {{ *t = c ? "CUDA_ERROR_X" : "CUDA_SUCCESS"; return 0; }}\n'
    "int cuDriverGetVersion(int *v) {{ *v = {version}; return 0; }}\n"
)
CUDA = CudaBuild(
    version="12.5.1",
    cudnn="9.3.0",
    capabilities=("sm_80",),
    must_open=("libcudart.so.12", "libcublas.so.12", "libcusolver.so.11", "libcudnn.so.9"),
    may_open=(),
    driver="525.60.13",
)


def compile_library(source: str, target: Path, *flags: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    code = target.with_suffix(".c")
    code.write_text(source)
    command = ["cc", "-shared", "-fPIC", "-o", str(target), str(code), f"-Wl,-soname,{target.name}", *flags]
    subprocess.run(command, check=True, capture_output=True)
    code.unlink()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The packages with libraries, compiled once; they find each other by their own place, so a copy works as well."""
    site = tmp_path_factory.mktemp("compiled")
    for name, source in SOURCES.items():
        needs = (
            [f"-L{site / 'nvidia/cublas/lib'}", "-l:libcublasLt.so.12", "-Wl,--no-as-needed"] if name.endswith("libcublas.so.12") else []
        )
        compile_library(source, site / "nvidia" / name, *reversed(needs), "-Wl,-rpath,$ORIGIN")
    path = ":".join(f"$ORIGIN/../nvidia/{name}/lib" for name in RUNPATH)
    source = (Path(__file__).parent / "loader" / "framework.c").read_text()
    compile_library(source, site / "tensorflow" / "libtensorflow_framework.so.2", f"-Wl,-rpath,{path}", "-Wl,--enable-new-dtags", "-ldl")
    return site


@pytest.fixture
def env(tmp_path, monkeypatch, compiled):
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    folder = make_env(tmp_path / "env")
    fake_tensorflow(folder, "raise ImportError('not to be imported here')", cuda=True)
    shutil.copytree(compiled, folder / SITE, dirs_exist_ok=True)
    return folder


def link_cusolver(env: Path) -> None:
    """What the plan does for 2.21.0."""
    (env / SITE / "nvidia/cublas/lib/libcusolver.so.11").symlink_to("../../cusolver/lib/libcusolver.so.11")


def table(found):
    return {item.soname: (item.version, item.required, item.inside, bool(item.path)) for item in found.libraries}


def test_a_library_that_is_there_but_not_where_it_is_looked_for(env):
    found = run_verify(env, expected=Expected(device="cuda"))
    assert table(found) == {
        "libcublas.so.12": ("12.1.2", True, True, True),
        "libcudart.so.12": ("12.5", True, True, True),
        "libcudnn.so.9": ("9.10.2", True, True, True),
        "libcusolver.so.11": ("", True, False, False),
        "libcublasLt.so.12": ("12.13.14", True, True, True),
        "libcuda.so.1": ("", False, False, False),
        "libnvshmem_host.so.3": ("", False, False, False),
    }
    assert check(found, "libraries") == ("failed", "4 of 5 required libraries found; missing: libcusolver.so.11")
    finding = next(item for item in found.findings if item.cause == "cuda-libs-missing")
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert finding.evidence[1].where == str(env / SITE / "nvidia/cusolver/lib/libcusolver.so.11")


def test_a_build_for_gpus_that_was_planned_for_the_cpu_needs_none_of_them(env):
    found = run_verify(env, expected=Expected(device="cpu", cuda=CUDA))
    assert check(found, "libraries")[0] == "skipped"
    assert "cuda-libs-missing" not in causes(found, "error")
    found = run_verify(env, expected=Expected(device="cpu", cuda=CUDA), require_gpu=True)
    assert check(found, "libraries")[0] == "failed"


def test_with_the_link_all_are_found_and_the_driver_is_not_proven(env):
    link_cusolver(env)
    found = run_verify(env, expected=Expected(device="cuda", cuda=CUDA))
    assert check(found, "libraries") == ("passed", "4 of 4 required libraries found")
    assert "cuda-libs-missing" not in causes(found)
    assert next(item.path for item in found.libraries if item.soname == "libcusolver.so.11").endswith("nvidia/cublas/lib/libcusolver.so.11")


def test_a_missing_dependency_is_named(env):
    link_cusolver(env)
    (env / SITE / "nvidia/cublas/lib/libcublasLt.so.12").unlink()
    found = run_verify(env, expected=Expected(device="cuda", cuda=CUDA))
    finding = next(item for item in found.findings if item.cause == "cuda-libs-missing")
    assert [item.seen for item in finding.evidence] == [
        "libcublas.so.12 is not found by TensorFlow's loader",
        "libcublasLt.so.12, which it needs, is not found",
    ]


def test_cudnn_missing_and_too_old(env):
    link_cusolver(env)
    library = env / SITE / "nvidia/cudnn/lib/libcudnn.so.9"
    compile_library("#include <stddef.h>\nsize_t cudnnGetVersion(void) { return 90100; }", library)
    found = run_verify(env, expected=Expected(device="cuda", cuda=CUDA))
    (finding,) = [item for item in found.findings if item.cause == "cudnn-version-mismatch"]
    assert finding.evidence[0].seen == "cuDNN 9.1.0 is loaded, TensorFlow was built with 9.3.0"
    library.unlink()
    assert "cudnn-missing" in causes(run_verify(env, expected=Expected(device="cuda", cuda=CUDA)), "error")


def test_a_library_from_outside_is_a_leak(env, tmp_path, monkeypatch):
    compile_library("int nothing;", tmp_path / "outside" / "libcusolver.so.11")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "outside"))
    found = run_verify(env, expected=Expected(device="cuda", cuda=CUDA))
    assert check(found, "libraries")[0] == "passed"
    leak = next(item for item in found.findings if item.cause == "environment-leak")
    assert (leak.severity, leak.evidence[0].where) == ("warning", str(tmp_path / "outside" / "libcusolver.so.11"))


@pytest.mark.parametrize(
    ("code", "version", "cause"),
    [
        (100, 12050, "gpu-not-visible"),
        (803, 12050, "driver-kernel-mismatch"),
        (2, 12050, "gpu-memory"),
        (999, 12050, "gpu-init-failed"),
        (34, 12050, "driver-missing"),
        (0, 11080, "driver-too-old"),
    ],
)
def test_what_the_driver_says(env, tmp_path, monkeypatch, code, version, cause):
    link_cusolver(env)
    compile_library(DRIVER.format(code=code, gpus=1, version=version), tmp_path / "driver" / "libcuda.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "driver"))
    found = run_verify(env, expected=Expected(device="cuda", cuda=CUDA), require_gpu=True)
    assert cause in causes(found, "error")
    assert "environment-leak" not in causes(found)
    relaxed = run_verify(env, expected=Expected(device="cuda", cuda=CUDA))
    assert cause not in causes(relaxed)


def test_a_crash_of_the_driver_is_not_a_crash_of_the_rest(env, tmp_path, monkeypatch):
    link_cusolver(env)
    source = DRIVER.format(code=0, gpus=1, version=12050).replace(
        "return 0; }\nint cuDeviceGetCount", "__builtin_trap(); }\nint cuDeviceGetCount"
    )
    compile_library(source, tmp_path / "driver" / "libcuda.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "driver"))
    found = run_verify(env, expected=Expected(device="cuda", cuda=CUDA))
    assert check(found, "libraries") == ("crashed", "the process was ended by SIGILL while opening cuInit")
    assert check(found, "import")[0] == "failed"


def test_a_truncated_library(env):
    link_cusolver(env)
    (env / SITE / "nvidia/cudnn/lib/libcudnn.so.9").write_bytes(b"\x7fELF")
    found = run_verify(env, expected=Expected(device="cuda", cuda=CUDA))
    assert "cudnn-missing" in causes(found, "error")


def test_what_only_a_gpu_needs_is_no_fault_where_there_is_none_and_none_was_asked_for(env):
    """A plain `pip install tensorflow` on a machine without a GPU."""
    found = run_verify(env, expected=Expected(cuda=CUDA))
    assert check(found, "libraries")[0] == "skipped"
    assert not {"cuda-libs-missing", "cudnn-missing"} & set(causes(found))
    assert "cuda-libs-missing" in causes(run_verify(env, expected=Expected(cuda=CUDA, device="cuda")), "error")


def test_toolkit(env, monkeypatch):
    monkeypatch.setattr(surroundings, "TOOLKITS", ())
    monkeypatch.setenv("PATH", "/nonexistent")
    meant = Expected(device="cuda")
    assert "cuda-toolkit-incomplete" in causes(run_verify(env, expected=meant), "warning")
    # What only a GPU needs is no fault where there is none and none was asked for.
    assert check(run_verify(env), "toolkit")[0] == "skipped"
    for name in ("bin/ptxas", "nvvm/libdevice/libdevice.10.bc"):
        target = env / SITE / "nvidia/cuda_nvcc" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("x")
    found = run_verify(env, expected=meant)
    assert check(found, "toolkit")[0] == "passed"
    assert "cuda-toolkit-incomplete" not in causes(found)


def test_tools_that_this_tensorflow_does_not_look_for(env, monkeypatch):
    """Before 2.14 nvidia/cuda_nvcc counts only where the process has been told of it."""
    monkeypatch.setattr(surroundings, "TOOLKITS", ())
    monkeypatch.setenv("PATH", "/nonexistent")
    tools = env / SITE / "nvidia/cuda_nvcc"
    for name in ("bin/ptxas", "nvvm/libdevice/libdevice.10.bc"):
        (tools / name).parent.mkdir(parents=True, exist_ok=True)
        (tools / name).write_text("x")
    old = Expected(device="cuda", cuda=replace(CUDA, finds_tools=False))
    assert "cuda-toolkit-incomplete" in causes(run_verify(env, expected=old), "warning")
    monkeypatch.setenv("XLA_FLAGS", f'--xla_dump_to=/tmp/x --xla_gpu_cuda_data_dir="{tools}"')
    assert check(run_verify(env, expected=old), "toolkit") == ("passed", f"{tools}/bin/ptxas, {tools}/nvvm/libdevice/libdevice.10.bc")


def test_a_framework_that_is_no_library(env):
    (env / SITE / "tensorflow/libtensorflow_framework.so.2").write_text("nothing")
    found = run_verify(env, expected=Expected(device="cuda"))
    assert check(found, "libraries")[0] == "crashed"
    assert not found.passed
