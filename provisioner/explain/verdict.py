"""What a judgement looks at, and what it says."""

from __future__ import annotations

from dataclasses import replace

from provisioner.explain.context import Circumstances
from provisioner.explain.ending import Ending
from provisioner.explain.matches import Hit
from provisioner.explain.reading import Log
from provisioner.explain.releases import Knowledge
from provisioner.model.finding import Confidence, Severity
from provisioner.model.record import record


@record
class Verdict:
    """A cause that a hit speaks for: ``grade`` as in ``Message``; ``why`` says in words what else was compared, "" where nothing was."""

    cause: str
    hit: Hit
    confidence: Confidence
    grade: int
    why: str = ""
    severity: Severity = "error"


@record
class Case:
    """One log with everything that is known; ``ending`` is what ended the run that it is of."""

    log: Log
    hits: tuple[Hit, ...]
    circumstances: Circumstances
    knowledge: Knowledge
    ending: Ending

    def has(self, *ids: str) -> bool:
        """True where one of these messages occurs."""
        return any(hit.message.id in ids for hit in self.hits)

    def of(self, *ids: str) -> tuple[Hit, ...]:
        """The hits of these messages."""
        return tuple(hit for hit in self.hits if hit.message.id in ids)


def plain(hit: Hit) -> Verdict:
    """Return what a message says by itself."""
    message = hit.message
    return Verdict(
        cause=message.cause,
        hit=hit,
        confidence=message.confidence,
        grade=message.grade,
        severity="warning" if message.about == "gpu" else "error",
    )


def says(hit: Hit, cause: str, confidence: Confidence = "likely", *, grade: int = 0, why: str = "") -> Verdict:
    """Return that a hit speaks for another cause than its message's own; ``grade`` 0 leaves that of the message."""
    return replace(plain(hit), cause=cause, confidence=confidence, grade=grade or hit.message.grade, why=why)
