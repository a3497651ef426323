"""A set for Windows, run under wine (tests/windows/rig): installed by its lock, verified in full by tfsetup in Windows' own Python.

Wheels are installed by this machine's uv, since wine is ten times as slow; what is source alone is built by uv.exe, as on Windows.
The Windows Pythons are those that the rig has, 3.8 to 3.13.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from proof_record import Outcome

from provisioner.base.versions import is_prerelease, minor_of, numbers, version_key
from provisioner.engines import uv
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock, LockedFile, Proof
from provisioner.plan.make import package_of
from tests.windows import machine

PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
# Enough for one set on a busy machine; it takes one minute on an idle one.
VERIFY_SECONDS = 900
_WINE = "/usr/lib/wine/wine64"


class NotInstalledError(Exception):
    """A set that could not be installed, in the installer's words: nothing was proven."""


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


def prove(host: LocalHost, lock: Lock, where: str) -> Outcome:
    """Make the environment of ``lock`` on drive C, verify it there, and take it away; ``where`` is the machine in words."""
    env = machine.DRIVE / "tfsetup-prove" / f"tf-{lock.release}-{lock.python}-{lock.device}"
    started = host.now()
    try:
        install(lock, env)
        said = machine.tfsetup("verify", "--json", "--timeout", str(VERIFY_SECONDS), "--env", env.name, cwd=env.parent)
        passed, fault = judged(said)
    except NotInstalledError as error:
        return Outcome(proof=None, fault=str(error), seconds=(host.now() - started).total_seconds())
    finally:
        shutil.rmtree(env, ignore_errors=True)
    proof = Proof(
        lock=lock.digest,
        level="resolved" if fault else "emulated",
        date=started.date().isoformat(),
        machine=where,
        checks=passed,
        emulator="" if fault else emulator(),
        fault=fault,
    )
    return Outcome(proof=proof, fault=fault, seconds=(host.now() - started).total_seconds())


def judged(said: machine.Ended) -> tuple[int, str]:
    """Return from what `verify --json` said how many checks passed, and how the set fails ("" where it does not)."""
    try:
        found = json.loads(said.out)
    except ValueError:
        return 0, f"verify ended with {said.code} and no document: {' '.join(said.err.split())[-300:]}"
    if "checks" not in found:
        return 0, f"verify: {found.get('error', {}).get('message', '') or said.err[-300:]}"
    passed = sum(check["status"] == "passed" for check in found["checks"])
    faults = [f"{finding['cause']}: {finding['title']}" for finding in found["findings"] if finding["severity"] == "error"]
    faults += [f"{check['name']}: {check['detail']}" for check in found["checks"] if check["status"] in {"failed", "crashed"}]
    return passed, "; ".join(faults) or (f"verify ended with {said.code}" if said.code else "")


def install(lock: Lock, env: Path) -> None:
    """Make the environment and install the set by its hashes; raises ``NotInstalledError``."""
    shutil.rmtree(env, ignore_errors=True)
    env.parent.mkdir(exist_ok=True)
    _check(machine.winpy("uv", "venv", "--no-project", "--relocatable", "--python", lock.python, env.name, cwd=env.parent))
    built = [file for file in lock.files if file.source]
    wheels = _requirements(env / "wheels.txt", [file for file in lock.files if not file.source])
    site = env / "Lib" / "site-packages"
    platform = ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", lock.python, "--only-binary", ":all:"]
    argv = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
        "--target",
        str(site),
        *platform,
        "-r",
        str(wheels),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    _check(machine.Ended(done.returncode, done.stdout, done.stderr))
    if built:
        sources = _requirements(env / "sources.txt", built)
        named = [part for file in built for part in ("--no-binary", file.name)]
        argv = ["pip", "install", "--no-deps", "--require-hashes", *named, "--python", f"{env.name}/Scripts/python.exe"]
        # A cache of its own: in that of this machine's uv are links, of which wine makes none.
        _check(machine.winpy("uv", *argv, "-r", str(sources), cwd=env.parent, UV_CACHE_DIR="C:\\tfsetup-prove\\cache"))


def _requirements(path: Path, files: Sequence[LockedFile]) -> Path:
    path.write_text(uv.requirements_text(package_of(file) for file in files), encoding="utf-8")
    return path


def _check(done: machine.Ended) -> None:
    if done.code:
        raise NotInstalledError(f"not installed: {' '.join(done.err.split())[-400:]}")


def runnable(locks: Sequence[Lock]) -> list[Lock]:
    """Return the locks that the rig has a Python for: the newest of each minor release on its newest Python, then the others; newest first."""
    mine = [lock for lock in locks if lock.python in PYTHONS]
    mine.sort(key=lambda lock: (version_key(lock.release), numbers(lock.python)), reverse=True)
    first: dict[str, Lock] = {}
    for lock in mine:
        if not is_prerelease(lock.release):
            first.setdefault(minor_of(lock.release), lock)
    return [*first.values(), *(lock for lock in mine if first.get(minor_of(lock.release)) is not lock)]
