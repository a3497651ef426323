"""The verification as plain text: every symbol stands beside its word."""

from __future__ import annotations

from provisioner.base.text import seconds_words
from provisioner.model.finding import Check, Finding, LoadedLibrary, Verification
from provisioner.report.remedy_text import remedy_lines

SYMBOLS = {"passed": "+", "failed": "x", "crashed": "x", "timed out": "x", "skipped": "-", "not proven": "-", "could not tell": "?"}
EVIDENCE_SHOWN = 4
# A multi-line piece of evidence (a stack) is cut to this unless --verbose.
LINES_SHOWN = 6


def verification_text(v: Verification, *, verbose: bool) -> str:
    """Return the report: the checks with their times, the libraries, the findings with evidence and remedy, and the conclusion.

    Where all is well that is one line, with what to be warned of above it. ``verbose`` shows all of it, all evidence, the harmless messages one by
    one, and the libraries that are optional and absent.
    """
    if v.passed and not verbose:
        left = [_quiet(finding, verbose=False) for finding in v.findings if finding.interrupted]
        warned = [_finding(finding, ways=False, verbose=False) for finding in v.findings if finding.severity != "info"]
        return "\n\n".join([*left, *warned, conclusion(v)])
    parts = [f"Environment  {v.env}\nTensorFlow   {v.tensorflow or 'not found'}" + (f" ({v.device} build)" if v.device else "")]
    parts.append(_checks(v.checks))
    if v.libraries:
        parts.append(_libraries(v.libraries, verbose=verbose))
    serious = [finding for finding in v.findings if finding.severity != "info"]
    parts.extend(_finding(finding, ways=verbose or finding is serious[0], verbose=verbose) for finding in serious)
    quiet = [finding for finding in v.findings if finding.severity == "info"]
    if quiet:
        parts.append("\n".join(_quiet(finding, verbose=verbose) for finding in quiet))
    parts.append(conclusion(v))
    return "\n\n".join(parts)


def _checks(checks: tuple[Check, ...]) -> str:
    names = [f"{check.name} {check.device}".rstrip() for check in checks]
    wide, status = max(map(len, names), default=0), max((len(check.status) for check in checks), default=0)
    lines = []
    for name, check in zip(names, checks, strict=True):
        seconds = f"{check.seconds:6.2f} s" if check.seconds else " " * 8
        detail = check.detail.splitlines()[0] if check.detail else ""
        lines.append(f"{SYMBOLS[check.status]} {check.status:<{status}}  {name:<{wide}}  {seconds}  {detail}".rstrip())
    return "\n".join(lines)


def _libraries(libraries: tuple[LoadedLibrary, ...], *, verbose: bool) -> str:
    shown = [item for item in libraries if verbose or item.required or item.path]
    wide = max((len(item.soname) for item in shown), default=0)
    version = max((len(item.version) for item in shown), default=0)
    lines = ["Libraries that TensorFlow opens"]
    for item in shown:
        need = "required" if item.required else "optional"
        place = f"{item.path}{'' if item.inside else ' (outside the environment)'}" if item.path else "not found"
        lines.append(f"  {item.soname:<{wide}}  {item.version:<{version}}  {need}  {place}".rstrip())
    return "\n".join(lines)


def _finding(finding: Finding, *, ways: bool, verbose: bool) -> str:
    """One finding; ``ways`` are told of the first, which is the root."""
    lines = [f"{finding.severity.upper()} {finding.cause} ({finding.confidence}): {finding.title}"]
    evidence = finding.evidence if verbose else finding.evidence[:EVIDENCE_SHOWN]
    for item in evidence:
        rows = item.seen.splitlines() or [""]
        kept = rows if verbose else rows[:LINES_SHOWN]
        lines.append(f"  seen: {kept[0]}")
        lines.extend(f"        {row}" for row in kept[1:])
        if len(kept) < len(rows):
            lines.append(f"        … {len(rows) - len(kept)} more lines with --verbose")
        if item.where:
            lines.append(f"    in: {item.where}")
    if len(evidence) < len(finding.evidence):
        lines.append(f"  … {len(finding.evidence) - len(evidence)} more with --verbose")
    return "\n".join([*lines, *remedy_lines(finding.remedy, ways=ways)])


def _quiet(finding: Finding, *, verbose: bool) -> str:
    count = len(finding.evidence)
    line = f"INFO {finding.cause}: {finding.title} ({count} {'kind' if count == 1 else 'kinds'})"
    if finding.interrupted:
        # What a person should do is never left out.
        line = "\n".join([line, *(f"  $ {step}" for step in finding.remedy.steps)])
    if not verbose:
        return line
    return "\n".join([line, *(f"  {item.seen.splitlines()[0] if item.seen else ''}\n    {item.where}" for item in finding.evidence)])


def conclusion(v: Verification) -> str:
    """Return the verification in one line."""
    done = [check for check in v.checks if check.status == "passed"]
    open_ = [check for check in v.checks if check.status in {"not proven", "could not tell"}]
    warnings = sum(finding.severity == "warning" for finding in v.findings)
    if not v.passed:
        errors = [finding for finding in v.findings if finding.severity == "error"]
        return "Result: failed" + (f"; first cause: {errors[0].cause}, {errors[0].title}" if errors else "")
    took = seconds_words(sum(check.seconds for check in v.checks))
    words = f"Verified: TensorFlow {v.tensorflow} ({v.device}), {len(done)} check{'' if len(done) == 1 else 's'}, {took}"
    if warnings:
        words += f", {warnings} {'warning' if warnings == 1 else 'warnings'}"
    if open_:
        words += "; not proven: " + ", ".join(f"{check.name} {check.device}".rstrip() for check in open_)
    return words
