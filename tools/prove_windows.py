"""A set for Windows, run under wine (tests/windows/rig): installed by its lock, verified in full by tfsetup in Windows' own Python.

Wheels are installed by this machine's uv, since wine is ten times as slow; what is source alone is built by uv.exe, as on Windows.
The Windows Pythons are those that the rig has, 3.8 to 3.13.

A set for CUDA gets the small files that `apply` would put into it (plan/dll_files.py), is verified in the same way, and is started once more with the
rig's stand-in for NVIDIA's driver: TensorFlow itself must have loaded each DLL that the profile names, from inside the environment.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import prove_elsewhere
from proof_record import Outcome
from prove_elsewhere import VERIFY_SECONDS

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock
from provisioner.plan.dll_files import CUDA, dll_files
from tests.windows import machine

PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
OPENED = Path(__file__).with_name("opened_dlls.py")
_WINE = "/usr/lib/wine/wine64"


@cache
def ready() -> str:
    """Make the Windows machine with tfsetup on it, and return it in words. Raises ``SystemExit`` where there can be none."""
    if lacking := machine.lacking():
        raise SystemExit(f"no set for Windows can be run here: {lacking}")
    machine.ready()
    machine.install()
    found = json.loads(machine.tfsetup("detect", "--json", cwd=machine.DRIVE).out)
    build = found["system"]["version"]["value"]
    return f"Windows build {build} as {emulator()} gives it, on Linux"


def emulator() -> str:
    """Return wine and its version: ``wine 8.0``."""
    said = subprocess.run([_WINE, "--version"], capture_output=True, text=True, check=True).stdout
    return " ".join(said.split()[0].split("-", 1))


def runnable(locks: Sequence[Lock]) -> list[Lock]:
    """Return the locks that the rig has a Python for, in the order in which they are run."""
    return prove_elsewhere.in_order([lock for lock in locks if lock.python in PYTHONS])


def prove(host: LocalHost, lock: Lock) -> Outcome:
    """Make the environment of ``lock`` on drive C, verify it there, and take it away."""
    env = machine.DRIVE / "tfsetup-prove" / f"tf-{lock.release}-{lock.python}-{lock.device}"
    asked = ("verify", "--json", "--timeout", str(VERIFY_SECONDS), "--env", env.name)
    verify = partial(machine.tfsetup, *asked, cwd=env.parent)
    found = prove_elsewhere.outcome(
        host,
        lock,
        env,
        install=partial(install, lock, env),
        verify=verify,
        also=partial(not_opened, lock, env),
        where=ready(),
        by=emulator(),
    )
    if lock.device == "cpu" or found.proof is None:
        return found
    return replace(found, proof=replace(found.proof, stand_ins="NVIDIA's driver"))


def install(lock: Lock, env: Path) -> None:
    """Make the environment and install the set by its hashes; raises ``NotInstalledError``."""
    shutil.rmtree(env, ignore_errors=True)
    env.parent.mkdir(exist_ok=True)
    _check(machine.winpy("uv", "venv", "--no-project", "--relocatable", "--python", lock.python, env.name, cwd=env.parent))
    prove_elsewhere.install_wheels(lock, env, env / "Lib" / "site-packages", "x86_64-pc-windows-msvc")
    for file in dll_files(CUDA) if lock.device == "cuda" else ():
        (env / "Lib" / "site-packages" / file.path).write_text(file.text, encoding="utf-8", newline="\n")
    built = [file for file in lock.files if file.source]
    if built:
        sources = prove_elsewhere.requirements(env / "sources.txt", built)
        named = [part for file in built for part in ("--no-binary", file.name)]
        argv = ["pip", "install", "--no-deps", "--require-hashes", *named, "--python", f"{env.name}/Scripts/python.exe"]
        # A cache of its own: in that of this machine's uv are links, of which wine makes none.
        _check(machine.winpy("uv", *argv, "-r", str(sources), cwd=env.parent, UV_CACHE_DIR="C:\\tfsetup-prove\\cache"))


def not_opened(lock: Lock, env: Path) -> str:
    """Say which DLLs that a set for CUDA must open TensorFlow does not load from inside the environment; "" where it loads all."""
    release = Catalogue.open(LocalHost(), find_profiles()).release(lock.release)
    build = release.build(lock.platform) if release else None
    if lock.device == "cpu" or build is None or build.cuda is None:
        return ""
    names, stand_in = build.cuda.must_open, f"Z:{machine.ROOT}/build/nvcuda".replace("/", "\\")
    python = f"{env.name}/Scripts/python.exe"
    said = machine.winpy(python, str(OPENED), *names, cwd=env.parent, WINPY_PATH=stand_in)
    return unopened(said, names, f"C:/{env.relative_to(machine.DRIVE).as_posix()}/")


def unopened(said: machine.Ended, names: Sequence[str], inside: str) -> str:
    """Judge what `opened_dlls.py` printed: which of ``names`` did not come from the folder ``inside``."""
    lines = [line for line in said.out.splitlines() if line.startswith("{")]
    if not lines:
        return f"TensorFlow ended with {said.code} while it looked for GPUs: {' '.join(said.err.split())[-300:]}"
    found: dict[str, str] = json.loads(lines[-1])
    wrong = [f"{name} ({found.get(name) or 'not loaded'})" for name in names if not found.get(name, "").lower().startswith(inside.lower())]
    return f"TensorFlow did not open from inside the environment: {', '.join(wrong)}" if wrong else ""


def _check(done: machine.Ended) -> None:
    prove_elsewhere.check(done.code, done.err)
