"""Packages with nothing but what conda-forge declares: its TensorFlow stack, to solve against and (empty) to install.

Leaves are reduced: libraries that nobody chooses by have no dependencies of their own. conda-forge has no TensorFlow for Windows in these
releases, and no CUDA build but for linux-64.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.channel.packages import Package
from tests.channel.python import pack_abi, tag

SUBDIRS = ("linux-64", "linux-aarch64", "osx-arm64", "win-64")
GLIBC = "__glibc >=2.17,<3.0.a0"
# The last patch release of each minor; what a machine has is packed by ``python.pack`` in their place.
RELEASES = {"3.7": "3.7.12", "3.8": "3.8.20", "3.9": "3.9.23", "3.10": "3.10.18", "3.11": "3.11.13", "3.12": "3.12.11", "3.13": "3.13.5"}
NUMPY = {
    "1.21.6": ("3.7", "3.8", "3.9", "3.10"),
    "1.26.4": ("3.9", "3.10", "3.11", "3.12"),
    "2.2.6": ("3.10", "3.11", "3.12", "3.13"),
}
# For every platform in one package each.
PURE = """
absl-py 2.3.1; astunparse 1.6.3; cached-property 1.5.2; gast 0.4.0; gast 0.6.0; google-pasta 0.2.0; keras 2.10.0; keras 2.14.0;
keras 3.11.3; keras-preprocessing 1.1.2; opt_einsum 3.4.0; packaging 25.0; pip 25.2; python-flatbuffers 25.2.10; requests 2.32.5;
setuptools 80.9.0; six 1.17.0; tensorboard 2.10.1; tensorboard 2.14.1; tensorboard 2.19.0; termcolor 3.1.0;
typing_extensions 4.14.1; wheel 0.45.1; tzdata 2025b; ca-certificates 2025.8.3
"""
# With one package a platform.
LIBRARIES = """
flatbuffers 2.0.8; flatbuffers 23.5.26; flatbuffers 25.2.10; giflib 5.2.2; grpc-cpp 1.47.1; icu 70.1; icu 73.2; icu 75.1; jpeg 9e;
libcurl 7.88.1; libcurl 8.14.1; libabseil 20220623.0=cxx17_h1234567_6; libabseil 20230125.3=cxx17_h1234567_0;
libabseil 20250512.1=cxx17_h1234567_0; libgrpc 1.54.3; libgrpc 1.73.1; libjpeg-turbo 3.1.0; libml_dtypes-headers 0.5.1;
libpng 1.6.50; libprotobuf 3.21.12; libprotobuf 6.31.1; libsqlite 3.50.4; libzlib 1.2.13; libzlib 1.3.1; openssl 1.1.1w;
openssl 3.5.2; snappy 1.1.10; snappy 1.2.2; libblas 3.9.0; libcblas 3.9.0; liblapack 3.9.0
"""
# With one package a platform and Python.
EXTENSIONS = """
grpcio 1.47.1; grpcio 1.54.3; grpcio 1.73.1; h5py 3.7.0; h5py 3.14.0; ml_dtypes 0.2.0; ml_dtypes 0.5.1; protobuf 4.21.12;
protobuf 6.31.1; wrapt 1.14.1; wrapt 1.17.3
"""
CUDA_12 = {
    "cuda-cudart": "12.8.90",
    "cuda-cupti": "12.8.90",
    "libcublas": "12.8.4.1",
    "libcufft": "11.3.3.83",
    "libcurand": "10.3.9.90",
    "libcusolver": "11.7.3.90",
    "libcusparse": "12.5.8.93",
    "libnvjitlink": "12.8.93",
}


def stack(pythons: Sequence[str] = ("3.10", "3.12"), subdirs: Sequence[str] = SUBDIRS) -> list[Package]:
    """Return everything around TensorFlow for these Pythons and platforms; ``tensorflow.releases`` has TensorFlow itself."""
    found = [Package(name=name, version=version, build="pyhd8ed1ab_0", noarch="generic") for name, version, _ in table(PURE)]
    found += [pack_abi(python) for python in pythons]
    found += [cuda_version(minor) for minor in ("10.1", "10.2", "11.0", "11.2", "11.8", "12.0", "12.6", "12.8", "12.9")]
    for subdir in subdirs:
        found += [
            Package(name=name, version=version, build=build or "h1234567_0", subdir=subdir) for name, version, build in table(LIBRARIES)
        ]
        found += openmp(subdir)
        found += [part for python in pythons for part in built_for(python, subdir)]
    if "linux-64" in subdirs:
        found += [*microarchitectures(), *cuda_12()]
    return found


def table(text: str) -> Iterator[tuple[str, str, str]]:
    """Read ``name version[=build]; …``."""
    for item in text.split(";"):
        name, version = item.split()
        yield name, *(version.split("=") if "=" in version else (version, ""))


def of_python(python: str) -> tuple[str, str]:
    """Return what a package built for one Python depends on."""
    major, minor = python.split(".")
    return f"python >={python},<{major}.{int(minor) + 1}.0a0", f"python_abi {python}.* *_{tag(python)}"


def built_for(python: str, subdir: str) -> Iterator[Package]:
    """Yield what is built for one Python on one platform: an empty Python itself, NumPy and other extensions."""
    short = python.replace(".", "")
    abi = f"python_abi {python}.* *_{tag(python)}"
    newer = python == "3.13"
    yield Package(
        name="python",
        version=RELEASES[python],
        build=f"h1234567_102_{tag(python)}" if newer else "h1234567_0_cpython",
        number=102 if newer else 0,
        subdir=subdir,
        depends=(*system(subdir), "libsqlite >=3.40", "libzlib >=1.2.13", "openssl", "tzdata", *([abi] if newer else [])),
        constrains=() if newer else (abi,),
    )
    for version, pythons in NUMPY.items():
        if python in pythons:
            blas = ("libblas >=3.9.0,<4.0a0", "libcblas >=3.9.0,<4.0a0", "liblapack >=3.9.0,<4.0a0")
            depends = (*system(subdir), *blas, *of_python(python))
            yield extension("numpy", version, f"py{short}h1234567_0", subdir, depends, ("numpy-base <0a0",))
    for name, version, _ in table(EXTENSIONS):
        yield extension(name, version, f"py{short}h1234567_0", subdir, (*system(subdir), *of_python(python)))


def extension(name: str, version: str, build: str, subdir: str, depends: Sequence[str], constrains: Sequence[str] = ()) -> Package:
    """Return a package for one Python."""
    return Package(name=name, version=version, build=build, subdir=subdir, depends=depends, constrains=constrains)


def system(subdir: str) -> tuple[str, ...]:
    """Return what compiled packages need of a platform."""
    if subdir.startswith("linux"):
        return (GLIBC, "libgcc >=13")
    return ("__osx >=11.0",) if subdir.startswith("osx") else ("__win", "ucrt >=10.0.20348.0")


def openmp(subdir: str) -> list[Package]:
    """Return the runtimes of OpenMP, of which an environment has one, and the compiler's libraries that choose it."""
    llvm = Package(name="llvm-openmp", version="20.1.8", build="h1234567_0", subdir=subdir, constrains=("openmp 20.1.8|20.1.8.*",))
    if not subdir.startswith("linux"):
        ucrt = Package(name="ucrt", version="10.0.22621.0", build="h1234567_1", number=1, subdir=subdir)
        return [llvm] if subdir.startswith("osx") else [llvm, ucrt]
    mutex = "_libgcc_mutex 0.1 conda_forge"
    gnu = {"number": 16, "depends": (mutex, "libgomp >=7.5.0"), "constrains": ("openmp_impl 9999",)}
    kmp = {"number": 2, "depends": (mutex, "llvm-openmp >=9.0.1"), "constrains": ("openmp_impl 9999",)}
    build = {"build": "h1234567_4", "number": 4, "version": "15.1.0", "subdir": subdir}
    return [
        llvm,
        Package(name="_libgcc_mutex", version="0.1", build="conda_forge", subdir=subdir),
        Package(name="_openmp_mutex", version="4.5", build="2_gnu", subdir=subdir, **gnu),
        Package(name="_openmp_mutex", version="4.5", build="2_kmp_llvm", subdir=subdir, **kmp),
        Package(name="libgomp", depends=(GLIBC,), **build),
        Package(name="libgcc", depends=(GLIBC, "_openmp_mutex >=4.5"), constrains=("libgcc-ng ==15.1.0=*_4",), **build),
        Package(name="libgcc-ng", depends=("libgcc 15.1.0 h1234567_4",), **build),
        Package(name="libstdcxx", depends=(GLIBC, "libgcc 15.1.0 h1234567_4"), **build),
        Package(name="libstdcxx-ng", depends=("libstdcxx 15.1.0 h1234567_4",), **build),
    ]


