"""conda-forge's TensorFlow as it is declared, without its content: CPU and CUDA builds of 2.10.0, 2.14.0 and 2.19.1.

Declarations of 2.10.0 and 2.14.0 are those of the published packages; those of 2.19.1 are its recipe's, with likely pins of libraries.
Builds, numbers, platforms and Pythons are as published; the hashes in build strings are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.channel.metadata import CUDA_12, GLIBC, SUBDIRS, of_python
from tests.channel.packages import Package

COMMON = ("google-pasta >=0.1.1", "opt_einsum >=2.3.2", "packaging", "six >=1.12", "termcolor >=1.1.0", "typing_extensions >=3.6.6")
IN_2_10 = (
    *COMMON,
    *("absl-py >=1.0.0", "astunparse >=1.6.0", "flatbuffers >=2,<3.0.0.0a0", "gast >=0.2.1,<=0.4.0", "giflib >=5.2.1,<5.3.0a0"),
    *("grpc-cpp >=1.47.1,<1.48.0a0", "grpcio 1.47.*", "h5py >=2.9.0", "icu >=70.1,<71.0a0", "jpeg >=9e,<10a", "keras >=2.10,<2.11"),
    *("keras-preprocessing >=1.1.1", "libabseil 20220623.0 cxx17*", "libcurl >=7.83.1,<8.0a0", "libpng >=1.6.37,<1.7.0a0"),
    *("libprotobuf >=3.21.5,<3.22.0a0", "libsqlite >=3.39.3,<4.0a0", "libzlib >=1.2.12,<1.3.0a0", "numpy >=1.21.6,<2.0a0"),
    *("openssl >=1.1.1q,<1.1.2a", "protobuf >=3.9.2", "python-flatbuffers >=2", "snappy >=1.1.9,<2.0a0", "tensorboard >=2.10,<2.11"),
    "wrapt >=1.11.0",
)
IN_2_14 = (
    *COMMON,
    *("absl-py >=1.0.0", "astunparse >=1.6.0", "flatbuffers >=23.5.26,<23.5.27.0a0", "gast >=0.2.1,!=0.5.0,!=0.5.1,!=0.5.2"),
    *("giflib >=5.2.1,<5.3.0a0", "grpcio 1.54.*", "h5py >=2.9.0", "icu >=73.2,<74.0a0", "keras >=2.14,<2.15", "libabseil * cxx17*"),
    *("libabseil >=20230125.3,<20230126.0a0", "libcurl >=8.4.0,<9.0a0", "libgrpc >=1.54.3,<1.55.0a0", "libjpeg-turbo >=3.0.0,<4.0a0"),
    *("libpng >=1.6.39,<1.7.0a0", "libprotobuf >=3.21.12,<3.22.0a0", "libsqlite >=3.44.0,<4.0a0", "libzlib >=1.2.13,<2.0a0"),
    *("ml_dtypes 0.2.0.*", "numpy >=1.23.5,<2.0a0", "openssl >=3.1.4,<4.0a0", "protobuf >=3.20.3,<5,!=4.21.0,!=4.21.1,!=4.21.2"),
    *("python-flatbuffers >=23.5.26", "snappy >=1.1.10,<2.0a0", "tensorboard >=2.14,<2.15", "wrapt >=1.11.0,<1.15"),
)
IN_2_19 = (
    *COMMON,
    *("absl-py >=1.0.0", "astunparse >=1.6.0", "gast >=0.2.1,!=0.5.0,!=0.5.1,!=0.5.2", "grpcio 1.73.*", "h5py >=3.11", "keras >=3.5"),
    *("ml_dtypes >=0.5.1,<1.0", "numpy >=1.21,<3", "protobuf >=5.26", "python-flatbuffers >=24.3.25", "requests >=2.21.0,<3"),
    *("tensorboard >=2.19,<2.20", "wrapt >=1.11.0"),
)
LINKED_2_19 = (
    *("flatbuffers >=25.2.10,<25.2.11.0a0", "giflib >=5.2.2,<5.3.0a0", "icu >=75.1,<76.0a0", "libabseil * cxx17*"),
    *("libabseil >=20250512.1,<20250513.0a0", "libcurl >=8.14.1,<9.0a0", "libgrpc >=1.73.1,<1.74.0a0", "libjpeg-turbo >=3.1.0,<4.0a0"),
    *("libpng >=1.6.50,<1.7.0a0", "libprotobuf >=6.31.1,<6.31.2.0a0", "libsqlite >=3.50.4,<4.0a0", "libzlib >=1.3.1,<2.0a0"),
    *("openssl >=3.5.2,<4.0a0", "snappy >=1.2.2,<1.3.0a0"),
)
CUDA_11 = {
    "2.10.0": ("cudatoolkit >=11.2,<12", "cudnn >=8.4.1.50,<9.0a0", "nccl >=2.14.3.1,<3.0a0"),
    "2.14.0": ("cudatoolkit >=11.8,<12", "cudnn >=8.8.0.121,<9.0a0", "nccl >=2.19.3.1,<3.0a0"),
}
NEEDS = {"2.10.0": IN_2_10, "2.14.0": IN_2_14}
PYTHONS = {"2.10.0": ("3.7", "3.8", "3.9", "3.10"), "2.14.0": ("3.9", "3.10", "3.11"), "2.19.1": ("3.10", "3.11", "3.12")}
LEVELS = {1: "tensorflow-sse3", 3: "tensorflow-avx2"}
FEATURE = "tensorflow-cpu"  # weighs the CPU builds down, so that CUDA's come first where ``__cuda`` is


@dataclass(frozen=True)
class Variant:
    """One build: ``cuda`` is "" for the processor, else CUDA's minor; ``level`` that of x86-64, 0 where builds have none."""

    release: str
    subdir: str
    cuda: str = ""
    level: int = 0
    number: int = 0

    @property
    def prefix(self) -> str:
        return "cuda" + self.cuda.replace(".", "") if self.cuda else "cpu_"

    def of(self, name: str, depends: Sequence[str], python: str = "", features: str = "") -> Package:
        """Return a package of this build."""
        tag = f"py{python.replace('.', '')}" if python else ""
        return Package(
            name=name,
            version=self.release,
            build=f"{self.prefix}{tag}h{self.level}234567_{self.number}",
            number=self.number,
            subdir=self.subdir,
            depends=tuple(depends),
            track_features=features,
            license="Apache-2.0",
        )

    @property
    def machine(self) -> tuple[str, ...]:
        """What every package of this build needs of the machine."""
        level = (f"_x86_64-microarch-level >={self.level}",) if self.level else ()
        cuda = ("__cuda",) if self.cuda else ()
        system = (GLIBC, "libgcc >=14", "libstdcxx >=14") if self.subdir.startswith("linux") else ("__osx >=11.0",)
        return (*cuda, *system, *level)


