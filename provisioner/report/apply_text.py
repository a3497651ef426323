"""What apply, verify and undo did, as text and as documents."""

from __future__ import annotations

import shlex
from typing import Any

from provisioner.base.called import program_there
from provisioner.base.paths import spelt
from provisioner.change.execute import Executed
from provisioner.change.recovery import Undoable
from provisioner.environment.layout import WINDOWS, layout
from provisioner.model import codec
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.report.plan_text import interrupted_words
from provisioner.report.verify_text import verification_text

APPLY_SCHEMA = "tfsetup/apply/1"
VERIFY_SCHEMA = "tfsetup/verify/1"
UNDO_SCHEMA = "tfsetup/undo/1"


def verification_document(verification: Verification) -> dict[str, Any]:
    """Return the document of ``verify --json``."""
    return {"schema": VERIFY_SCHEMA, "passed": verification.passed, **codec.to_data(verification)}


def applied_document(plan: Plan, executed: Executed | None) -> dict[str, Any]:
    """Return the document of ``apply --json``; ``executed`` is None when there was nothing to do."""
    return {
        "schema": APPLY_SCHEMA,
        "env": plan.env.path,
        "release": plan.choice.release,
        "python": plan.choice.python,
        "device": plan.choice.device,
        "changed": executed is not None and executed.kept,
        "state": "new" if executed is None or executed.kept else "old",
        "installed": codec.to_data(plan.packages),
        "linked": codec.to_data(plan.conda.packages) if plan.conda is not None else [],
        "removed": codec.to_data(plan.removals),
        "conflicts": list(plan.conflicts),
        "neighbours": codec.to_data(plan.neighbours),
        "moved": codec.to_data(plan.moved),
        "findings": codec.to_data(executed.verification.findings) if executed else [],
        "verification": codec.to_data(executed.verification) if executed else None,
        "plan": plan.seal,
    }


def nothing_to_do(plan: Plan, *, whole: bool = True) -> str:
    """Say that the environment is as planned already, and why that is known; ``whole`` is false where something beside the set is wrong."""
    if not whole:
        return f"Nothing to do: the set is there. What is wrong beside it a repair mends: tfsetup fix --env {shlex.quote(plan.env.path)}"
    return "\n".join(
        [
            f"Nothing to do: {plan.env.path} is as planned",
            f"It has every package of the {_set_name(plan)} set of TensorFlow {plan.choice.release} for Python {plan.choice.python}, and no rivals",
            f"To prove it again: tfsetup verify --env {shlex.quote(plan.env.path)}",
        ]
    )


def applied_text(plan: Plan, executed: Executed, *, verbose: bool) -> str:
    """Say how an apply ended."""
    text = verification_text(executed.verification, verbose=verbose)
    if not executed.kept:
        there = {"absent": "was removed again", "empty": "is an empty folder again"}.get(plan.env.kind, "is as it was before")
        return f"{text}\n\nThe verification failed, so the change was taken back: {plan.env.path} {there}"
    # What was wrong beside it before is told by the verification, and another matter.
    told = "verified" if executed.verification.passed else "and computes; not all beside it fits (`tfsetup doctor`)"
    return "\n".join(
        [
            text,
            "",
            f"Done: TensorFlow {plan.choice.release} is in {plan.env.path}, {told}",
            _use(plan),
            *(f"In Jupyter and VS Code: the kernel `{item.label}`" for item in plan.kernels),
            f"Add packages around it: tfsetup apply --env {shlex.quote(plan.env.path)} --with NAME",
            f"Take it back: tfsetup undo --env {shlex.quote(plan.env.path)}",
        ]
    )


def _set_name(plan: Plan) -> str:
    """What a channel declares to go together is not called known-good."""
    return "channel's" if plan.choice.road == "conda" else "known-good"


def _use(plan: Plan) -> str:
    """Say how the environment is used: by its name where conda finds it by that, else by its own script."""
    shape = layout(plan.choice.platform)
    activate = f"{plan.env.path}/{shape.activate}"
    # The words of cmd and PowerShell, which both find their own script by that name.
    typed = program_there(spelt(activate))
    there = f'{typed} (in PowerShell with "& " before it)' if typed.startswith('"') else typed
    script = f"Use it: {there}" if shape is WINDOWS else f"Use it: source {shlex.quote(activate)}"
    named = next((item for item in plan.conda.registered if item.kind == "link"), None) if plan.conda is not None else None
    return f"{script}, or conda activate {shlex.quote(named.path.rsplit('/', 1)[-1])}" if named is not None else script


