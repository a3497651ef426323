"""What ``doctor`` found as plain text: root cause first, what follows from it under it, what to do; every symbol stands beside its word."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provisioner.model import codec
from provisioner.model.diagnosis import Changes, Difference, Examination, Examined
from provisioner.model.finding import Evidence, Finding
from provisioner.report.remedy_text import remedy_lines

if TYPE_CHECKING:
    from provisioner.diagnose.case import CheckSpec

SCHEMA = "tfsetup/examination/1"
SYMBOLS = {"healthy": "+", "info": "i", "warning": "!", "error": "x", "could not tell": "?", "crashed": "?", "skipped": "-"}
EVIDENCE_SHOWN = 3
# A piece of evidence of several lines (a traceback) is cut to this unless --verbose.
LINES_SHOWN = 4


def examination_document(examination: Examination, changes: Changes | None) -> dict[str, Any]:
    """Return the document of ``doctor --json``; ``changes`` is there with ``--compare``."""
    document = {"schema": SCHEMA, "healthy": examination.healthy, **codec.to_data(examination)}
    return {**document, "changes": codec.to_data(changes)} if changes is not None else document


def check_list(specs: Iterable[CheckSpec]) -> str:
    """Return the checks that there are, one a line."""
    rows = [(spec.name, spec.title) for spec in specs]
    wide = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{wide}}  {title}" for name, title in rows)


def examination_text(examination: Examination, changes: Changes | None, *, verbose: bool, kept: str = "") -> str:
    """Return the report for a terminal; ``verbose`` shows every check, all evidence and what is only information.

    ``kept`` says why `fix` would refuse what was examined; nothing is offered of it then.
    """
    offered = any(item.repairs for item in examination.findings)
    if kept:
        examination = replace(examination, findings=tuple(replace(item, repairs=()) for item in examination.findings))
    serious = [item for item in examination.findings if item.severity != "info"]
    # What an interrupted run left comes first, though nothing is wrong with the environment.
    left = [item for item in examination.findings if item.interrupted]
    quiet = [item for item in examination.findings if item.severity == "info" and item not in left]
    parts = [_head(examination), *(finding_text(item, verbose=verbose) for item in left)]
    if verbose:
        parts.append("\n".join(_check(item) for item in examination.checks))
    parts += [finding_text(item, verbose=verbose, ways=verbose or item is serious[0]) for item in serious]
    if quiet:
        parts.append("\n\n".join(finding_text(item, verbose=True) for item in quiet) if verbose else _quiet(quiet))
    if changes is not None:
        parts.append(changes_text(changes))
    parts.append(_conclusion(examination, serious) + (f"\n`tfsetup fix` leaves it as it is: {kept}" if kept and offered else ""))
    return "\n\n".join(parts) + "\n"


def _head(examination: Examination) -> str:
    what = "Environment" if examination.env else "Interpreter"
    lines = [f"{what}  {examination.env or examination.python}" + (f" ({examination.taken})" if examination.taken else "")]
    lines.append(f"Python       {_python(examination)}, {examination.python}")
    lines.append(f"TensorFlow   {examination.tensorflow or 'not found'}")
    lines.append(f"Started in   {examination.cwd}")
    lines += [f"Notebook     {item.detail}" for item in examination.checks if item.name == "notebook" and item.result != "skipped"]
    return "\n".join(lines)


def _python(examination: Examination) -> str:
    if examination.static:
        return f"{examination.python_version or 'of an unknown version'} (by its files: it was not started)"
    return examination.python_version or "does not answer"


def _check(item: Examined) -> str:
    detail = item.detail.splitlines()[0] if item.detail else ""
    return f"{SYMBOLS[item.result]} {item.result:<14}  {item.name:<16}  {item.title}" + (f": {detail}" if detail else "")


def finding_text(finding: Finding, *, verbose: bool, ways: bool = True) -> str:
    """Return one finding with its evidence, what follows from it, and what to do; with ``ways`` also what else does it."""
    sure = {"certain": "", "likely": " (likely)", "possible": " (possible)"}[finding.confidence]
    lines = [f"{finding.severity.upper()}: {finding.title}{sure} [{finding.cause}]"]
    lines += _evidence(finding.evidence, "  ", verbose=verbose)
    for symptom in finding.symptoms:
        lines.append(f"  From this follows: {symptom.title} [{symptom.cause}]")
        lines += _evidence(symptom.evidence, "    ", verbose=verbose) if verbose else []
    if finding.repairs and finding.severity != "info":
        lines.append("  `tfsetup fix` would " + "; ".join(repair_words(item) for item in finding.repairs[:EVIDENCE_SHOWN]))
    return "\n".join([*lines, *remedy_lines(finding.remedy, ways=ways)])


def repair_words(repair: Any) -> str:
    """Return a repair in a few words."""
    match repair.kind:
        case "restore":
            return f"put {repair.name} back as it belongs"
        case "remove":
            return f"take out {repair.name} {repair.version}".rstrip()
        case "link":
            return f"link {repair.path} to {repair.target}"
        case "move away":
            return f"move {repair.path} out of the way" + (" (your own file: only with your consent)" if repair.own else "")
        case "write":
            return f"write {repair.path}"
        case "interpreter":
            return f"let the environment use {repair.target}"
        case "relink":
            return f"link conda's {repair.name} anew"
        case "unlink":
            return f"take conda's {repair.name} out"
        case _:
            return "build the environment anew"


def _evidence(evidence: tuple[Evidence, ...], indent: str, *, verbose: bool) -> list[str]:
    shown = evidence if verbose else evidence[:EVIDENCE_SHOWN]
    lines: list[str] = []
    for item in shown:
        rows = item.seen.splitlines() or [""]
        kept = rows if verbose else rows[:LINES_SHOWN]
        lines.append(f"{indent}seen: {kept[0]}")
        lines += [f"{indent}      {row}" for row in kept[1:]]
        if len(kept) < len(rows):
            lines.append(f"{indent}      … {len(rows) - len(kept)} more lines with --verbose")
        if item.where:
            lines.append(f"{indent}  in: {item.where}")
    if len(shown) < len(evidence):
        lines.append(f"{indent}… {len(evidence) - len(shown)} more with --verbose")
    return lines


def _quiet(findings: list[Finding]) -> str:
    names = ", ".join(dict.fromkeys(item.cause for item in findings))
    return f"Also seen, and nothing to do about: {names} (--verbose shows them)"


def changes_text(changes: Changes) -> str:
    """Return what changed since the earlier examination."""
    groups = (("New", changes.new), ("Gone", changes.gone), ("Changed", changes.changed), ("Checks with another result", changes.checks))
    lines = ["Since then"]
    for title, items in groups:
        lines += [f"  {title}: {_difference(item)}" for item in items]
    return "\n".join(lines) if len(lines) > 1 else "Since then nothing has changed"


def _difference(item: Difference) -> str:
    if item.before and item.after:
        return f"{item.name} ({item.title}): {item.after}; before: {item.before}"
    return f"{item.name} ({item.title}), {item.after or item.before}"


def _conclusion(examination: Examination, serious: list[Finding]) -> str:
    results = [item.result for item in examination.checks]
    open_ = [item.name for item in examination.checks if item.result in {"could not tell", "crashed"}]
    words = f"{len(results)} check{'s' if len(results) != 1 else ''}"
    if open_:
        words += f"; no answer from: {', '.join(open_)}"
    if not serious:
        skipped = results.count("skipped")
        words += f"; {skipped} did not apply" if skipped else ""
        told = any(result in {"healthy", "info"} for result in results)
        return f"Result: {'nothing is wrong' if told else 'could not tell'} ({words})"
    first = serious[0]
    where = f" --env {shlex.quote(examination.env)}" if examination.env else f" --python {shlex.quote(examination.python)}"
    mend = f"\nMend it: tfsetup fix{where}"
    return f"Result: {first.title} [{first.cause}] ({words})" + (mend if any(item.repairs for item in serious) else "")
