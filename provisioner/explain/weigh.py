"""From the lines of a log to findings: what says most first, and of that the earliest, symptoms under their cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from provisioner.causes import Messages
from provisioner.causes.findings import CONFIDENCES, Wording
from provisioner.causes.grades import ALLOWS, ENDED, GUESSES, PROVES, TELLS
from provisioner.explain.context import Circumstances, merged, of_context, of_text
from provisioner.explain.ending import ending_of
from provisioner.explain.from_context import of_circumstances
from provisioner.explain.matches import Hit, recognise
from provisioner.explain.reading import Log, read_lines
from provisioner.explain.releases import CatalogueView, Knowledge
from provisioner.explain.subject import better, subject_of
from provisioner.explain.the_end import below_the_end, innermost, of_the_end, unexplained
from provisioner.explain.topics import TOPICS
from provisioner.explain.verdict import Case, Verdict, plain
from provisioner.model.finding import Evidence, Finding, Symptom
from provisioner.model.record import record
from provisioner.remedies import Subject

# What can be told about a machine beside the log; other keys are ignored.
KEYS = ("os", "arch", "python", "tensorflow", "gpu", "driver", "cuda", "cudnn", "install")
# Causes that the evidence only allows are shown to this number, and evidence of one cause to that.
SHOWN = 6
EVIDENCE = 8
# What the first verdict leaves no room for, by its grade: a mere possibility of that grade or less.
EXPLAINED = {PROVES: ALLOWS, TELLS: GUESSES}
HARMLESS, UNKNOWN = "harmless-message", "unknown"
NOTHING = Subject()


@record
class Weighed:
    """The findings of one log, and what was read: ``known`` lines were recognised; ``circumstances`` is everything known of the machine."""

    findings: tuple[Finding, ...]
    log: Log
    known: int
    circumstances: Circumstances


def weigh(
    lines: Iterable[str],
    context: Mapping[str, str],
    messages: Messages,
    view: CatalogueView,
    *,
    known: Subject = NOTHING,
) -> tuple[Finding, ...]:
    """Return what the lines say, root cause first; nothing recognised gives one finding ``unknown``.

    ``lines`` are plain text without line ends (``reading.split`` makes them out of a text; the standard error of a process split into lines
    will do). ``context`` may be empty. ``known`` is what is known better than the log tells of the case that the remedies are for.
    Pure but for what ``view`` reads; it never raises for any text.
    """
    return weigh_log(read_lines(lines), context, messages, view, known=known).findings


def weigh_log(log: Log, context: Mapping[str, str], messages: Messages, view: CatalogueView, *, known: Subject = NOTHING) -> Weighed:
    """As ``weigh``, for lines that were read, and with what was read beside the findings."""
    hits = recognise(log, messages)
    now = merged(of_context(context, messages.history), of_text(log.text, messages.history))
    case = Case(log=log, hits=hits, circumstances=now, knowledge=Knowledge(view, messages.history), ending=ending_of(log))
    words = Wording(messages=messages, view=view, subject=better(subject_of(case), known))
    verdicts = _verdicts(case)
    findings = _folded(tuple(_finding(group, words) for group in _ranked(verdicts, messages)), messages)
    if not findings:
        findings = tuple(_quiet(case, words))
    return Weighed(findings=findings, log=log, known=len({hit.line for hit in hits}), circumstances=now)


def _verdicts(case: Case) -> list[Verdict]:
    """Ask the topic of each hit once with all of its hits; a fault without a topic speaks for itself."""
    by_topic: dict[str, list[Hit]] = {}
    verdicts: list[Verdict] = []
    for hit in case.hits:
        if hit.message.topic in TOPICS:
            by_topic.setdefault(hit.message.topic, []).append(hit)
        elif hit.message.kind == "fault":
            verdicts.append(plain(hit))
    for topic, hits in by_topic.items():
        verdicts.extend(TOPICS[topic](tuple(hits), case))
    if not verdicts:
        return []
    end = of_the_end(case, verdicts)
    return [end, *below_the_end(case, verdicts)] if end else below_the_end(case, verdicts)


def _ranked(verdicts: list[Verdict], messages: Messages) -> list[list[Verdict]]:
    """Group by cause; the groups in order of what says most for them, then of its place in the log, then of the ranking of causes."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.cause, []).append(verdict)
    for group in groups.values():
        group.sort(key=lambda verdict: (-verdict.grade, verdict.hit.offset))

    def place(item: tuple[str, list[Verdict]]) -> tuple[int, int, int, int]:
        cause, group = item
        first = group[0]
        return (-first.grade, CONFIDENCES.index(first.confidence), first.hit.offset, messages.order.rank(cause))

    ordered = [group for _, group in sorted(groups.items(), key=place)]
    return _conclusive(ordered)