def undo_text(found: Undoable) -> str:
    """Say what undo will do."""
    root = found.workspace.root
    if found.interrupted is not None and found.interrupted.undoing:
        return f"{interrupted_words(found.interrupted, root).split(';')[0]}; it is finished"
    if found.interrupted is not None:
        return f"{interrupted_words(found.interrupted, root).split(';')[0]}; what it had begun is taken back"
    if found.record is None or found.record.made:
        becomes = "the folder is emptied" if found.record is not None and found.record.inside else "it is removed, with all that is in it"
        lines = [f"{root} was made by tfsetup{_when(found)}; {becomes}"]
        return "\n".join([*lines, *_kernel_lines(found), *_since_lines(found), *(f"  {text}" for text in found.stays)])
    journal = found.way.journal if found.way is not None else found.record
    moved = f"{len(journal.incoming)} new entries are taken out, {len(journal.outgoing)} old ones are put back"
    steps = f", in {found.steps} steps, as it was made" if found.steps > 1 else ""
    lines = [f"The change of {root}{_when(found)} is taken back{steps}: {moved}{', and so on' if steps else ''}"]
    lines += [f"  {move.target} is renamed to {move.path}" for move in found.record.moves]
    return "\n".join([*lines, *_kernel_lines(found), *_since_lines(found)])


def _kernel_lines(found: Undoable) -> list[str]:
    """Say which notebook kernels go."""
    outside = found.record.outside if found.record is not None else ()
    return [f"  the notebook kernel `{item.label}` is taken away ({item.path})" for item in outside if item.kind == "kernel"]


def _since_lines(found: Undoable) -> list[str]:
    """Say what becomes of that which came since."""
    if found.way is None:
        return []
    journal, verdict = found.way.journal, found.way.verdict
    aside = {path for item in verdict.obstacles for path in item.paths} if journal.kept else set()
    moved = [item.what for item in verdict.obstacles if item.paths] if aside else []
    lines = [f"  {name} came since, and is moved to {journal.keep}" for name in moved]
    lines += [f"  {name} came since, and stays" for name in found.added if name not in moved]
    return lines + [f"  {name} does not come back: what came since is in its place" for name in verdict.unreturned]


def _when(found: Undoable) -> str:
    return f" ({found.record.started})" if found.record else ""


def nothing_to_undo(found: Undoable) -> str:
    """Say that there is nothing to take back."""
    return f"Nothing to undo: tfsetup has changed nothing at {found.workspace.root} (another environment is named with --env)"


def undone_text(done: tuple[Undoable, ...]) -> str:
    """Say that undo is done, of all the changes that went back."""
    left = " but for what came since (named above)" if any(it.added or (it.way and it.way.verdict.unreturned) for it in done) else ""
    kept = next((it.way.journal.keep for it in done if it.way is not None and it.way.journal.kept), "")
    moved = f"\nWhat was in the way is in {kept}" if kept else ""
    return "\n".join([f"Done: {done[0].workspace.root} is as it was before{left}{moved}", *(text for it in done for text in it.stays)])


def undo_document(done: tuple[Undoable, ...]) -> dict[str, Any]:
    """Return the document of ``undo --json``, of all the changes that went back."""
    found = done[0]
    # An interrupted run is taken back alone; what was moved by it is in no record, for it may not have been moved at all.
    before = found.interrupted or done[-1].record
    ways = [it.way for it in done if it.way is not None and not it.interrupted]
    journals = [it.way.journal if it.way is not None else it.record for it in done if not it.interrupted]
    known = [journal for journal in journals if journal is not None]
    return {
        "schema": UNDO_SCHEMA,
        "env": found.workspace.root,
        "interrupted": codec.to_data(found.interrupted) if found.interrupted else None,
        "restored": before.before if before else None,
        "removed": [path for journal in known for path in journal.incoming],
        "put_back": [path for journal in known for path in journal.outgoing],
        "kept": list(dict.fromkeys(name for it in done for name in it.added)),
        "moved_aside": [path for journal in known for path in journal.kept],
        "moved_to": next((journal.keep for journal in known if journal.kept), None),
        "not_returned": [name for way in ways for name in way.verdict.unreturned],
        "stays": [text for it in done for text in it.stays],
        "steps": found.steps,
    }
