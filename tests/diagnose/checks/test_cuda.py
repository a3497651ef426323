"""CUDA's libraries: what the loader would take of files compiled here, and what TensorFlow's own loader has answered."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from provisioner.diagnose import cuda_files
from provisioner.diagnose.checks.cuda import CHECKS
from tests.diagnose import cases
from tests.facts.test_elf_links import compile_library, needs_compiler

RELEASE = "2.15.1"
SITE = "lib/python3.11/site-packages"
# Where each library of the profile lies in NVIDIA's wheels.
FOLDERS = {"cudart": "cuda_runtime", "cublasLt": "cublas", "cupti": "cuda_cupti", "nvrtc": "cuda_nvrtc"}


def found(case, *names: str):
    said, findings = cases.run(case, *(spec for spec in CHECKS if not names or spec.name in names))
    return said, {finding.cause: finding for finding in findings}


def cudart(number: int = 12020) -> str:
    return f"int cudaRuntimeGetVersion(int *v) {{ *v = {number}; return 0; }}"


def header(version: str) -> str:
    return "".join(
        f"#define CUDNN_{name} {part}\n" for name, part in zip(("MAJOR", "MINOR", "PATCHLEVEL"), version.split("."), strict=True)
    )


def nvidia(env: Path, soname: str, *, cudnn: str = "8.9.4") -> Path:
    """A library as NVIDIA's wheel has it."""
    kind = cuda_files.stem(soname)
    path = env / SITE / "nvidia" / FOLDERS.get(kind, kind) / "lib" / soname
    compile_library(path, cudart() if kind == "cudart" else "int x;", "-O1", f"-Wl,-soname,{soname}")
    if kind == "cudnn":
        include = path.parent.parent / "include"
        include.mkdir(exist_ok=True)
        (include / "cudnn_version.h").write_text(header(cudnn))
    return path


def installed(env: Path, name: str, version: str, *records: tuple[str, int]) -> None:
    folder = env / SITE / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    (folder / "RECORD").write_text("".join(f"{path},sha256=x,{size}\n" for path, size in records))


@pytest.fixture(name="env")
def _env(whole: Path, tmp_path: Path) -> Path:
    """A copy of the environment that a test may break."""
    return Path(shutil.copytree(whole, tmp_path / "env", symlinks=True))


@pytest.fixture(name="whole", scope="module")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CUDA environment of 2.15: its libraries are empty ones with the right names, RUNPATH as TensorFlow's."""
    env = tmp_path_factory.mktemp("whole") / "env"
    cuda = cases.make(cases.host("debian-12")[1], RELEASE).build.cuda
    package = env / SITE / "tensorflow"
    folders = sorted({FOLDERS.get(cuda_files.stem(name), cuda_files.stem(name)) for name in cuda.must_open} | {"nvjitlink"})
    runpath = ":".join(f"$ORIGIN/../nvidia/{folder}/lib" for folder in folders)
    compile_library(package / "libtensorflow_framework.so.2", "int x;", f"-Wl,--enable-new-dtags,-rpath,{runpath}")
    build_info = package / "python/platform/build_info.py"
    build_info.parent.mkdir(parents=True)
    build_info.write_text("build_info = {'is_cuda_build': True}\n")
    installed(env, "tensorflow", RELEASE)
    for pin in cuda.requirements:
        installed(env, *pin.split("=="))
    for soname in (*cuda.must_open, *cuda.may_open, "libnvrtc.so.12"):
        nvidia(env, soname)
    for link in cuda.links:
        (env / SITE / link.path).symlink_to(link.target)
    tools = env / SITE / "nvidia/cuda_nvcc"
    for name in ("bin/ptxas", "nvvm/libdevice/libdevice.10.bc"):
        (tools / name).parent.mkdir(parents=True, exist_ok=True)
        (tools / name).write_text("")
    return env


