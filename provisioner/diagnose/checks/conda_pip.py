"""Checks of what pip and uv have put over conda's packages: conda does not know of it, and puts its own back when it changes something.

Source: conda's documentation, "Using pip in a conda environment" ("once pip has been used, conda will be unaware of the changes").
"""

from __future__ import annotations

import posixpath

from provisioner.base.names import is_rival
from provisioner.causes.findings import Findings
from provisioner.conda.specs import spec_name
from provisioner.diagnose import conda as conda_case
from provisioner.diagnose import import_result, packages
from provisioner.diagnose.case import Case, CheckSpec
from provisioner.environment.conda_owned import identity
from provisioner.judge.conda_files import CondaFault, CondaState, Over
from provisioner.model.finding import Evidence, Repair, Severity

OVER = "pip has replaced packages of conda, and conda does not know it"
UNNEEDED = "pip has replaced conda packages that TensorFlow does not need"
SHOWN = 6


def over(case: Case, findings: Findings) -> str:
    """No package that TensorFlow needs was put over one of conda's."""
    state = conda_case.state(case)
    said = []
    for item in state.over:
        said.append(f"{item.name} {item.version} over conda's {item.package}")
        _add(case, state, item, findings)
    known = {item.package for item in state.over}
    rest: dict[tuple[str, str], list[CondaFault]] = {}
    for fault in state.faults:
        if fault.by and fault.package not in known:
            rest.setdefault((fault.by, fault.package), []).append(fault)
    for (name, package), found in rest.items():
        said.append(f"files of {name} over conda's {package}")
        _add_files(name, package, found, findings)
    return "; ".join(said[:SHOWN]) or "nothing of conda's was replaced"


def _add(case: Case, state: CondaState, item: Over, findings: Findings) -> None:
    ours = is_rival(item.name)
    severity, cause = _gravity(case, item.name), "conflicting-tf-packages" if ours else "install-corrupt"
    what = f"{item.name} {item.version} was installed by pip or uv"
    there = (
        f"conda's own, {item.conda}, is there, too" if item.both else f"over conda's {item.package}, which conda still takes for installed"
    )
    seen = Evidence(seen=f"{what}; {there}", where=item.metadata)
    repairs = _repairs(case, state, item) if severity != "info" else ()
    title = "" if ours and severity != "info" else OVER if severity != "info" else UNNEEDED
    findings.add(cause, severity, "certain", seen, title=title, repairs=repairs)


def _gravity(case: Case, name: str) -> Severity:
    if name not in packages.needed(case) and not is_rival(name):
        return "info"
    return import_result.breaking(case)[0]


def _repairs(case: Case, state: CondaState, item: Over) -> tuple[Repair, ...]:
    """Keep what the receipt says is known good; without one conda's where something needs it or the import fails, else what is there."""
    why = f"{item.name} {item.version} was installed over it"
    forget = (conda_case.unlink(item.package, f"{item.name} {item.version}, which took its place, stays"),)
    conda = (
        Repair(kind="remove", name=item.name, version=item.version, reason=f"conda's {item.package} comes back"),
        conda_case.relink(item.package, why),
    )
    plan = case.receipt.plan if case.receipt is not None else None
    if plan is not None and item.name in plan.expected:
        restored = Repair(kind="restore", name=item.name, version=plan.expected[item.name], reason="its files were mixed with conda's")
        return (*forget, restored) if item.both or item.version != plan.expected[item.name] else forget
    held = (
        {**plan.conda.unchanged, **{one.name: f"{one.version} {one.build}" for one in plan.conda.packages}} if plan and plan.conda else {}
    )
    package = next((one for one in state.records if identity(one) == item.package), None)
    if package is not None and held.get(package.name) == f"{package.version} {package.build}":
        return conda
    users = [one.name for one in state.records if package and package.name in {spec_name(spec) for spec in one.depends}]
    return conda if item.both or users or import_result.works(case) is not True else forget


def _add_files(name: str, package: str, found: list[CondaFault], findings: Findings) -> None:
    """A wheel that has written files which a conda package of another name brings: whoever came last has won."""
    evidence = [Evidence(seen=f"{fault.detail}: {name} has written it over conda's {package}", where=fault.path) for fault in found[:SHOWN]]
    names = ", ".join(posixpath.basename(fault.path) for fault in found[SHOWN:][:SHOWN])
    evidence += [Evidence(seen=f"and {len(found) - SHOWN} more: {names}", where="")] if names else []
    findings.add("install-corrupt", "info", "certain", *evidence, title=UNNEEDED)


CHECKS = (CheckSpec(name="conda-pip", title="pip has replaced nothing of conda's that TensorFlow needs", look=over),)
