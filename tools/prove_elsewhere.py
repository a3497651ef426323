"""What the runs of sets on emulated machines share: which come first, how a set is installed from here, what its verification came to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from proof_record import Outcome

from provisioner.base.versions import is_prerelease, minor_of, numbers, version_key
from provisioner.engines import uv
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock, LockedFile, Proof
from provisioner.plan.make import package_of

# Enough for one set on a busy machine; it takes one or two minutes on an idle one.
VERIFY_SECONDS = 900


class NotInstalledError(Exception):
    """A set that could not be installed, in the installer's words: nothing was proven."""


class Said(Protocol):
    """How a program ended."""

    @property
    def code(self) -> int: ...
    @property
    def out(self) -> str: ...
    @property
    def err(self) -> str: ...


def in_order(locks: Sequence[Lock]) -> list[Lock]:
    """Return the newest of each minor release on its newest Python, then the others; newest first."""
    by_age = sorted(locks, key=lambda lock: (version_key(lock.release), numbers(lock.python)), reverse=True)
    first: dict[str, Lock] = {}
    for lock in by_age:
        if not is_prerelease(lock.release):
            first.setdefault(minor_of(lock.release), lock)
    return [*first.values(), *(lock for lock in by_age if first.get(minor_of(lock.release)) is not lock)]


def outcome(
    host: LocalHost,
    lock: Lock,
    env: Path,
    *,
    install: Callable[[], None],
    verify: Callable[[], Said],
    where: str,
    by: str,
    also: Callable[[], str] = str,
) -> Outcome:
    """Install a set into ``env``, verify it and take it away; ``where`` is the machine in words, ``by`` its emulator.

    ``also`` looks at what was verified, and says what is wrong with it ("" where nothing is).
    """
    started = host.now()
    try:
        install()
        passed, fault = judged(verify())
        fault = fault or also()
    except NotInstalledError as error:
        return Outcome(proof=None, fault=str(error), seconds=_since(host, started))
    finally:
        shutil.rmtree(env, ignore_errors=True)
    proof = Proof(
        lock=lock.digest,
        level="resolved" if fault else "emulated",
        date=started.date().isoformat(),
        machine=where,
        checks=passed,
        emulator="" if fault else by,
        fault=fault,
    )
    return Outcome(proof=proof, fault=fault, seconds=_since(host, started))


def _since(host: LocalHost, started: datetime) -> float:
    return (host.now() - started).total_seconds()


def judged(said: Said) -> tuple[int, str]:
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


def install_wheels(lock: Lock, env: Path, site: Path, platform: str) -> None:
    """Install the set's wheels by their hashes into ``site``, by this machine's uv; ``platform`` as uv names it."""
    wheels = requirements(env / "wheels.txt", [file for file in lock.files if not file.source])
    argv = [sys.executable, "-m", "uv", "pip", "install", "--no-deps", "--require-hashes", "--target", str(site)]
    argv += ["--python-platform", platform, "--python-version", lock.python, "--only-binary", ":all:"]
    done = subprocess.run([*argv, "-r", str(wheels)], capture_output=True, text=True, check=False)
    check(done.returncode, done.stderr)


def requirements(path: Path, files: Sequence[LockedFile]) -> Path:
    """Write a list of files by their hashes."""
    path.write_text(uv.requirements_text(package_of(file) for file in files), encoding="utf-8")
    return path


def check(code: int, err: str) -> None:
    """Hold an installer to its exit code."""
    if code:
        raise NotInstalledError(f"not installed: {' '.join(err.split())[-400:]}")