@needs_compiler
def test_a_whole_environment_is_healthy(env: Path) -> None:
    said, findings = found(cases.on_disk(env, RELEASE))
    assert not findings
    assert said["cuda-libraries"] == "7 of 7 required libraries found where TensorFlow's loader looks"
    case = cases.on_disk(env, RELEASE)
    versions = {copy.soname: copy.version for copy in cuda_files.required(case, cuda_files.loader_of(case))}
    assert versions["libcudart.so.12"] == "12.2"
    assert versions["libcudnn.so.8"] == "8.9.4"
    assert versions["libcublas.so.12"] == "12.2.5.6"


@needs_compiler
@pytest.mark.parametrize(
    ("soname", "package", "cause"),
    [
        ("libcudnn.so.8", "nvidia-cudnn-cu12", "cudnn-missing"),
        ("libcufft.so.11", "nvidia-cufft-cu12", "cuda-libs-missing"),
        ("libcublasLt.so.12", "nvidia-cublas-cu12", "cuda-libs-missing"),
    ],
)
def test_a_package_that_is_gone_is_put_back(env: Path, soname: str, package: str, cause: str) -> None:
    for folder in (env / SITE).glob(f"{package.replace('-', '_')}-*.dist-info"):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    next((env / SITE).glob(f"nvidia/*/lib/{soname}")).unlink()
    _, findings = found(cases.on_disk(env, RELEASE))
    assert (findings[cause].severity, findings[cause].confidence) == ("error", "certain")
    assert [(repair.kind, repair.name) for repair in findings[cause].repairs] == [("restore", package)]
    assert soname in findings[cause].evidence[0].seen


@needs_compiler
def test_nothing_is_missing_where_no_gpu_is_and_none_is_meant(env: Path) -> None:
    for folder in (env / SITE).glob("nvidia_*.dist-info"):
        folder.rename(folder.with_suffix(".away"))
    (env / SITE / "nvidia").rename(env / "away")
    said, findings = found(cases.on_disk(env, RELEASE))
    assert not findings
    assert "no NVIDIA GPU answers" in said["cuda-libraries"]
    _, findings = found(cases.on_disk(env, RELEASE, machine="h100"))
    assert {"cudnn-missing", "cuda-libs-missing"} <= findings.keys()
    assert findings["cudnn-missing"].repairs == ()
    assert findings["cudnn-missing"].remedy.steps[0] == f"uv pip install --python {env}/bin/python nvidia-cudnn-cu12==8.9.4.25"


@needs_compiler
def test_a_copy_outside_that_library_path_puts_first(env: Path, tmp_path: Path) -> None:
    outer = compile_library(tmp_path / "cuda/lib64/libcudnn.so.8", "int x;", "-Wl,-soname,libcudnn.so.8")
    (tmp_path / "cuda/include").mkdir()
    (tmp_path / "cuda/include/cudnn_version.h").write_text(header("8.6.0"))
    variables = {"LD_LIBRARY_PATH": f"{outer.parent}:/opt/other"}
    _, findings = found(cases.on_disk(env, RELEASE, variables=variables))
    leak = findings["environment-leak"]
    assert leak.severity == "error"
    assert [evidence.where for evidence in leak.evidence] == [str(outer), str(env / SITE / "nvidia/cudnn/lib/libcudnn.so.8")]
    assert "8.6.0" in leak.evidence[0].seen
    assert "8.9.4" in leak.evidence[1].seen
    assert leak.remedy.steps == ("export LD_LIBRARY_PATH=/opt/other",)
    assert "cuDNN 8.6.0 is found" in findings["cudnn-version-mismatch"].evidence[0].seen
    assert leak.repairs == findings["cudnn-version-mismatch"].repairs == ()


@needs_compiler
def test_a_fitting_copy_outside_is_a_leak_and_no_mismatch(env: Path, tmp_path: Path) -> None:
    outer = compile_library(tmp_path / "lib/libcufft.so.11", "int x;", "-Wl,-soname,libcufft.so.11")
    _, findings = found(cases.on_disk(env, RELEASE, variables={"LD_LIBRARY_PATH": str(outer.parent)}))
    assert {cause: finding.severity for cause, finding in findings.items()} == {"environment-leak": "warning"}
    assert findings["environment-leak"].remedy.steps == ("unset LD_LIBRARY_PATH",)


