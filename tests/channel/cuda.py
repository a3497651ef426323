"""Makes conda packages of small shared libraries that are named as NVIDIA's: ``cudatoolkit``, ``cudnn`` and what a test asks for."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.channel.packages import PLACEHOLDER, File, Package

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
NEEDS_COMPILER = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")

# soname -> file, as the packages of these versions have them below lib/.
CUDATOOLKIT: dict[str, dict[str, str]] = {
    "10.0.130": {
        "libcublas.so.10.0": "libcublas.so.10.0.130",
        "libcudart.so.10.0": "libcudart.so.10.0.130",
        "libcufft.so.10.0": "libcufft.so.10.0.145",
        "libcurand.so.10.0": "libcurand.so.10.0.130",
        "libcusolver.so.10.0": "libcusolver.so.10.0.130",
        "libcusparse.so.10.0": "libcusparse.so.10.0.130",
    },
    "10.1.243": {
        "libcublas.so.10": "libcublas.so.10.2.1.243",
        "libcublasLt.so.10": "libcublasLt.so.10.2.1.243",
        "libcudart.so.10.1": "libcudart.so.10.1.243",
        "libcufft.so.10": "libcufft.so.10.1.1.243",
        "libcurand.so.10": "libcurand.so.10.1.1.243",
        "libcusolver.so.10": "libcusolver.so.10.2.0.243",
        "libcusparse.so.10": "libcusparse.so.10.3.0.243",
    },
    "11.0.221": {
        "libcublas.so.11": "libcublas.so.11.2.0.252",
        "libcublasLt.so.11": "libcublasLt.so.11.2.0.252",
        "libcudart.so.11.0": "libcudart.so.11.0.221",
        "libcufft.so.10": "libcufft.so.10.2.1.245",
        "libcurand.so.10": "libcurand.so.10.2.1.245",
        "libcusolver.so.10": "libcusolver.so.10.6.0.245",
        "libcusparse.so.11": "libcusparse.so.11.1.1.245",
    },
    "11.2.2": {
        "libcublas.so.11": "libcublas.so.11.4.1.1043",
        "libcublasLt.so.11": "libcublasLt.so.11.4.1.1043",
        "libcudart.so.11.0": "libcudart.so.11.2.152",
        "libcufft.so.10": "libcufft.so.10.4.1.152",
        "libcurand.so.10": "libcurand.so.10.2.3.152",
        "libcusolver.so.11": "libcusolver.so.11.1.0.152",
        "libcusparse.so.11": "libcusparse.so.11.4.1.1152",
    },
}
CUDNN_8 = ("", "_adv_infer", "_adv_train", "_cnn_infer", "_cnn_train", "_ops_infer", "_ops_train")


def cudatoolkit(version: str, libraries: Mapping[str, str] | None = None, *, build: str = "h1234567_11") -> Package:
    """Return ``cudatoolkit``; ``libraries`` (soname -> file) stand in the table above for the versions that it knows."""
    files = library_files(libraries or CUDATOOLKIT[version], {"cudaRuntimeGetVersion": number_of(version)})
    return Package(
        name="cudatoolkit",
        version=version,
        build=build,
        number=int(build.rpartition("_")[2]),
        depends=("__glibc >=2.17,<3.0.a0",),
        constrains=("__cuda >=" + ".".join(version.split(".")[:2]),),
        license="LicenseRef-NVIDIA-CUDA-Toolkit",
        files=files,
    )


def cudnn(version: str, cuda: str, libraries: Mapping[str, str] | None = None, *, build: str = "h1234567_0") -> Package:
    """Return ``cudnn`` for the minor of CUDA that it was built for, such as "10.0"; a library a part from 8 on."""
    major = version.partition(".")[0]
    short = ".".join(version.split(".")[:3])
    parts = ("",) if int(major) < 8 else CUDNN_8
    named = {f"libcudnn{part}.so.{major}": f"libcudnn{part}.so.{short}" for part in parts}
    return Package(
        name="cudnn",
        version=version,
        build=build,
        number=int(build.rpartition("_")[2]),
        depends=("__glibc >=2.17,<3.0.a0", f"cudatoolkit {cuda}.*"),
        license="LicenseRef-cuDNN-Software-License-Agreement",
        files=library_files(libraries or named, {"cudnnGetVersion": number_of(short)}),
    )


def compiler(name: str, version: str, program: str, depends: Sequence[str] = ()) -> Package:
    """Return a package of one program of the toolkit (``cuda-nvcc`` with ptxas, say) that only prints its version."""
    script = f"#!/bin/sh\nprefix={PLACEHOLDER}\necho {program} release {version}\n"
    return Package(name=name, version=version, build="h1234567_0", depends=depends, files={f"bin/{program}": File(script.encode(), 0o755)})


def library_files(libraries: Mapping[str, str], answers: Mapping[str, int]) -> dict[str, File]:
    """Return each library below lib/ with its links: the soname, and the name without a number that compilers look for."""
    files = {}
    for soname, name in libraries.items():
        base = soname.partition(".so")[0] + ".so"
        files[f"lib/{name}"] = File(compile_library(soname, tuple(sorted(answers.items()))), 0o755)
        if name != soname:
            files[f"lib/{soname}"] = File(link=name)
        files[f"lib/{base}"] = File(link=name)
    return files


@functools.cache
def compile_library(soname: str, answers: tuple[tuple[str, int], ...]) -> bytes:
    """Compile one library: functions that return a number, and one that returns the prefix it was installed to."""
    if not COMPILER:
        raise LookupError("there is no C compiler")
    functions = "".join(f"int {name}(int *out) {{ if (out) *out = {number}; return out ? 0 : {number}; }}\n" for name, number in answers)
    source = f'static const char prefix[256] = "{PLACEHOLDER}";\nconst char *installed_prefix(void) {{ return prefix; }}\n{functions}'
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "library.so"
        options = ["-shared", "-fPIC", "-O1", "-s", f"-Wl,-soname,{soname}", "-Wl,-rpath,$ORIGIN", "-Wl,--build-id=none"]
        subprocess.run([COMPILER, *options, "-x", "c", "-", "-o", target], input=source, text=True, check=True)
        return target.read_bytes()


def number_of(version: str) -> int:
    """Return a version as NVIDIA's functions give it: 10.0 is 10000, cuDNN 7.6.5 is 7605."""
    parts = [int(part) for part in re.findall(r"\d+", version)]
    return parts[0] * 1000 + parts[1] * (10 if parts[0] > 9 else 100) + (0 if parts[0] > 9 else parts[2])