def cuda_version(minor: str) -> Package:
    """Return the package that keeps an environment to one minor of CUDA, and that to a driver of its major."""
    constrains = (f"cudatoolkit {minor}|{minor}.*", f"__cuda >={minor.partition('.')[0]}")
    return Package(name="cuda-version", version=minor, build="h1234567_3", number=3, noarch="generic", constrains=constrains)


def cuda_12() -> Iterator[Package]:
    """Yield CUDA 12.8 in its parts, cuDNN 9 and NCCL for it, and NCCL for CUDA 11."""
    version = ("cuda-version >=12.8,<12.9.0a0",)
    for name, release in {**CUDA_12, "cuda-nvcc-tools": "12.8.93"}.items():
        yield Package(name=name, version=release, build="h1234567_0", depends=(GLIBC, *version))
    parts = ("cuda-version >=12,<13.0a0", "libcublas")
    yield Package(name="cudnn", version="9.10.1.4", build="h1234567_1", number=1, depends=(GLIBC, *parts))
    yield Package(name="nccl", version="2.27.7.1", build="h1234567_0", depends=(GLIBC, "cuda-version >=12.8,<13"))
    for version_11 in ("2.14.3.1", "2.19.3.1"):
        yield Package(name="nccl", version=version_11, build="h1234567_0", depends=(GLIBC, "cudatoolkit >=11.2,<12"))