@needs_compiler
def test_an_older_cudnn_in_the_environment(env: Path) -> None:
    (env / SITE / "nvidia/cudnn/include/cudnn_version.h").write_text(header("8.6.0"))
    _, findings = found(cases.on_disk(env, RELEASE))
    assert findings.keys() == {"cudnn-version-mismatch"}
    (repair,) = findings["cudnn-version-mismatch"].repairs
    assert (repair.kind, repair.name, repair.version) == ("restore", "nvidia-cudnn-cu12", "8.9.4.25")


@needs_compiler
def test_an_older_cuda_in_the_environment(env: Path) -> None:
    path = env / SITE / "nvidia/cuda_runtime/lib/libcudart.so.12"
    path.unlink()
    compile_library(path, cudart(12000), "-O1", "-Wl,-soname,libcudart.so.12")
    _, findings = found(cases.on_disk(env, RELEASE))
    assert findings["cuda-version-mismatch"].severity == "warning"
    assert "CUDA 12.0 is found" in findings["cuda-version-mismatch"].evidence[0].seen


@needs_compiler
def test_another_major_of_cudnn_instead(env: Path) -> None:
    (env / SITE / "nvidia/cudnn/lib/libcudnn.so.8").unlink()
    nvidia(env, "libcudnn.so.9", cudnn="9.1.0")
    next((env / SITE).glob("nvidia_cudnn_cu12-*")).rename(env / SITE / "nvidia_cudnn_cu12-9.1.0.70.dist-info")
    _, findings = found(cases.on_disk(env, RELEASE))
    finding = findings["cudnn-version-mismatch"]
    assert [(repair.kind, repair.name, repair.version) for repair in finding.repairs] == [("restore", "nvidia-cudnn-cu12", "8.9.4.25")]
    said = "\n".join(evidence.seen for evidence in finding.evidence)
    assert "libcudnn.so.9 9.1.0 is there instead" in said
    assert "built with CUDA 12.2 and cuDNN 8.9" in said


@needs_compiler
def test_another_major_of_cuda_of_the_system(tmp_path: Path, env: Path) -> None:
    for folder in (env / SITE).glob("nvidia_*.dist-info"):
        folder.rename(folder.with_suffix(".away"))
    (env / SITE / "nvidia").rename(env / "away")
    old = compile_library(tmp_path / "cuda/lib64/libcudart.so.11.0", cudart(11020), "-O1", "-Wl,-soname,libcudart.so.11.0")
    _, findings = found(cases.on_disk(env, RELEASE, machine="h100", variables={"LD_LIBRARY_PATH": str(old.parent)}))
    finding = findings["cuda-version-mismatch"]
    assert any(evidence.where == str(old) and "11.2" in evidence.seen for evidence in finding.evidence)
    assert finding.repairs == ()


@needs_compiler
@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"<!DOCTYPE html>"])
def test_a_damaged_library_is_put_back(env: Path, content: bytes) -> None:
    path = env / SITE / "nvidia/cufft/lib/libcufft.so.11"
    path.unlink()
    path.write_bytes(content)
    _, findings = found(cases.on_disk(env, RELEASE))
    assert findings.keys() == {"install-corrupt"}
    assert findings["install-corrupt"].evidence[0].where == str(path)
    assert [repair.name for repair in findings["install-corrupt"].repairs] == ["nvidia-cufft-cu12"]


def test_a_library_that_may_not_be_read() -> None:
    path = f"{cases.SITE}/nvidia/cufft/lib/libcufft.so.11"
    reader = cases.environment(
        cuda=True, files={path: PermissionError(13, "Permission denied")}, env={"LD_LIBRARY_PATH": path.rpartition("/")[0]}
    )
    case = cases.recorded("h100", RELEASE, device="cuda", reader=reader)
    case = dataclasses.replace(case, libraries=cases.opened(case.build.cuda, lost=("libcufft.so.11",)))
    assert "permission-denied" in found(case, "cuda-libraries")[1]


