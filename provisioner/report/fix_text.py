"""What fix found, tried and left behind, as text and as a document."""

from __future__ import annotations

import shlex
from typing import Any, Literal

from provisioner.model import codec
from provisioner.model.finding import Finding, Verification
from provisioner.model.plan import Plan, PlanKind
from provisioner.model.record import record
from provisioner.repair.attempts import Fixing, Outcome, Tried
from provisioner.report.doctor_text import repair_words
from provisioner.report.remedy_text import remedy_lines
from provisioner.report.verify_text import conclusion, verification_text

SCHEMA = "tfsetup/fix/1"
# Of many changes the first are named.
SHOWN = 4

_KINDS = {"repair": "The small repair", "set": "The whole set put back", "rebuild": "The environment made anew"}


@record
class Attempt:
    """One attempt: ``plan`` is its seal, ``kept`` whether it stands; it was taken back otherwise. ``changes`` is what it changed, in words."""

    kind: PlanKind
    plan: str
    kept: bool
    verification: Verification
    changes: tuple[str, ...]


@record
class Fixed:
    """How a repair ended.

    ``state`` says which environment stands. ``findings`` are those of before; ``remaining`` those of now that no change of the environment mends;
    ``complete`` where these are warnings at most: all is done that a repair can do, and TensorFlow works (exit code 0).
    ``plan`` is the attempt that stands or was tried last, or the first one where nothing was tried; ``notes`` say what could not be repaired.
    """

    env: str
    outcome: Outcome
    state: Literal["new", "old"]
    findings: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    attempts: tuple[Attempt, ...]
    plan: Plan | None
    notes: tuple[str, ...]
    complete: bool


def fixed_document(fixing: Fixing) -> dict[str, Any]:
    """Return the document of ``fix --json``."""
    tried = fixing.tried
    attempts = (
        Attempt(
            kind=item.plan.kind,
            plan=item.plan.seal,
            kept=item.executed.kept,
            verification=item.executed.verification,
            changes=_changes(item.plan),
        )
        for item in tried
    )
    fixed = Fixed(
        env=fixing.before.env,
        outcome=fixing.outcome,
        state="new" if fixing.mended else "old",
        findings=fixing.before.findings,
        remaining=fixing.remaining,
        attempts=tuple(attempts),
        plan=tried[-1].plan if tried else fixing.planned,
        notes=fixing.notes,
        complete=fixing.complete,
    )
    return codec.document(SCHEMA, fixed)


def findings_text(findings: tuple[Finding, ...]) -> str:
    """Name what is wrong, root cause first; `doctor` tells more."""
    lines = ["What is wrong"]
    for item in findings:
        if item.severity != "info":
            lines.append(f"  {item.severity}: {item.title} [{item.cause}, {item.confidence}]")
            lines += [f"    seen: {evidence.seen.splitlines()[0] if evidence.seen else ''}" for evidence in item.evidence[:2]]
    return "\n".join(lines)


def left_text(remaining: tuple[Finding, ...], notes: tuple[str, ...]) -> str:
    """Say what no change of the environment mends, with what a person can do about it."""
    lines = ["What no change of the environment mends"] if remaining else []
    for item in remaining:
        lines.append(f"  {item.severity}: {item.title} [{item.cause}]")
        lines += [f"  {line}" for line in remedy_lines(item.remedy, ways=item is remaining[0])]
    lines += [f"note: {text}" for text in notes]
    return "\n".join(lines)


def taken_back_text(tried: Tried, *, verbose: bool) -> str:
    """Say that an attempt did not mend it and was taken back, and what the proof said."""
    verification = tried.executed.verification
    errors = [item.title for item in (*verification.findings, *(tried.after.findings if tried.after else ())) if item.severity == "error"]
    failed = [f"{check.name}: {check.detail}" for check in verification.checks if check.status in {"failed", "crashed", "timed out"}]
    why = next(iter((*errors, *failed)), "no check says why").splitlines()[0]
    words = f"{_KINDS[tried.plan.kind]} did not mend it and was taken back: {why}"
    return f"{verification_text(verification, verbose=True)}\n\n{words}" if verbose else words


def fixed_text(fixing: Fixing, *, verbose: bool) -> str:
    """Say how it ended: what is left, then what was done, what proves it and how to take it back; ``verbose`` has the whole proof."""
    proven = fixing.tried[-1].executed.verification if fixing.tried else None
    parts = [verification_text(proven, verbose=True)] if proven is not None and verbose else []
    left = left_text(fixing.remaining, fixing.notes)
    return "\n\n".join([*parts, *([left] if left else []), _conclusion(fixing)])


def _conclusion(fixing: Fixing) -> str:
    place = fixing.before.env or fixing.before.python
    option = f"--env {shlex.quote(place)}" if fixing.before.env else f"--python {shlex.quote(place)}"
    if fixing.standing is not None:
        verified = fixing.standing.executed.verification
        # What no repair mends keeps the proof from passing, and not TensorFlow from working.
        proof = conclusion(verified) if verified.passed or not fixing.complete else "TensorFlow works there"
        rest = "; what stands above is left, for you" if fixing.remaining else ""
        kept = [item.plan for item in fixing.tried if item.executed.kept]
        done = "; ".join(_done(plan) for plan in kept)
        return "\n".join(
            [
                f"Done in {place}: {done}",
                f"{proof}{rest}",
                f"Take it back: tfsetup undo {option}",
            ]
        )
    if fixing.complete and fixing.remaining:
        return f"Nothing to do: TensorFlow works in {place}, and what stands above no repair mends\nDo that, then: tfsetup doctor {option}"
    return {
        "healthy": f"Nothing to do: {place} is healthy\nTo prove it: tfsetup verify {option}",
        "planned": f"Nothing was changed\nTo do it: tfsetup fix {option}",
        "could not tell": f"Could not tell whether anything is wrong with {place}\nWhat could not be looked at: tfsetup doctor {option} -v",
        "unmendable": f"Nothing was changed: no change of {place} mends what is wrong\nDo what stands above, then: tfsetup doctor {option}",
    }.get(fixing.outcome, f"Nothing that was tried mends it: {place} is as it was before\nWhat would tell more: tfsetup doctor {option} -v")


def _done(plan: Plan) -> str:
    """What a plan has changed, in a few words."""
    if plan.kind == "rebuild":
        return f"made anew, with {len(plan.packages)} packages"
    words = _changes(plan)
    return ", ".join(words[:SHOWN]) + (f" and {len(words) - SHOWN} more" if len(words) > SHOWN else "")


def _changes(plan: Plan) -> tuple[str, ...]:
    gone = {item.name: item.version for item in plan.removals}
    words = [_came(item.name, gone.get(item.name, ""), item.version) for item in plan.packages]
    came = {item.name for item in plan.packages}
    words += [f"{name} {version} taken out".replace("  ", " ") for name, version in gone.items() if name not in came]
    words += [f"{item.path} moved out of the way" for item in plan.moves]
    words += [f"{item.path} {'linked' if item.target else 'written'}" for item in plan.edits]
    return tuple(words or [repair_words(item) for item in plan.repairs])


def _came(name: str, before: str, now: str) -> str:
    return f"{name} {now} anew" if before == now else f"{name} {before} -> {now}" if before else f"{name} {now} put in"
