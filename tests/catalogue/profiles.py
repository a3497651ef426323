"""Small profile folders for tests, written as a person would write them."""

from __future__ import annotations

from pathlib import Path

from provisioner.host import Reader
from provisioner.host.local import LocalHost

MINOR = """\
schema: tfsetup/releases/1
sources: ["a wheel"]
common:
  builds:
    linux-x86_64:
      pythons: ["3.10", "3.11"]
      glibc: "2.17"
      cpu_features: [avx]
      packages: {{cpu: tensorflow-cpu, cuda: tensorflow}}
      cuda:
        version: "12.5"
        cudnn: "9.3"
        capabilities: [sm_80, compute_90]
        driver: "525.60.13"
        must_open: [libcudart.so.12]
        may_open: []
        requirements: [nvidia-cuda-runtime-cu12==12.5.82]
  known_bad:
    - {{capabilities: ["12.0"], cause: gpu-too-new, reason: no code, reference: an issue}}
releases:
{releases}
"""

LOCK = """\
tfsetup-lock 1
release {version}
platform linux-x86_64
cutoff 2024-02-01
resolver uv 0.9.0
sets 3.10/cpu 3.10/cuda 3.11/cpu 3.11/cuda

numpy-1.26.4-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl 200 900 {b} 3.10
numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl 201 901 {c} 3.11
nvidia_cuda_runtime_cu12-12.5.82-py3-none-manylinux2014_x86_64.whl 300 800 {d} cuda
six-1.16.0-py2.py3-none-any.whl 10 40 {a} *
tensorflow_cpu-{version}-cp311-cp311-manylinux_2_28_x86_64.whl 400 700 {e} 3.11/cpu
""".replace("{a}", "a" * 64)


def lock_text(version: str) -> str:
    """A lock with four sets."""
    return LOCK.format(version=version, b="b" * 64, c="c" * 64, d="d" * 64, e="e" * 64)


def make_profiles(root: Path, *minors: tuple[str, tuple[str, ...]]) -> Path:
    """Write a folder with these minors and their versions, each with its lock."""
    (root / "releases").mkdir(parents=True)
    (root / "locks" / "linux-x86_64").mkdir(parents=True)
    for minor, versions in minors:
        releases = "\n".join(f'  {version}: {{released: "2024-01-01", cutoff: "2024-02-01"}}' for version in versions)
        (root / "releases" / f"{minor}.yaml").write_text(MINOR.format(releases=releases))
        for version in versions:
            (root / "locks" / "linux-x86_64" / f"{version}.lock").write_text(lock_text(version))
    return root


class Recorder(LocalHost):
    """The real machine, with a list of the files that were read."""

    def __init__(self) -> None:
        self.files: list[str] = []

    def read_bytes(self, path: str, limit: int = 1 << 26, offset: int = 0) -> bytes:
        self.files.append(path)
        return super().read_bytes(path, limit, offset)


def as_reader(recorder: Recorder) -> Reader:
    """A recorder is a reader; mypy checks that it is."""
    return recorder
