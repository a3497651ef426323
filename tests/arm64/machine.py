"""Debian for arm64 on this machine, one folder a suite: made by ``rig/setup`` where it is not there yet, with tfsetup installed into its Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cli.support import Ended

RIG = Path(__file__).parent / "rig"
REPOSITORY = RIG.parent.parent.parent
ROOT = Path(os.environ.get("TFSETUP_ARM64") or Path.home() / ".cache" / "tfsetup-arm64")
# Which suite of Debian has a Python, and into which of its Pythons the tool is installed.
SUITES = {"3.9": "bookworm", "3.11": "bookworm", "3.13": "trixie", "3.14": "sid"}
TOOL_PYTHONS = {"bookworm": "3.11", "trixie": "3.13", "sid": "3.14"}
# The oldest glibc of these suites, as uv names wheels that run on it.
UV_PLATFORM = "aarch64-manylinux_2_36"
SECONDS = 1800


def lacking() -> str:
    """Say why no such machine can be made here, "" where one can."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return "the folder for arm64 is made on Linux for x86-64 alone"
    if os.geteuid() != 0:
        return "only root makes a folder with another Debian in it, and enters it"
    if shutil.which("apt-get") is None:
        return "it is made of Debian's packages, by apt-get"
    return ""


def ready(suite: str) -> Path:
    """Make the machine where it is missing (minutes, 400 MB), and return its folder."""
    done = subprocess.run([str(RIG / "setup"), suite], check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip())


def run(*argv: str, suite: str, cwd: Path) -> Ended:
    """Run a program on it; ``cwd`` is a folder of this machine, which is /here there."""
    done = subprocess.run([str(RIG / "run"), "-s", suite, *argv], cwd=cwd, capture_output=True, timeout=SECONDS, check=False)
    return Ended(done.returncode, done.stdout.decode("utf-8", "backslashreplace"), done.stderr.decode("utf-8", "backslashreplace"))


def install(suite: str) -> None:
    """Put this repository's wheel, and what it needs, into the Python: from here, where uv need not be emulated."""
    python = TOOL_PYTHONS[suite]
    wheels = ROOT / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "build", "--quiet", "--wheel", "--out-dir", str(wheels), str(REPOSITORY)], check=True)
    (wheel,) = wheels.glob("*.whl")
    target = ROOT / suite / "usr/local/lib" / f"python{python}" / "dist-packages"
    shutil.rmtree(target, ignore_errors=True)
    platform = ["--python-platform", UV_PLATFORM, "--python-version", python, "--only-binary", ":all:"]
    subprocess.run([*uv, "pip", "install", "--quiet", "--target", str(target), *platform, str(wheel)], check=True)


def tfsetup(*argv: str, suite: str, cwd: Path) -> Ended:
    """Run the tool there."""
    return run(f"/usr/bin/python{TOOL_PYTHONS[suite]}", "-m", "tfsetup", *argv, suite=suite, cwd=cwd)
