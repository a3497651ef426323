"""Checks of what a conda environment is: one that must not be changed, one that is active, one whose activation files are as they were made."""

from __future__ import annotations

import posixpath
import shlex

from provisioner.causes.findings import Findings
from provisioner.diagnose import conda
from provisioner.diagnose.case import Case, CheckSpec, Skipped
from provisioner.environment.conda_records import protection
from provisioner.environment.layout import layout
from provisioner.host import files
from provisioner.model.finding import Evidence, Remedy, Repair

PROTECTED = "tfsetup never changes this environment"
UNWRITTEN = "Activation files of tfsetup are missing or changed"


def protected(case: Case, findings: Findings) -> str:
    """Whether the environment is frozen (CEP 22), conda's own, pixi's, or managed by others (PEP 668)."""
    state = conda.state(case)
    why = protection(case.reader, state.root)
    if not why:
        return "it may be changed"
    words = Remedy(words="Make an environment of its own beside it, and use that", steps=("tfsetup apply --env ./tf-env",))
    findings.add("unknown", "info", "certain", Evidence(seen=why, where=state.root), title=PROTECTED, remedy=words)
    return why


def activation(case: Case, findings: Findings) -> str:
    """The activation scripts that tfsetup wrote are there, and the shell's active environment is the one whose Python it starts."""
    state = conda.state(case)
    said = [_shell(case, findings)]
    edits = case.receipt.plan.edits if case.receipt is not None else ()
    wrong = [edit for edit in edits if edit.text and files.read(case.reader, posixpath.join(state.root, edit.path)).text != edit.text]
    for edit in wrong:
        path = posixpath.join(state.root, edit.path)
        what = "is not as it was written" if files.there(case.reader, path) else "is not there"
        repair = Repair(kind="write", path=path, target=edit.text, reason=edit.reason)
        findings.add("install-corrupt", "warning", "certain", Evidence(seen=what, where=path), title=UNWRITTEN, repairs=(repair,))
    said += [f"{edit.path} is not as it was written" for edit in wrong]
    return "; ".join(text for text in said if text) or f"{len(edits)} activation files are as they were written"


def _shell(case: Case, findings: Findings) -> str:
    """CONDA_PREFIX names one environment, and ``python`` of PATH is another's: what one sets for its libraries meets the other's."""
    active = case.reader.env.get("CONDA_PREFIX", "")
    found = case.reader.which("python") or case.reader.which("python3") or ""
    if not active or not found:
        return ""
    mine = files.real(case.reader, active) == files.real(case.reader, case.env)
    here = files.real(case.reader, posixpath.dirname(found)) == files.real(
        case.reader, posixpath.dirname(posixpath.join(case.env, layout(case.reader.platform).conda_python))
    )
    if mine == here:
        return ""
    seen = Evidence(seen=f"CONDA_PREFIX is {active}, but `python` is {found}", where="PATH")
    remedy = Remedy(words="Activate the environment that is meant, in a new shell", steps=(f"conda activate {shlex.quote(case.env)}",))
    findings.add("wrong-environment", "warning" if mine else "info", "likely", seen, remedy=remedy, title="" if mine else ACTIVE)
    return seen.seen


ACTIVE = "Another conda environment is active than the one whose Python comes first"


def moved(case: Case, findings: Findings) -> str:
    """The environment stands where its packages were linked for: conda writes that place into its files."""
    state = conda.state(case)
    if case.receipt is None:
        raise Skipped("where it was made is not known")
    made = case.receipt.plan.env.path
    if made == state.root:
        return f"it was made for {made}"
    seen = Evidence(seen=f"it was made for {made}, and its scripts and settings name that place", where=state.root)
    findings.add("wrong-environment", "warning", "likely", seen, title=MOVED, repairs=(Repair(kind="rebuild", reason=seen.seen),))
    return seen.seen


MOVED = "The conda environment was moved or copied after it was made"

CHECKS = (
    CheckSpec(name="conda-protection", title="whether the environment may be changed", look=protected),
    CheckSpec(
        name="conda-activation", title="the activation scripts are there, and the active environment is the one that runs", look=activation
    ),
    CheckSpec(name="conda-place", title="the environment stands where it was made for", look=moved),
)