# Levels of x86-64 and the processors that archspec has in each.
ARCHSPEC = {
    1: "x86_64 nocona core2 k10",
    2: "x86_64_v2 nehalem westmere sandybridge ivybridge bulldozer piledriver steamroller",
    3: "x86_64_v3 haswell broadwell skylake mic_knl cannonlake excavator zen zen2 zen3",
    4: "x86_64_v4 skylake_avx512 cascadelake icelake sapphirerapids zen4 zen5",
}


def microarchitectures() -> Iterator[Package]:
    """Yield ``_x86_64-microarch-level``: a build a processor, and one a level by a pattern, which solvers that read it prefer."""
    for level, names in ARCHSPEC.items():
        for name in names.split():
            yield microarchitecture(level, name, f"__archspec 1.* {name}", "_x86_64-microarch-level-p-0")
        higher = "|".join(name for other, found in ARCHSPEC.items() if other >= level for name in found.split())
        yield microarchitecture(level, f"level{level}", f'__archspec 1.*[build="^({higher})$"]')


def microarchitecture(level: int, name: str, depends: str, features: str = "") -> Package:
    """Return one build of the package that stands for a level of x86-64."""
    return Package(
        name="_x86_64-microarch-level",
        version=str(level),
        build=f"4_{name}",
        number=4,
        noarch="generic",
        depends=(depends,),
        track_features=features,
    )