@needs_compiler
@pytest.mark.parametrize("there", ["", "../../cuda_cupti/lib/libcupti.so.11", "libcudart.so.12"])
def test_a_missing_link_is_made(env: Path, there: str) -> None:
    """What `plan` would link, `doctor` misses: 2.15's links are for libraries that are opened later."""
    link = env / SITE / "nvidia/cuda_runtime/lib/libcupti.so.12"
    link.unlink()
    if there:
        link.symlink_to(there)
    _, findings = found(cases.on_disk(env, RELEASE))
    finding = findings["cuda-libs-missing"]
    assert finding.severity == "warning"
    assert [(repair.kind, repair.path, repair.target) for repair in finding.repairs] == [
        ("link", str(link), "../../cuda_cupti/lib/libcupti.so.12")
    ]


@needs_compiler
def test_links_without_which_nothing_is_found(env: Path) -> None:
    """A TensorFlow that searches its own folder only (2.13)."""
    (env / SITE / "tensorflow/libtensorflow_framework.so.2").unlink()
    compile_library(env / SITE / "tensorflow/libtensorflow_framework.so.2", "int x;", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/")
    case = cases.on_disk(env, "2.13.1")
    for link in case.build.cuda.links:
        target = Path(os.path.normpath((env / SITE / link.path).parent / link.target))
        if ".so" in target.name and not target.exists():
            compile_library(target, "int x;", f"-Wl,-soname,{target.name}")
    said, findings = found(case, "cuda-libraries", "cuda-links")
    assert said["cuda-libraries"].startswith("0 of 8")
    repairs = [repair for finding in findings.values() for repair in finding.repairs]
    assert {repair.kind for repair in repairs} == {"link"}
    for repair in repairs:
        Path(repair.path).symlink_to(repair.target)
    said, findings = found(case, "cuda-libraries", "cuda-links")
    assert said["cuda-libraries"].startswith("8 of 8")
    assert not findings
    # libcudnn.so.8 opens its parts beside the link to it, so one that is missing there breaks the first convolution.
    (env / SITE / "tensorflow/libcudnn_cnn_infer.so.8").unlink()
    _, findings = found(case, "cuda-links")
    assert {cause: finding.severity for cause, finding in findings.items()} == {"cudnn-missing": "error"}


@needs_compiler
@pytest.mark.parametrize(("last", "causes"), [("cu11", {"cudnn-version-mismatch"}), ("cu12", {"cuda-version-mismatch"})])
def test_two_packages_that_write_the_same_files(env: Path, last: str, causes: set[str]) -> None:
    path = "nvidia/cudnn/lib/libcudnn_ops_infer.so.8"
    sizes = {"cu12": 1000, "cu11": 2000}
    (env / SITE / path).write_bytes(bytes(sizes[last]))
    folder = next((env / SITE).glob("nvidia_cudnn_cu12-*"))
    # Rows that are none (they made the check raise) do not hide the next.
    junk = f"junk.py,,{'9' * 5000}\n" + f'"{"x" * 300_000}",,\n'
    (folder / "RECORD").write_text(f"{junk}{path},sha256=x,{sizes['cu12']}\n")
    installed(env, "nvidia-cudnn-cu11", "8.6.0.163", (path, sizes["cu11"]))
    _, findings = found(cases.on_disk(env, RELEASE), "cuda-copies")
    assert findings.keys() == causes
    (finding,) = findings.values()
    if last == "cu11":
        assert [(repair.kind, repair.name) for repair in finding.repairs] == [
            ("remove", "nvidia-cudnn-cu11"),
            ("restore", "nvidia-cudnn-cu12"),
        ]
    assert finding.severity == ("error" if last == "cu11" else "info")


@needs_compiler
@pytest.mark.parametrize("other", ["torch", "astroid"])
def test_a_file_that_is_there_and_not_looked_for(env: Path, other: str) -> None:
    """To put the package back would not help: its file is there."""
    framework = env / SITE / "tensorflow/libtensorflow_framework.so.2"
    framework.unlink()
    compile_library(framework, "int x;", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/")
    installed(env, other, "1.0")
    _, findings = found(cases.on_disk(env, RELEASE, machine="h100"), "cuda-libraries")
    lib = env / SITE / "nvidia/cuda_runtime/lib"
    assert findings["cuda-libs-missing"].repairs == ()
    assert findings["cuda-libs-missing"].remedy.steps == (f"export LD_LIBRARY_PATH={lib}",)
    assert any(evidence.where == str(lib / "libcudart.so.12") for evidence in findings["cuda-libs-missing"].evidence)


@needs_compiler
def test_only_the_package_for_another_cuda_is_there(env: Path) -> None:
    """cuDNN 8 bears one name for CUDA 11 and 12, so the loader finds it, and the first convolution looks for CUDA 11's cuBLAS."""
    next((env / SITE).glob("nvidia_cudnn_cu12-*")).rename(env / SITE / "nvidia_cudnn_cu11-8.9.4.25.dist-info")
    _, findings = found(cases.on_disk(env, RELEASE))
    assert findings.keys() == {"cudnn-version-mismatch"}
    repairs = [(repair.kind, repair.name) for repair in findings["cudnn-version-mismatch"].repairs]
    assert repairs == [("remove", "nvidia-cudnn-cu11"), ("restore", "nvidia-cudnn-cu12")]


@pytest.mark.parametrize(("release", "repaired"), [("2.15.1", ["nvidia-cuda-nvcc-cu12"]), ("2.13.1", [])])
def test_tools_that_are_missing(release: str, repaired: list[str]) -> None:
    """A build that does not look beside itself (2.13) is not helped by the package alone."""
    case = cases.recorded("h100", release, device="cuda", reader=cases.environment(cuda=True))
    _, findings = found(case, "cuda-tools")
    assert findings["cuda-toolkit-incomplete"].severity == "warning"
    assert {evidence.seen for evidence in findings["cuda-toolkit-incomplete"].evidence} == {"ptxas is not found", "libdevice is not found"}
    assert [repair.name for repair in findings["cuda-toolkit-incomplete"].repairs] == repaired


@pytest.mark.parametrize("release", ["2.11.1", "2.13.1", "2.14.1", "2.15.1", "2.18.1", "2.21.0"])
def test_what_tensorflows_own_loader_answers(release: str) -> None:
    case = cases.recorded("h100", release, device="cuda")
    cuda = case.build.cuda
    cudnn = next(name for name in cuda.must_open if "cudnn" in name)
    assert not found(case)[1]
    lost = dataclasses.replace(case, libraries=cases.opened(cuda, lost=(cudnn, "libcufft.so.11")))
    assert {"cudnn-missing"} <= found(lost)[1].keys()
    cpu = dataclasses.replace(lost, expected=cases.Expected(tensorflow=release, device="cpu"))
    assert not found(cpu)[1]


def test_tensorrt_is_information() -> None:
    case = cases.recorded("h100", "2.15.1", device="cuda")
    asked = {"event": "library", "kind": "NvInfer", "asked": ["libnvinfer.so.8.6.1"], "path": "", "missing": "libnvinfer.so.8.6.1"}
    case = dataclasses.replace(case, libraries=dataclasses.replace(case.libraries, events=(asked, *case.libraries.events)))
    _, findings = found(case)
    assert {cause: finding.severity for cause, finding in findings.items()} == {"tensorrt-missing": "info"}
    unnamed = dataclasses.replace(case.libraries, events=({**asked, "asked": ["libnvinfer.so"]}, *case.libraries.events[1:]))
    assert not found(dataclasses.replace(case, libraries=unnamed))[1]
