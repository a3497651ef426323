"""The ground of repair plans for tests: a lock of tiny wheels, an environment as it is read, no catalogue."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from provisioner.base.names import is_rival
from provisioner.environment.damaged import read_broken
from provisioner.environment.distributions import installed
from provisioner.environment.read import Site
from provisioner.host import Host
from provisioner.model.catalogue import Lock, LockedFile
from provisioner.model.facts import Interpreter
from provisioner.model.finding import Evidence, Finding, Remedy, Repair, Severity
from provisioner.model.plan import Choice
from provisioner.model.request import Request
from provisioner.repair.plans import Ground
from tests.choose.values import shipped_order
from tests.support import PYTHON

VERSION = ".".join(map(str, sys.version_info[:3]))


def interpreter(path: str = sys.executable, version: str = VERSION) -> Interpreter:
    """Return an interpreter."""
    return Interpreter(path=path, version=version, bits=64, architecture="x86_64", implementation="cpython", origin="path")


def ground(site: Site, lock: Lock | None, *, asides: Mapping[str, str] | None = None, installed=(), config: str = "", **changes) -> Ground:
    """Return the ground of an environment that holds ``lock``, or part of it."""
    values = {
        "tool": "test",
        "made": "2026-01-01T00:00:00+00:00",
        "machine": "a test machine",
        "request": Request(env=site.state.path),
        "facts": "test",
        "catalogue": "test",
        "cache": "/cache",
        "site": site,
        "choice": Choice(
            release=lock.release if lock else "0", python=PYTHON, interpreter=interpreter(), device="cpu", platform="linux-x86_64",
            reasons=("it is the release that is installed",), refusals=(), warnings=(), gpus=(),
        ),
        "lock": lock,
        "own": next((file.name for file in lock.files if is_rival(file.name)), "") if lock else "",
        "proof": "tested",
        "installed": installed,
        "markers": {"python_version": PYTHON, "python_full_version": VERSION, "sys_platform": "linux", "platform_machine": "x86_64"},
        "asides": asides or {},
        "config": config,
        "causes": shipped_order(),
    }  # fmt: skip
    return Ground(**{**values, **changes})


def read_ground(host: Host, env: Path, lock: Lock | None, **changes) -> Ground:
    """Return the ground of an environment on disk."""
    site = read_broken(host, str(env))
    config = env / "pyvenv.cfg"
    return ground(site, lock, installed=installed(host, str(env)), config=config.read_text() if config.exists() else "", **changes)


def finding(*repairs: Repair, severity: Severity = "error", cause: str = "install-corrupt") -> Finding:
    """Return a finding with these repairs."""
    return Finding(
        cause=cause, severity=severity, confidence="certain", title=cause, evidence=(Evidence(seen="it", where="there"),),
        remedy=Remedy(words="mend it"), repairs=repairs,
    )  # fmt: skip


def locked(name: str, version: str) -> LockedFile:
    """Return a file of a lock that nobody installs."""
    return LockedFile(name=name, version=version, filename=f"{name}-{version}-py3-none-any.whl", sha256="a" * 64, size=10, unpacked=100)