def _conclusive(ordered: list[list[Verdict]]) -> list[list[Verdict]]:
    """Leave out what says nothing beside a real fault, and what is a mere possibility beside a conclusive one."""
    faults = [group for group in ordered if group[0].cause not in {HARMLESS, UNKNOWN}]
    if not faults:
        return ordered
    best = faults[0][0]
    kept = []
    for group in ordered:
        first = group[0]
        weak = first.confidence == "possible" and first.grade <= EXPLAINED.get(best.grade, 0) and best.confidence != "possible"
        # A program that died says more for nothing than for the causes that are only possible.
        told = first.cause == UNKNOWN and (first.grade == ENDED or (best.confidence == "possible" and first.grade > best.grade))
        if group is not faults[0] and not told and (first.cause == UNKNOWN or weak):
            continue
        kept.append(group)
    return kept[:SHOWN]


def _finding(group: list[Verdict], words: Wording) -> Finding:
    first = group[0]
    evidence: list[Evidence] = []
    for verdict in group:
        evidence.append(Evidence(seen=verdict.hit.seen, where=f"line {verdict.hit.line}"))
        if verdict.why:
            evidence.append(Evidence(seen=verdict.why, where="compared with what is known of releases and of this machine"))
    evidence.append(Evidence(seen=first.hit.message.explanation, where=first.hit.message.reference))
    quiet = first.cause == HARMLESS or all(verdict.severity == "info" for verdict in group)
    return Finding(
        cause=first.cause,
        severity="info" if quiet else "warning" if all(verdict.severity != "error" for verdict in group) else "error",
        confidence=first.confidence,
        title=words.title(first.cause),
        evidence=tuple(dict.fromkeys(evidence))[:EVIDENCE],
        remedy=words.remedy(first.cause, "\n".join(verdict.hit.seen for verdict in group)),
    )


def _quiet(case: Case, words: Wording) -> Iterator[Finding]:
    """No fault: harmless messages alone are said to be harmless; a run that failed, or anything else, cannot be told.

    Noise explains nothing while something failed: it is only said beside that.
    """
    harmless = tuple(
        dict.fromkeys(
            Evidence(seen=hit.seen, where=f"line {hit.line}: {hit.message.explanation}")
            for hit in case.hits
            if hit.message.kind == "harmless"
        )
    )
    if harmless and not case.ending.failed:
        yield _noise(case, harmless, words)
        return
    guess = innermost(case) or of_circumstances(case)
    if guess is not None and guess.cause != UNKNOWN:
        yield _finding([guess], words)
    yield _finding([unexplained(case)], words)
    if harmless:
        yield _noise(case, harmless, words)


def _noise(case: Case, seen: tuple[Evidence, ...], words: Wording) -> Finding:
    """Say that these lines mean nothing; certain only where no other line is left."""
    return Finding(
        cause=HARMLESS,
        severity="info",
        confidence="possible" if case.ending.failed else "certain" if _all_harmless(case) else "likely",
        title=words.title(HARMLESS),
        evidence=seen[:EVIDENCE],
        remedy=words.remedy(HARMLESS, ""),
    )


def _all_harmless(case: Case) -> bool:
    """Whether every line is known and nothing more than noise."""
    known = {hit.line for hit in case.hits if hit.message.kind != "fault" and hit.message.id != "information"}
    now = case.circumstances
    return known >= set(case.log.numbers) and not (now.gpu or now.cudas or now.driver or now.cudnn)


def _folded(findings: tuple[Finding, ...], messages: Messages) -> tuple[Finding, ...]:
    """Fold a finding under one that is certain and of which it can be nothing but a symptom."""
    certain = [item.cause for item in findings if item.confidence == "certain"]
    kept: dict[str, Finding] = {item.cause: item for item in findings}
    for item in findings:
        cause = next((code for code in certain if messages.order.is_symptom(item.cause, of=code) and code in kept), "")
        if cause and item.cause in kept and item.confidence != "certain":
            del kept[item.cause]
            symptom = Symptom(cause=item.cause, title=item.title, evidence=item.evidence)
            kept[cause] = replace(kept[cause], symptoms=(*kept[cause].symptoms, symptom))
    return tuple(kept.values())
