"""Findings, collected: one for each cause, surer and graver with more evidence, ordered root cause first; and what is said of each."""

from __future__ import annotations

from dataclasses import field, replace

from provisioner.causes.messages import Messages
from provisioner.model.finding import Confidence, Evidence, Finding, Remedy, Repair, Severity
from provisioner.model.record import record
from provisioner.remedies import Subject, View, remedy_for

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
CONFIDENCES: tuple[Confidence, ...] = ("certain", "likely", "possible")


# What is mended by packages that come anew: those that are to be put back are what is wanted.
RESTORED = frozenset({"conflicting-tf-packages", "install-corrupt"})


@record
class Wording:
    """What is said of a cause in one case: its title, and the remedy that is computed for ``subject`` from the catalogue."""

    messages: Messages
    view: View
    subject: Subject = field(default_factory=Subject)

    def spoken_on(self, platform: str) -> Wording:
        """The same with what can be said on a platform (``sys.platform``)."""
        return replace(self, messages=self.messages.spoken_on(platform))

    def title(self, cause: str) -> str:
        """The cause's own title."""
        return self.messages.titles[cause]

    def remedy(self, cause: str, seen: str, wants: tuple[str, ...] = ()) -> Remedy:
        """What to do about a cause for which these lines speak; ``wants`` are requirements (PEP 508) that are met where it is mended."""
        return remedy_for(cause, replace(self.subject, seen=seen, text=self.subject.text or seen, wants=wants), self.view)


@record
class _Gathered:
    """What was added for one cause: ``remedy`` is None where the case lets no more be said than the cause's own remedy does."""

    severity: Severity
    confidence: Confidence
    evidence: tuple[Evidence, ...]
    repairs: tuple[Repair, ...]
    wants: tuple[str, ...]
    explains: tuple[str, ...]
    remedy: Remedy | None


class Findings:
    """Collects findings, one for each cause: more evidence for a cause makes it surer and graver, not longer."""

    def __init__(self, wording: Wording) -> None:
        """Remember how causes are spoken of."""
        self.wording = wording
        self._found: dict[tuple[str, str], _Gathered] = {}

    @property
    def messages(self) -> Messages:
        """The known messages."""
        return self.wording.messages

    def add(
        self,
        cause: str,
        severity: Severity,
        confidence: Confidence,
        *evidence: Evidence,
        title: str = "",
        repairs: tuple[Repair, ...] = (),
        wants: tuple[str, ...] = (),
        explains: tuple[str, ...] = (),
        remedy: Remedy | None = None,
    ) -> None:
        """Add evidence for a cause; ``title`` replaces the cause's own where several findings share a code (``unknown``).

        ``wants`` are as in ``Wording.remedy``, ``explains`` as in ``Finding``. ``remedy`` stands for what is computed where a check knows better;
        the first that was given stays.
        """
        key = (cause, title)
        if cause in RESTORED:
            restored = {item.name: f"{item.name}=={item.version}" for item in repairs if item.kind == "restore" and item.version}
            # Of one that comes back the version that does: no installer takes two of a name.
            wants = tuple(dict.fromkeys((*(text for text in wants if text.partition("==")[0] not in restored), *restored.values())))
        before = self._found.get(key)
        if before is not None:
            severity = min(severity, before.severity, key=SEVERITIES.index)
            confidence = min(confidence, before.confidence, key=CONFIDENCES.index)
            evidence = tuple(dict.fromkeys((*before.evidence, *evidence)))
            repairs = tuple(dict.fromkeys((*before.repairs, *repairs)))
            wants = tuple(dict.fromkeys((*before.wants, *wants)))
            explains = tuple(dict.fromkeys((*before.explains, *explains)))
            remedy = before.remedy or remedy
        self._found[key] = _Gathered(
            severity=severity, confidence=confidence, evidence=evidence, repairs=repairs, wants=wants, explains=explains, remedy=remedy
        )

    def has_error(self) -> bool:
        """True when a cause of severity error is known."""
        return any(item.severity == "error" for item in self._found.values())

    def ordered(self) -> tuple[Finding, ...]:
        """Errors before warnings before information; among them a cause before its symptoms."""
        found = (self._finding(cause, title, item) for (cause, title), item in self._found.items())
        return tuple(sorted(found, key=lambda item: (SEVERITIES.index(item.severity), self.messages.order.rank(item.cause))))

    def _finding(self, cause: str, title: str, item: _Gathered) -> Finding:
        return Finding(
            cause=cause,
            severity=item.severity,
            confidence=item.confidence,
            title=title or self.wording.title(cause),
            evidence=item.evidence,
            remedy=item.remedy or computed(self.wording, cause, item.evidence, item.wants),
            repairs=item.repairs,
            wants=item.wants,
            explains=item.explains,
        )


def computed(wording: Wording, cause: str, evidence: tuple[Evidence, ...], wants: tuple[str, ...]) -> Remedy:
    """Return what to do about a cause of which this was seen."""
    return wording.remedy(cause, "\n".join(item.seen for item in evidence), wants)
