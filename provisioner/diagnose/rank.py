"""Root cause first: findings in order, and those that follow from another one folded under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from provisioner.causes.findings import SEVERITIES
from provisioner.model.cause import Order
from provisioner.model.finding import Finding, Repair, Symptom

# What a failed import leaves when nobody knows its words: it follows from anything that is known to be wrong.
UNKNOWN = "unknown"


def ranked(findings: Iterable[Finding], causes: Order, *, traced: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """Order findings and fold symptoms under their root.

    Errors before warnings before information; what is only possible after what is likely; then by the ranking of causes. A finding becomes
    a symptom when the order of causes, or the finding of a cause itself, names a cause of at least its severity that is there. ``traced`` are
    causes for which nothing but the words of a failed import speaks: unless those are certain, they are a symptom of an error that was seen with
    certainty; and what files and versions would show (the trait ``seen-from-outside``) is the symptom of any error that was seen.
    """
    order = sorted(findings, key=lambda item: (SEVERITIES.index(item.severity), item.confidence == "possible", causes.rank(item.cause)))
    roots: dict[int, int] = {}
    for number, finding in enumerate(order):
        above = next((at for at, other in enumerate(order) if at != number and _explains(other, finding, causes, traced)), None)
        if above is not None and number not in _chain(above, roots):
            roots[number] = above
    folded: dict[int, list[Finding]] = {}
    for number in sorted(roots):
        folded.setdefault(_chain(number, roots)[-1], []).append(order[number])
    kept = [_with_symptoms(finding, folded.get(number, [])) for number, finding in enumerate(order) if number not in roots]
    return tuple(replace(finding, repairs=once(finding.repairs)) for finding in kept)


def once(repairs: Iterable[Repair]) -> tuple[Repair, ...]:
    """Each change once, with the first reason that was given for it."""
    found: dict[tuple[str, ...], Repair] = {}
    for item in repairs:
        found.setdefault((item.kind, item.name, item.version, item.path, item.target), item)
    return tuple(found.values())


def _explains(root: Finding, symptom: Finding, causes: Order, traced: frozenset[str]) -> bool:
    if SEVERITIES.index(root.severity) > SEVERITIES.index(symptom.severity) or symptom.severity == "info" or root.cause == symptom.cause:
        return False
    if symptom.cause in root.explains:
        # What can be mended for itself is told, and mended, for itself.
        return not symptom.repairs
    if root.cause in traced and causes.has(root.cause, "seen-from-outside") and symptom.cause not in traced:
        return False
    if causes.is_symptom(symptom.cause, of=root.cause):
        # Under a warning nothing is hidden that can be mended for itself: what it is about may be something else.
        return root.severity == "error" or not symptom.repairs
    seen = root.severity == "error" and root.cause not in traced
    if symptom.cause == UNKNOWN:
        return seen and root.cause != UNKNOWN
    if symptom.cause in traced and causes.has(symptom.cause, "seen-from-outside") and seen:
        return True
    return symptom.cause in traced and symptom.confidence != "certain" and seen and root.confidence == "certain"


def _chain(number: int, roots: Mapping[int, int]) -> list[int]:
    """From a finding up to its last root."""
    chain = [number]
    while chain[-1] in roots:
        chain.append(roots[chain[-1]])
    return chain


def _with_symptoms(finding: Finding, symptoms: list[Finding]) -> Finding:
    """A root without a repair of its own takes over those of its symptoms: once it is gone, they are what is left to do."""
    if not symptoms:
        return finding
    told = tuple(
        Symptom(cause=item.cause, title=item.title, evidence=item.evidence, repairs=() if finding.repairs else item.repairs)
        for item in symptoms
    )
    repairs = finding.repairs or once(repair for item in told for repair in item.repairs)
    return replace(finding, symptoms=(*finding.symptoms, *told), repairs=repairs)
