"""What fix found, tried and left behind, as text and as a document."""

from __future__ import annotations

import shlex
from typing import Any, Literal

from provisioner.model import codec
from provisioner.model.finding import Finding, Verification
from provisioner.model.plan import Plan, PlanKind
from provisioner.model.record import record
from provisioner.report.verify_text import verification_text

SCHEMA = "tfsetup/fix/1"

Outcome = Literal["healthy", "planned", "mended", "failed", "unmendable", "could not tell"]
_KINDS = {"repair": "the small repair", "set": "the whole set", "rebuild": "the environment made anew"}


@record
class Attempt:
    """One attempt: ``plan`` is its seal, ``kept`` whether it stands; it was taken back otherwise."""

    kind: PlanKind
    plan: str
    kept: bool
    verification: Verification


@record
class Fixed:
    """How a repair ended.

    ``state`` says which environment stands. ``findings`` are those of before; ``remaining`` those of now that no change of the environment mends;
    ``plan`` is the attempt that stands, or the next one where nothing was tried; ``notes`` say what could not be repaired.
    """

    env: str
    outcome: Outcome
    state: Literal["new", "old"]
    findings: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    attempts: tuple[Attempt, ...]
    plan: Plan | None
    notes: tuple[str, ...]


def fixed_document(fixed: Fixed) -> dict[str, Any]:
    """Return the document of ``fix --json``."""
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
        lines.append(f"    do: {item.remedy.words}")
        lines += [f"      $ {step}" for step in item.remedy.steps]
    lines += [f"note: {text}" for text in notes]
    return "\n".join(lines)


def taken_back_text(plan: Plan, verification: Verification, *, verbose: bool) -> str:
    """Say that an attempt did not mend it and was taken back."""
    errors = [finding.title for finding in verification.findings if finding.severity == "error"]
    failed = [f"{check.name}: {check.detail}" for check in verification.checks if check.status in {"failed", "crashed", "timed out"}]
    why = next(iter((*errors, *failed)), "the examination afterwards still finds what it found before")
    words = f"This did not mend it, so it was taken back: {_KINDS[plan.kind]} ends in: {why.splitlines()[0]}"
    return f"{verification_text(verification, verbose=True)}\n{words}" if verbose else words


def fixed_text(fixed: Fixed, *, verbose: bool) -> str:
    """Say how it ended."""
    parts: list[str] = []
    last = fixed.attempts[-1] if fixed.attempts else None
    if last is not None and fixed.outcome in {"mended", "failed"}:
        parts.append(verification_text(last.verification, verbose=verbose).rstrip())
    left = left_text(fixed.remaining, fixed.notes)
    parts += [left] if left else []
    parts.append(_conclusion(fixed, last))
    return "\n\n".join(parts)


def _conclusion(fixed: Fixed, last: Attempt | None) -> str:
    env = shlex.quote(fixed.env)
    if fixed.outcome == "healthy":
        return f"Nothing to do: {fixed.env} is healthy\nTo prove it: tfsetup verify --env {env}"
    if fixed.outcome == "planned":
        return f"Nothing was changed. To do it: tfsetup fix --env {env}"
    if fixed.outcome == "could not tell":
        return f"Could not tell whether anything is wrong with {fixed.env}\nTo see what could not be looked at: tfsetup doctor --env {env} -v"
    if fixed.outcome == "unmendable":
        return f"Nothing was changed: no change of {fixed.env} mends what is wrong; do what stands above, then run `tfsetup verify --env {env}`"
    if fixed.outcome == "mended" and last is not None:
        done = f"Done: {fixed.env} is mended ({_KINDS[last.kind]}), and was verified"
        rest = "; what stands above is left" if fixed.remaining else ""
        return f"{done}{rest}\nTake it back: tfsetup undo --env {env}"
    return f"Nothing that was tried mends it: {fixed.env} is as it was before\nWhat would tell more: tfsetup doctor --env {env} -v"
