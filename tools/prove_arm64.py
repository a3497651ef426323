"""A set for Linux on aarch64, run by qemu (tests/arm64/rig): installed by its lock, verified in full by tfsetup in Debian's Python for arm64.

Wheels are installed by this machine's uv, since qemu is ten times as slow; what is source alone is built there.
The Pythons are those that Debian has: 3.9, 3.11, 3.13, 3.14, each in the suite that has it. The tool runs in that suite's newest.
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
from provisioner.model import codec
from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts, machine_words
from tests.arm64 import machine
from tests.cli.support import Ended

_QEMU = "/usr/bin/qemu-aarch64-static"


def ready() -> None:
    """Raise ``SystemExit`` where there can be no such machine; each is made when the first set needs it."""
    if lacking := machine.lacking():
        raise SystemExit(f"no set for aarch64 can be run here: {lacking}")


@cache
def where(suite: str) -> str:
    """Make the machine of a suite with tfsetup on it, and return it in words."""
    root = machine.ready(suite)
    machine.install(suite)
    found = machine.tfsetup("detect", "--json", suite=suite, cwd=root / "work")
    facts = codec.from_data(Facts, json.loads(found.out), file="detect", schema="tfsetup/facts/1")
    return f"{machine_words(facts)}, as {emulator()} gives it, on Linux"


@cache
def emulator() -> str:
    """Return qemu and its version: ``qemu 7.2``."""
    said = subprocess.run([_QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    return "qemu " + ".".join(said.split()[2].split(".")[:2])


def runnable(locks: Sequence[Lock]) -> list[Lock]:
    """Return the locks that Debian has a Python for, in the order in which they are run: one suite after the other, as each is a machine."""
    return [
        lock
        for suite in machine.TOOL_PYTHONS
        for lock in prove_elsewhere.in_order([lock for lock in locks if machine.SUITES.get(lock.python) == suite])
    ]


def prove(host: LocalHost, lock: Lock) -> Outcome:
    """Make the environment of ``lock`` in the folder, verify it there, and take it away."""
    suite = machine.SUITES[lock.python]
    named = where(suite)
    env = machine.ROOT / suite / "work" / f"tf-{lock.release}-{lock.python}-{lock.device}"
    asked = ("verify", "--json", "--timeout", str(VERIFY_SECONDS), "--env", env.name)
    verify = partial(machine.tfsetup, *asked, suite=suite, cwd=env.parent)
    return prove_elsewhere.outcome(host, lock, env, install=partial(install, lock, env, suite), verify=verify, where=named, by=emulator())


def install(lock: Lock, env: Path, suite: str) -> None:
    """Make the environment and install the set by its hashes; raises ``NotInstalledError``."""
    shutil.rmtree(env, ignore_errors=True)
    python = f"/usr/bin/python{lock.python}"
    _check(machine.run(python, "-m", "venv", "--without-pip", env.name, suite=suite, cwd=env.parent))
    prove_elsewhere.install_wheels(lock, env, env / "lib" / f"python{lock.python}" / "site-packages", machine.UV_PLATFORM)
    built = [file for file in lock.files if file.source]
    if built:
        sources = prove_elsewhere.requirements(env / "sources.txt", built)
        named = [part for file in built for part in ("--no-binary", file.name)]
        argv = ["-m", "uv", "pip", "install", "--no-deps", "--require-hashes", *named, "--python", f"{env.name}/bin/python"]
        tool = f"/usr/bin/python{machine.TOOL_PYTHONS[suite]}"
        _check(machine.run(tool, *argv, "-r", f"{env.name}/{sources.name}", suite=suite, cwd=env.parent))


def _check(done: Ended) -> None:
    prove_elsewhere.check(done.code, done.err)
