"""Compiles the small C libraries that answer as NVIDIA's would, with the system's compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
RELEASE = "550.54.14"
NEEDS_COMPILER = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


def compile_library(source: Path, path: Path, soname: str, *options: str) -> None:
    """Build one shared library; a compiler's complaint fails the test."""
    assert COMPILER
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-Wall", *options, f"-Wl,-soname,{soname}", "-o", path, source], check=True)


def build_driver(folder: Path) -> Path:
    """Both libraries of a driver as its installer leaves them: files with the release in their names, and links with the soname."""
    for name, define in (("libnvidia-ml", "NVML"), ("libcuda", "CUDA")):
        compile_library(Path(__file__).with_name("fake_driver.c"), folder / f"{name}.so.{RELEASE}", f"{name}.so.1", f"-D{define}")
        (folder / f"{name}.so.1").symlink_to(f"{name}.so.{RELEASE}")
    return folder
