"""Findings, collected: one for each cause, surer and graver with more evidence, ordered root cause first."""

from __future__ import annotations

from provisioner.causes.messages import Messages
from provisioner.model.finding import Confidence, Evidence, Finding, Remedy, Repair, Severity

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
CONFIDENCES: tuple[Confidence, ...] = ("certain", "likely", "possible")


class Findings:
    """Collects findings, one for each cause: more evidence for a cause makes it surer and graver, not longer."""

    def __init__(self, messages: Messages, *, env: str, python: str) -> None:
        """Remember whose words are used, and for which environment the remedies are."""
        self.messages = messages
        self.env, self.python = env, python
        self._found: dict[tuple[str, str], Finding] = {}
        self._remedies: dict[tuple[str, str], Remedy] = {}

    def add(
        self,
        cause: str,
        severity: Severity,
        confidence: Confidence,
        *evidence: Evidence,
        title: str = "",
        repairs: tuple[Repair, ...] = (),
        remedy: Remedy | None = None,
    ) -> None:
        """Add evidence for a cause; ``title`` replaces the cause's own where several findings share a code (``unknown``).

        ``remedy`` stands for the cause's own words where the case lets more be said; the first that was given stays.
        """
        key = (cause, title)
        before = self._found.get(key)
        remedy = self._remedies.setdefault(key, remedy) if remedy is not None else self._remedies.get(key)
        if before is not None:
            severity = min(severity, before.severity, key=SEVERITIES.index)
            confidence = min(confidence, before.confidence, key=CONFIDENCES.index)
            evidence = tuple(dict.fromkeys((*before.evidence, *evidence)))
            repairs = tuple(dict.fromkeys((*before.repairs, *repairs)))
        self._found[key] = Finding(
            cause=cause,
            severity=severity,
            confidence=confidence,
            title=title or self.messages.causes[cause].title,
            evidence=evidence,
            remedy=remedy or self.messages.remedy(cause, env=self.env, python=self.python),
            repairs=repairs,
        )

    def has_error(self) -> bool:
        """True when a cause of severity error is known."""
        return any(finding.severity == "error" for finding in self._found.values())

    def ordered(self) -> tuple[Finding, ...]:
        """Errors before warnings before information; among them a cause before its symptoms."""
        return tuple(
            sorted(self._found.values(), key=lambda finding: (SEVERITIES.index(finding.severity), self.messages.order.rank(finding.cause)))
        )
