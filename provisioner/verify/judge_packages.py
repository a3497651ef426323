"""Judgement of what is installed: versions against the plan, files against their records, requirements, leaks. Pure."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from provisioner.base.names import RELEASED
from provisioner.judge import conda_files
from provisioner.judge.comparing import Fault
from provisioner.judge.conda_files import CondaState
from provisioner.model.finding import Check, Confidence, Evidence, Severity
from provisioner.verify.events import Event
from provisioner.verify.raw import Expected, Raw

if TYPE_CHECKING:
    from provisioner.causes.findings import Findings

# Packages that have a cause of their own; all others are dependency-incompatible.
CAUSES = {
    "protobuf": "protobuf-incompatible",
    "numpy": "numpy-incompatible",
    "keras": "keras-incompatible",
    "tf-keras": "keras-incompatible",
    "tensorflow-estimator": "keras-incompatible",
    "python": "python-unsupported",
}
# Modules whose own version is compared with the metadata of the distribution beside them.
MODULES = {"numpy": "numpy", "protobuf": "google.protobuf", "keras": "keras", "tf-keras": "tf_keras", "h5py": "h5py"}
SHOWN = 8


def checks(raw: Raw, expected: Expected, findings: Findings, *, failing: bool) -> list[Check]:
    """Judge everything that was read from outside, and give one check for each question."""
    _versions(raw, expected, findings)
    _leaks(raw, findings, failing=failing)
    return [_plan(raw, expected, findings), _integrity(raw, findings, failing=failing), _requirements(raw, findings, failing=failing)]


def cause_of(name: str) -> str:
    """The cause code for a package that does not fit."""
    return CAUSES.get(name, "dependency-incompatible")


def _versions(raw: Raw, expected: Expected, findings: Findings) -> None:
    """What the modules say of themselves against the plan and against the metadata beside them."""
    versions = raw.ran("versions")
    if versions is None or versions.status != "passed":
        return
    told = str(versions.data.get("tensorflow", ""))
    if expected.tensorflow and _plain(told) != _plain(expected.tensorflow):
        seen = Evidence(seen=f"tf.__version__ is {told}, the plan has {expected.tensorflow}", where=str(versions.data.get("file", "")))
        findings.add("install-corrupt", "error", "certain", seen)
    installed = {item.name: item for item in raw.integrity.distributions}
    for name in RELEASED:
        if name in installed and _plain(installed[name].version) != _plain(told):
            seen = Evidence(
                seen=f"tf.__version__ is {told}, the metadata of {name} says {installed[name].version}", where=installed[name].metadata
            )
            findings.add("install-corrupt", "error", "certain", seen)
    modules = versions.data.get("modules", {})
    for name, module in MODULES.items():
        said = modules.get(module, "")
        if said and name in installed and _plain(str(said)) != _plain(installed[name].version):
            where = installed[name].metadata
            seen = Evidence(seen=f"the module {module} is {said}, the metadata says {installed[name].version}", where=where)
            findings.add("install-corrupt", "warning", "likely", seen)


def _plain(version: str) -> str:
    """A version without local part and post-release: 2.15.0.post1 calls itself 2.15.0; Keras before 2.6 adds ``-tf``."""
    return re.split(r"\+|-|\.post|rc", version, maxsplit=1)[0]


def _plan(raw: Raw, expected: Expected, findings: Findings) -> Check:
    if not expected.packages:
        return Check(name="plan", status="skipped", detail="no plan is known for this environment")
    installed = {item.name: item.version for item in raw.integrity.distributions}
    different = [(name, version) for name, version in sorted(expected.packages.items()) if installed.get(name) != version]
    for name, version in different:
        found = installed.get(name, "")
        words = f"{name} {found} is installed, the plan has {version}" if found else f"{name} {version} of the plan is not installed"
        cause = "install-corrupt" if name in RELEASED or not found else cause_of(name)
        # Another version that meets what is required is no fault.
        severity: Severity = "error" if name in RELEASED or not found else "info"
        findings.add(
            cause,
            severity,
            "certain" if severity == "error" else "possible",
            Evidence(seen=words, where="installed metadata"),
            wants=(f"{name}=={version}",),
        )
    missing = [name for name, _ in different if name not in installed or name in RELEASED]
    detail = f"{len(expected.packages) - len(different)} of {len(expected.packages)} packages as planned"
    if different:
        detail += "; different: " + ", ".join(name for name, _ in different[:SHOWN])
    return Check(name="plan", status="failed" if missing else "passed", detail=detail)


def _integrity(raw: Raw, findings: Findings, *, failing: bool) -> Check:
    state = raw.integrity
    if state.rivals:
        owners = [item for item in state.distributions if item.name in state.rivals]
        seen = [Evidence(seen=f"{item.name} {item.version} owns the tensorflow folder", where=item.metadata) for item in owners]
        findings.add("conflicting-tf-packages", "error", "certain", *seen)
    if not raw.integrity.distributions and not state.conda:
        return Check(name="integrity", status="could not tell", detail="no installed distributions were found")
    faults = (*state.faults, *_of_conda(state.conda))
    bad = [fault for fault in faults if fault.kind in {"missing", "size", "unreadable", "two writers"}]
    altered = [fault for fault in faults if fault.kind == "content"]
    rest = [fault for fault in state.faults if fault.kind in {"leftover", "stray", "no record", "no metadata"}]
    groups: tuple[tuple[list[object], Severity], ...] = (
        (list(bad), "error"),
        (list(altered), "error" if failing else "warning"),
        (list(rest), "warning"),
    )
    for group, severity in groups:
        shown = [fault for fault in faults if fault in group][:SHOWN]
        evidence = [Evidence(seen=_seen(fault), where=fault.path) for fault in shown]
        if len(group) > SHOWN:
            evidence.append(Evidence(seen=f"and {len(group) - SHOWN} more files", where=""))
        if evidence:
            cause = "permission-denied" if all(fault.kind == "unreadable" for fault in shown) else "install-corrupt"
            findings.add(cause, severity, "certain", *evidence)
    files = f"{state.files} files of {len(state.distributions)} packages"
    files += f", {state.conda.files} files of {len(state.conda.records)} conda packages" if state.conda is not None else ""
    appended = sum(fault.kind == "appended" for fault in state.faults)
    files += f", {appended} list of certificates with additions" if appended else ""
    published = sum(fault.kind == "published" for fault in state.faults)
    files += f", {published} as published against the wheel's own record" if published else ""
    wrong = len(bad) + len(altered) + len(rest)
    if wrong or state.rivals:
        what = f"{wrong} missing, damaged, altered or left over" if wrong else "several distributions own tensorflow"
        return Check(name="integrity", status="failed", detail=f"{files}; {what}")
    return Check(name="integrity", status="passed", detail=f"{files} as recorded")


def _seen(fault: Fault) -> str:
    """Say what is wrong with a file in the words of the examination, which says it, too: of two writers both names are told already."""
    return fault.detail if fault.other else f"{fault.detail} ({fault.distribution or 'no distribution'})"


def _of_conda(conda: CondaState | None) -> tuple[Fault, ...]:
    return tuple(
        Fault(distribution=f"conda's {item.package}", kind=item.kind, path=item.path, detail=item.detail)
        for item in conda_files.of_packages(conda)
    )


def _requirements(raw: Raw, findings: Findings, *, failing: bool) -> Check:
    if not raw.probe.first("interpreter"):
        return Check(name="requirements", status="could not tell", detail="the interpreter did not say what it is")
    for item in raw.unmet:
        # A requirement that is not met may well work; when the import fails, it is the likely reason.
        severity: Severity = "info" if item.note else "warning"
        confidence: Confidence = "likely" if failing and not item.note else "possible"
        seen = Evidence(seen=item.sentence, where="requirements of the installed packages")
        findings.add(cause_of(item.name), severity, confidence, seen, wants=(item.wanted,))
    missing = [item for item in raw.unmet if not item.note]
    if not missing:
        return Check(name="requirements", status="passed", detail="every package has what it requires")
    more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    return Check(name="requirements", status="failed", detail=f"not met: {missing[0].sentence}{more}")


def _leaks(raw: Raw, findings: Findings, *, failing: bool) -> None:
    loaded = raw.probe.first("loaded")
    here = raw.probe.first("interpreter")
    for item in loaded.get("modules", ()):
        severity: Severity = "error" if failing and item["hides"] else "warning"
        if item["module"] in {"sitecustomize", "usercustomize"} and not item["hides"]:
            continue
        way = _way(item, here)
        hides = f" instead of the one in {item['hides']}" if item["hides"] else ""
        seen = Evidence(seen=f"the module {item['module']} is loaded from there{hides}, through {way}", where=item["file"])
        # A distribution that lies there as a whole leaks in; a single file of that name is the user's own.
        own = item["hides"] and posixpath.basename(item["file"]) == item["module"] + ".py"
        findings.add("module-shadowed" if own else "environment-leak", severity, "certain" if failing or not own else "likely", seen)
    for item in loaded.get("libraries", ()):
        seen = Evidence(seen=f"loaded through {item['variable']} ({item['entry']})", where=item["file"])
        findings.add("environment-leak", "warning", "likely", seen)


def _way(item: Event, here: Event) -> str:
    entry = item["entry"]
    if entry and entry == here.get("user_site"):
        return "the user's site-packages"
    if entry and entry.startswith(str(here.get("base_prefix", "/nonexistent"))):
        return "the base interpreter (include-system-site-packages)"
    return f"the module path entry {entry} (PYTHONPATH or a .pth file)" if entry else "an import hook"
