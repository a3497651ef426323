"""Checks of a conda environment's files against conda's records, and of the records themselves.

Source: conda's documentation, "Managing environments" and ``conda doctor`` (missing and altered files); the form of a record is
``facts/conda_env.py``.
"""

from __future__ import annotations

from provisioner.causes.findings import Findings
from provisioner.diagnose import conda, import_result
from provisioner.diagnose.case import Case, CheckSpec
from provisioner.environment.conda_owned import identity
from provisioner.judge.conda_files import CondaFault, is_code
from provisioner.model.finding import Evidence, Severity

SHOWN = 6
UNNEEDED = "Files of conda packages that TensorFlow does not need are not as recorded"
BROKEN = "A record of conda's is broken, so that conda can no longer change the environment"
TWICE = "A conda package is recorded twice"


def files(case: Case, findings: Findings) -> str:
    """Every file of conda's packages is there and as recorded; what pip has replaced is told by another check."""
    state = conda.state(case)
    needed, stale = conda.needed(case), conda.left_behind(state)
    groups: dict[tuple[str, Severity], list[CondaFault]] = {}
    for fault in state.faults:
        if not fault.by and fault.package not in stale:
            groups.setdefault(_meaning(case, fault, needed), []).append(fault)
    for (cause, severity), found in groups.items():
        _add(cause, severity, found, findings)
    bad = sum(len(found) for found in groups.values())
    words = f"{state.files} files of {len(state.records)} conda packages, {state.hashed} of them by content"
    return f"{words}; {bad} are not as recorded" if bad else words


def _meaning(case: Case, fault: CondaFault, needed: frozenset[str]) -> tuple[str, Severity]:
    if fault.package not in needed or not is_code(case.env, fault.path):
        return "install-corrupt", "info"
    cause = "permission-denied" if fault.kind == "unreadable" else "install-corrupt"
    if fault.kind == "content" and import_result.works(case) is None:
        # Somebody may have changed a file on purpose; it is only wrong when something does not work.
        return cause, "warning"
    return cause, import_result.breaking(case)[0]


def _add(cause: str, severity: Severity, found: list[CondaFault], findings: Findings) -> None:
    packages = list(dict.fromkeys(fault.package for fault in found))
    evidence = [Evidence(seen=f"{fault.detail} (conda's {fault.package})", where=fault.path) for fault in found[:SHOWN]]
    if len(found) > SHOWN:
        evidence.append(Evidence(seen=f"and {len(found) - SHOWN} more files of {', '.join(packages[:SHOWN])}", where=""))
    repairs = tuple(conda.relink(package, "files of it are not as recorded") for package in packages) if severity != "info" else ()
    findings.add(cause, severity, "certain", *evidence, repairs=repairs, title=UNNEEDED if severity == "info" else "")


def records(case: Case, findings: Findings) -> str:
    """Each package of conda's has one record, and it can be read."""
    state = conda.state(case)
    stale = conda.left_behind(state)
    said = []
    for item in state.records:
        where, package = f"{state.root}/{item.meta}", identity(item)
        if package in stale:
            seen = f"{item.name} is recorded as {item.version} {item.build}, too; the files are those of {stale[package]}"
            repairs = (conda.unlink(package, f"the files are those of {stale[package]}"),)
            findings.add("install-corrupt", "warning", "certain", Evidence(seen=seen, where=where), title=TWICE, repairs=repairs)
            said.append(f"{item.name} twice")
        elif item.problem and item.version:
            seen = f"the record of {package} cannot be used: {item.problem}"
            repairs = (conda.relink(package, "its record is broken"),)
            findings.add("install-corrupt", "warning", "certain", Evidence(seen=seen, where=where), title=BROKEN, repairs=repairs)
            said.append(f"{package}: {item.problem}")
    return "; ".join(said) or f"{len(state.records)} packages, each with one record"


CHECKS = (
    CheckSpec(name="conda-files", title="the files of conda's packages are there and whole", look=files),
    CheckSpec(name="conda-records", title="each conda package has one record, which can be read", look=records),
)
