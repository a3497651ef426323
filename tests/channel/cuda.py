"""Makes conda packages of small shared libraries that are named as NVIDIA's: ``cudatoolkit``, ``cudnn`` and what a test asks for."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.channel.metadata import cuda_version, openmp
from tests.channel.packages import PLACEHOLDER, File, Package

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
NEEDS_COMPILER = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


@dataclass(frozen=True)
class Release:
    """One build of conda-forge's: its string, what it depends on beside the compiler's libraries, and its sonames with the files' numbers."""

    build: str
    libraries: str
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()


# Builds, dependencies and sonames as in the published packages; file numbers where they are known, elsewhere likely ones.
CUDATOOLKIT = {
    "10.0.130": Release(
        build="h8c5a6a4_11",
        constrains=("__cuda >=10.0",),
        libraries="""libcublas.so.10.0:10.0.130 libcudart.so.10.0:10.0.130 libcufft.so.10.0:10.0.145 libcupti.so.10.0:10.0.130
        libcurand.so.10.0:10.0.130 libcusolver.so.10.0:10.0.130 libcusparse.so.10.0:10.0.130 libnvrtc.so.10.0:10.0.130""",
    ),
    "10.1.243": Release(
        build="h8cb64d8_11",
        constrains=("__cuda >=10.1",),
        libraries="""libcublas.so.10:10.2.1.243 libcublasLt.so.10:10.2.1.243 libcudart.so.10.1:10.1.243 libcufft.so.10:10.1.1.243
        libcupti.so.10.1:10.1.208 libcurand.so.10:10.1.1.243 libcusolver.so.10:10.2.0.243 libcusparse.so.10:10.3.0.243
        libnvrtc.so.10.1:10.1.243""",
    ),
    "11.0.3": Release(
        build="h88f8997_11",
        constrains=("__cuda >=11",),
        libraries="""libcublas.so.11:11.2.0.252 libcublasLt.so.11:11.2.0.252 libcudart.so.11.0:11.0.221 libcufft.so.10:10.2.1.245
        libcupti.so.11.0:2020.1.1 libcurand.so.10:10.2.1.245 libcusolver.so.10:10.6.0.245 libcusparse.so.11:11.1.1.245
        libnvrtc.so.11.0:11.0.221""",
    ),
    "11.2.2": Release(
        build="hbe64b41_11",
        constrains=("__cuda >=11",),
        libraries="""libcublas.so.11:11.4.1.1043 libcublasLt.so.11:11.4.1.1043 libcudart.so.11.0:11.2.152 libcufft.so.10:10.4.1.152
        libcupti.so.11.2:2020.3.1 libcurand.so.10:10.2.3.152 libcusolver.so.11:11.1.0.152 libcusparse.so.11:11.4.1.1152
        libnvrtc.so.11.2:11.2.152""",
    ),
    "11.8.0": Release(
        build="h4ba93d1_13",
        constrains=("__cuda >=11",),
        libraries="""libcublas.so.11:11.11.3.6 libcublasLt.so.11:11.11.3.6 libcudart.so.11.0:11.8.89 libcufft.so.10:10.9.0.58
        libcupti.so.11.8:2022.3.0 libcurand.so.10:10.3.0.86 libcusolver.so.11:11.4.1.48 libcusparse.so.11:11.7.5.86
        libnvrtc.so.11.2:11.8.89""",
    ),
}
ZLIB = "libzlib >=1.2.12"
CUDNN_7 = "libcudnn.so.7:7.6.5"
CUDNN = {
    ("7.6.5.32", "10.0"): Release("ha8d7eb6_1", CUDNN_7, ("cudatoolkit 10.0|10.0.*",), ("__glibc >=2.4",)),
    ("7.6.5.32", "10.1"): Release("hc0a50b0_1", CUDNN_7, ("cudatoolkit 10.1|10.1.*",), ("__glibc >=2.4",)),
    ("8.0.5.39", "11.0"): Release("ha5ca753_1", "", ("cudatoolkit 11.0|11.0.*",)),
    ("8.1.0.77", "11"): Release("h90431f1_0", "", ("cudatoolkit 11.*",)),
    ("8.4.1.50", "11"): Release("hed8a83a_0", "", ("cudatoolkit 11.*", ZLIB)),
    ("8.8.0.121", "11"): Release("h838ba91_4", "", ("cuda-version >=11.0,<12.0a0", "cudatoolkit 11.*", ZLIB)),
}
CUDNN_8 = ("", "_adv_infer", "_adv_train", "_cnn_infer", "_cnn_train", "_ops_infer", "_ops_train")


