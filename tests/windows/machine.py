"""A Windows machine on this one: made by ``rig/setup`` where it is not there yet, with tfsetup installed into one of its Pythons."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

RIG = Path(__file__).parent / "rig"
ROOT = Path(os.environ.get("TFSETUP_WINE") or Path.home() / ".cache" / "tfsetup-wine")
DRIVE = ROOT / "prefix" / "drive_c"
REPOSITORY = RIG.parent.parent.parent
# The Python that the tool is installed into.
PYTHON = "3.11"
SECONDS = 1800


@dataclass(frozen=True)
class Ended:
    """How a program on Windows ended: its exit code, and what it said, line ends as they came."""

    code: int
    out: str
    err: str


def lacking() -> str:
    """Say why no such machine can be made here, "" where one can."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return "wine runs Windows' programs for x86-64 on Linux of the same processor alone"
    programs = {"wine": "/usr/lib/wine/wine64", "gcc-mingw-w64-x86-64": "x86_64-w64-mingw32-gcc"}
    missing = " and ".join(package for package, program in programs.items() if shutil.which(program) is None)
    if missing and os.geteuid() != 0:
        return f"{missing} not installed, which only root does"
    if missing and shutil.which("apt-get") is None:
        return f"{missing} not installed, and there is no apt-get to do that"
    return ""


def ready(*pythons: str) -> None:
    """Make the machine with these Pythons (all of them where none is named), where anything of it is missing: 90 s, 1 GB in ``ROOT``."""
    # What it fetches it fetches with pip, which the Python that runs this has.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    subprocess.run(
        [str(RIG / "setup"), *pythons], check=True, stdout=sys.stderr, env={**os.environ, "PATH": path, "TFSETUP_WINE": str(ROOT)}
    )


def winpy(*argv: str, cwd: Path | None = None, stdin: str = "", **variables: str) -> Ended:
    """Run a program on it: ``3.11`` is a Python, ``uv`` is uv.exe, else the path of an ``.exe``; in a folder of its drive C."""
    # Around a test no variable of the tool's is set, and this one looks like one.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "TFSETUP_WINE": str(ROOT), **variables}
    done = subprocess.run(
        [sys.executable, str(RIG / "winpy"), *argv],
        cwd=cwd or DRIVE,
        env=env,
        input=stdin.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode("utf-8", "backslashreplace"), done.stderr.decode("utf-8", "backslashreplace"))


def install(drive: Path = DRIVE) -> None:
    """Put this repository's wheel, and what it needs, into the Python, as `uv pip install` there would; from here it is ten times as fast."""
    wheels = drive.parent.parent / f"{drive.parent.name}-wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "build", "--quiet", "--wheel", "--out-dir", str(wheels), str(REPOSITORY)], check=True)
    (wheel,) = wheels.glob("*.whl")
    target = drive / f"Python{PYTHON.replace('.', '')}" / "Lib" / "site-packages"
    for name in ("provisioner", "tfsetup.py"):
        place = target / name
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink(missing_ok=True)
    for old in target.glob("tfsetup-*.dist-info"):
        shutil.rmtree(old)
    platform = ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", PYTHON, "--only-binary", ":all:"]
    subprocess.run([*uv, "pip", "install", "--quiet", "--target", str(target), *platform, str(wheel)], check=True)


def tfsetup(*argv: str, cwd: Path, **variables: str) -> Ended:
    """Run the tool there."""
    return winpy(PYTHON, "-m", "tfsetup", *argv, cwd=cwd, **variables)


def assert_ended(ended: Ended, code: int, says: str) -> None:
    """Hold a run to its exit code and to what its data say; what it printed is in the error."""
    assert ended.code == code, ended.out + ended.err
    assert says in ended.out, ended.out + ended.err
