"""A set for Windows, run under wine (tests/windows/rig): installed by its lock, verified in full by tfsetup in Windows' own Python.

Wheels are installed by this machine's uv, since wine is ten times as slow; what is source alone is built by uv.exe, as on Windows.
The Windows Pythons are those that the rig has, 3.8 to 3.13.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import prove_elsewhere
from proof_record import Outcome
from prove_elsewhere import VERIFY_SECONDS

from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock
from tests.windows import machine

PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
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
    return prove_elsewhere.outcome(host, lock, env, install=partial(install, lock, env), verify=verify, where=ready(), by=emulator())


def install(lock: Lock, env: Path) -> None:
    """Make the environment and install the set by its hashes; raises ``NotInstalledError``."""
    shutil.rmtree(env, ignore_errors=True)
    env.parent.mkdir(exist_ok=True)
    _check(machine.winpy("uv", "venv", "--no-project", "--relocatable", "--python", lock.python, env.name, cwd=env.parent))
    prove_elsewhere.install_wheels(lock, env, env / "Lib" / "site-packages", "x86_64-pc-windows-msvc")
    built = [file for file in lock.files if file.source]
    if built:
        sources = prove_elsewhere.requirements(env / "sources.txt", built)
        named = [part for file in built for part in ("--no-binary", file.name)]
        argv = ["pip", "install", "--no-deps", "--require-hashes", *named, "--python", f"{env.name}/Scripts/python.exe"]
        # A cache of its own: in that of this machine's uv are links, of which wine makes none.
        _check(machine.winpy("uv", *argv, "-r", str(sources), cwd=env.parent, UV_CACHE_DIR="C:\\tfsetup-prove\\cache"))


def _check(done: machine.Ended) -> None:
    prove_elsewhere.check(done.code, done.err)