def releases(pythons: Sequence[str] = ("3.10", "3.12"), subdirs: Sequence[str] = SUBDIRS) -> list[Package]:
    """Return every build for these Pythons and platforms."""
    return [package for subdir in subdirs for variant in variants(subdir) for package in packages_of(variant, pythons)]


def variants(subdir: str) -> list[Variant]:
    """Return the builds for a platform; 2.19.1's numbers are 200 higher for CUDA, and by 25 for each level of x86-64 above the first."""
    if subdir == "linux-64":
        old = [Variant("2.10.0", subdir), Variant("2.10.0", subdir, "11.2"), Variant("2.14.0", subdir), Variant("2.14.0", subdir, "11.8")]
        built = [(cuda, level) for cuda in ("", "12.8") for level in LEVELS]
        return old + [Variant("2.19.1", subdir, cuda, level, 5 + (200 if cuda else 0) + 25 * (level - 1)) for cuda, level in built]
    if subdir == "osx-arm64":
        return [Variant("2.10.0", subdir), Variant("2.14.0", subdir), Variant("2.19.1", subdir, number=5)]
    return [Variant("2.19.1", subdir, number=3)] if subdir == "linux-aarch64" else []


def packages_of(variant: Variant, pythons: Sequence[str]) -> Iterator[Package]:
    """Yield the packages of one build."""
    fitting = [python for python in pythons if python in PYTHONS[variant.release]]
    return release_2_19(variant, fitting) if variant.release == "2.19.1" else earlier_release(variant, fitting)


def earlier_release(variant: Variant, pythons: Sequence[str]) -> Iterator[Package]:
    """Yield the packages of one build of 2.10.0 or 2.14.0."""
    release, needs = variant.release, NEEDS[variant.release]
    cuda, feature = (CUDA_11[release], "") if variant.cuda else ((), FEATURE)
    yield variant.of("libtensorflow", (*variant.machine, *cuda))
    for python in pythons:
        own = of_python(python)
        base = variant.of("tensorflow-base", (*variant.machine, *cuda, *own, *needs), python, feature)
        exact = f"tensorflow-base {release} {base.build}"
        estimator = variant.of("tensorflow-estimator", (*cuda[:1], *own, exact), python)
        driver = ("__cuda",) if variant.cuda else ()
        whole = variant.of("tensorflow", (*driver, *own, exact, f"tensorflow-estimator {release} {estimator.build}"), python, feature)
        yield from (base, estimator, whole, alias(variant, whole, python))


def release_2_19(variant: Variant, pythons: Sequence[str]) -> Iterator[Package]:
    """Yield the packages of one build of 2.19.1."""
    cuda = cuda_parts() if variant.cuda else ()
    linked = (*variant.machine, *cuda, *LINKED_2_19)
    framework = variant.of("libtensorflow_framework", linked)
    exact = f"libtensorflow_framework 2.19.1 {framework.build}"
    cc = variant.of("libtensorflow_cc", (*linked, "libml_dtypes-headers >=0.5.1,<0.6", exact))
    yield from (framework, cc, variant.of("libtensorflow", (*linked, exact)))
    tools = ("cuda-nvcc-tools",) if variant.cuda else ()
    for python in pythons:
        own = of_python(python)
        libraries = (exact, f"libtensorflow_cc 2.19.1 {cc.build}")
        base = variant.of("tensorflow-base", (*variant.machine, *tools, *own, *IN_2_19, *libraries), python)
        need = ("__cuda",) if variant.cuda else ()
        whole = variant.of("tensorflow", (*need, *own, f"tensorflow-base 2.19.1 {base.build}"), python)
        yield from (base, whole, alias(variant, whole, python))
        if variant.level:
            yield variant.of(LEVELS[variant.level], (f"tensorflow {whole.version} {whole.build}",), python)


def cuda_parts() -> tuple[str, ...]:
    """Return what builds for CUDA 12.8 are linked to."""
    parts = tuple(f"{name} >={version},<{int(version.partition('.')[0]) + 1}.0a0" for name, version in CUDA_12.items())
    return ("cuda-version >=12.8,<13", "cudnn >=9.10.1.4,<10.0a0", "nccl >=2.27.7.1,<3.0a0", *parts)


def alias(variant: Variant, whole: Package, python: str) -> Package:
    """Return ``tensorflow-cpu`` or ``tensorflow-gpu``, which only name a build."""
    name = "tensorflow-gpu" if variant.cuda else "tensorflow-cpu"
    return variant.of(name, (f"tensorflow {whole.version} {whole.build}",), python)