def cudatoolkit(version: str, libraries: Mapping[str, str] | None = None, *, build: str = "") -> Package:
    """Return ``cudatoolkit``: one that the table above knows, or any with ``libraries`` (soname -> file)."""
    known = CUDATOOLKIT.get(version, Release("h1234567_0", ""))
    files = library_files(libraries or read(known.libraries), {"cudaRuntimeGetVersion": number_of(version)})
    files["lib/libdevice.10.bc"] = File(b"BC\xc0\xde")
    return package("cudatoolkit", version, build or known.build, files, known)


def cudnn(version: str, cuda: str, libraries: Mapping[str, str] | None = None, *, build: str = "") -> Package:
    """Return ``cudnn``: one of the table above (``cuda`` as there), or any; a library a part from 8 on."""
    known = CUDNN.get((version, cuda), Release("h1234567_0", "", (f"cudatoolkit {cuda}.*",)))
    major, short = version.partition(".")[0], ".".join(version.split(".")[:3])
    parts = ("",) if int(major) < 8 else CUDNN_8
    named = {f"libcudnn{part}.so.{major}": f"libcudnn{part}.so.{short}" for part in parts}
    files = library_files(libraries or read(known.libraries) or named, {"cudnnGetVersion": number_of(short)})
    return package("cudnn", version, build or known.build, files, known)


def every() -> list[Package]:
    """Return all of the tables, and what they depend on."""
    toolkits = [cudatoolkit(version) for version in CUDATOOLKIT]
    zlib = Package(name="libzlib", version="1.2.13", build="hd590300_5", number=5)
    return [*toolkits, *(cudnn(*key) for key in CUDNN), cuda_version("11.8"), zlib, *openmp("linux-64")]


def package(name: str, version: str, build: str, files: Mapping[str, File], release: Release) -> Package:
    """Return one of NVIDIA's packages."""
    return Package(
        name=name,
        version=version,
        build=build,
        number=int(build.rpartition("_")[2]),
        depends=("__glibc >=2.17,<3.0.a0", "libgcc-ng >=12", "libstdcxx-ng >=12", *release.depends),
        constrains=release.constrains,
        license="LicenseRef-NVIDIA-End-User-License-Agreement",
        files=files,
    )


def read(libraries: str) -> dict[str, str]:
    """Read ``soname:number …`` as soname -> file."""
    found = {}
    for item in libraries.split():
        soname, _, number = item.partition(":")
        found[soname] = f"{soname.partition('.so')[0]}.so.{number}"
    return found


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
    functions = "".join(function(name, number) for name, number in answers)
    source = f'static const char prefix[256] = "{PLACEHOLDER}";\nconst char *installed_prefix(void) {{ return prefix; }}\n{functions}'
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "library.so"
        options = ["-shared", "-fPIC", "-O1", "-s", f"-Wl,-soname,{soname}", "-Wl,-rpath,$ORIGIN", "-Wl,--build-id=none"]
        subprocess.run([COMPILER, *options, "-x", "c", "-", "-o", target], input=source, text=True, check=True)
        return target.read_bytes()


def function(name: str, number: int) -> str:
    """Return a function that tells a version: cuDNN's returns it, CUDA's write it where they are told to."""
    if name.startswith("cudnn"):
        return f"unsigned long {name}(void) {{ return {number}; }}\n"
    return f"int {name}(int *out) {{ *out = {number}; return 0; }}\n"


def number_of(version: str) -> int:
    """Return a version as NVIDIA's functions give it: 10.0 is 10000, cuDNN 7.6.5 is 7605."""
    parts = [int(part) for part in re.findall(r"\d+", version)]
    return parts[0] * 1000 + parts[1] * (10 if parts[0] > 9 else 100) + (0 if parts[0] > 9 else parts[2])
