"""What ``explain`` says, as plain text and as a document."""

from __future__ import annotations

from typing import Any

from provisioner.model import codec
from provisioner.model.diagnosis import Explanation
from provisioner.model.finding import Finding
from provisioner.report.remedy_text import remedy_lines

SCHEMA = "tfsetup/explanation/1"
# Without --verbose: how much evidence of a finding is shown, and how many findings that are merely possible.
EVIDENCE_SHOWN = 2
POSSIBLE_SHOWN = 2


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Return the document of ``explain --json``."""
    return codec.document(SCHEMA, explanation)


def explanation_text(explanation: Explanation, *, verbose: bool) -> str:
    """Return the report: the findings, root cause first, what would tell more, and notices."""
    lines = f"{explanation.lines} {'line' if explanation.lines == 1 else 'lines'}"
    parts = [f"Log  {explanation.source}: {lines}, {explanation.known} recognised"]
    if verbose and explanation.context:
        parts.append("Known of the machine\n" + "\n".join(f"  {key}: {value}" for key, value in explanation.context.items()))
    first, *others = explanation.findings
    parts.append(_finding(first, verbose=verbose))
    shown = others if verbose else [item for item in others if item.confidence != "possible"]
    parts.extend(_finding(item, verbose=verbose, told=(first, *shown[:number])) for number, item in enumerate(shown))
    rest = [item for item in others if item not in shown]
    if rest:
        names = [f"  {item.cause}: {item.title}" for item in rest[:POSSIBLE_SHOWN]]
        parts.append("Less likely\n" + "\n".join(names))
    if explanation.send:
        parts.append("To find out more, give\n" + "\n".join(f"  - {item}" for item in explanation.send))
    parts.extend(f"Notice: {item}" for item in explanation.notices)
    parts.append(f"More: tfsetup explain {first.cause}")
    return "\n\n".join(parts) + "\n"


def _finding(finding: Finding, *, verbose: bool, told: tuple[Finding, ...] = ()) -> str:
    """Return one finding; what mends one that was ``told`` before, too, is not said twice."""
    lines = [f"{finding.severity.upper()} {finding.cause} ({finding.confidence}): {finding.title}"]
    for item in finding.evidence if verbose else finding.evidence[:EVIDENCE_SHOWN]:
        lines.append(f"  seen: {item.seen}")
        lines.append(f"    in: {item.where}")
    left = len(finding.evidence) - EVIDENCE_SHOWN
    if not verbose and left > 0:
        lines.append(f"  … {left} more with --verbose")
    lines.extend(f"  follows from it: {symptom.cause}, {symptom.title}" for symptom in finding.symptoms)
    same = next((item.cause for item in told if item.remedy == finding.remedy), "")
    return "\n".join([*lines, *([f"  do: the same as for {same}"] if same else remedy_lines(finding.remedy))])
