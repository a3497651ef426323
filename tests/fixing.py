"""The inputs of repair plans for tests: a lock of tiny wheels, an environment as it is read, no catalogue."""

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
from provisioner.model.plan import Choice, Plan
from provisioner.model.request import Request
from provisioner.plan.parts import PlanInputs
from provisioner.repair import doable, plans
from provisioner.repair.model import RepairInputs
from tests.choose.values import shipped_order
from tests.support import PYTHON, machine

VERSION = ".".join(map(str, sys.version_info[:3]))


def interpreter(path: str = sys.executable, version: str = VERSION) -> Interpreter:
    """Return an interpreter."""
    return Interpreter(path=path, version=version, bits=64, architecture="x86_64", implementation="cpython", origin="path")


def repair_inputs(
    site: Site,
    lock: Lock | None,
    *,
    asides: Mapping[str, str] | None = None,
    installed=(),
    config: str = "",
    choice=None,
    request=None,
    **changes,
) -> RepairInputs:
    """Return the inputs of an environment that holds ``lock``, or part of it."""
    common = PlanInputs(
        tool="test",
        made="2026-01-01T00:00:00+00:00",
        machine="a test machine",
        request=request or Request(env=site.state.path),
        facts=machine(),
        catalogue="test",
        cache="/cache",
        site=site,
        choice=choice or Choice(
            release=lock.release if lock else "0", python=PYTHON, interpreter=interpreter(), device="cpu", platform="linux-x86_64",
            reasons=("it is the release that is installed",), refusals=(), warnings=(), gpus=(),
        ),
        lock=lock,
        proof="tested",
    )  # fmt: skip
    values = {
        "common": common,
        "own": next((file.name for file in lock.files if is_rival(file.name)), "") if lock else "",
        "installed": installed,
        "markers": {"python_version": PYTHON, "python_full_version": VERSION, "sys_platform": "linux", "platform_machine": "x86_64"},
        "asides": asides or {},
        "config": config,
        "causes": shipped_order(),
    }
    return RepairInputs(**{**values, **changes})


def inputs_of(host: Host, env: Path, lock: Lock | None, **changes) -> RepairInputs:
    """Return the inputs of an environment on disk."""
    site = read_broken(host, str(env))
    config = env / "pyvenv.cfg"
    text = config.read_text() if config.exists() else ""
    return repair_inputs(site, lock, installed=installed(host, str(env)), config=text, **changes)


def smallest(inputs: RepairInputs, repairs: tuple[Repair, ...]) -> Plan:
    """Return the plan of the smallest attempt."""
    return plans.smallest(inputs, doable.sort(repairs, inputs))


def whole(inputs: RepairInputs, repairs: tuple[Repair, ...]) -> Plan:
    """Return the plan of the whole set."""
    return plans.whole(inputs, doable.sort(repairs, inputs))


def rebuild(inputs: RepairInputs, repairs: tuple[Repair, ...], lost: tuple[str, ...]) -> Plan:
    """Return the plan of the environment made anew."""
    return plans.rebuild(inputs, doable.sort(repairs, inputs), lost)


def finding(*repairs: Repair, severity: Severity = "error", cause: str = "install-corrupt") -> Finding:
    """Return a finding with these repairs."""
    return Finding(
        cause=cause, severity=severity, confidence="certain", title=cause, evidence=(Evidence(seen="it", where="there"),),
        remedy=Remedy(words="mend it"), repairs=repairs,
    )  # fmt: skip


def locked(name: str, version: str) -> LockedFile:
    """Return a file of a lock that nobody installs."""
    return LockedFile(name=name, version=version, filename=f"{name}-{version}-py3-none-any.whl", sha256="a" * 64, size=10, unpacked=100)
