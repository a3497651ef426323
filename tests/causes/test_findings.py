"""Collected findings: one for each cause, with the words that the case allows."""

from __future__ import annotations

from provisioner.causes.findings import Findings
from provisioner.model.finding import Evidence, Remedy
from tests.diagnose.cases import messages

SEEN = Evidence(seen="x", where="y")


def test_a_remedy_of_the_case_stands_for_the_causes_own() -> None:
    findings = Findings(messages(), env="/env", python="/env/bin/python")
    findings.add("driver-too-old", "warning", "likely", SEEN)
    own = findings.ordered()[0].remedy
    assert own == messages().remedy("driver-too-old", env="/env", python="/env/bin/python")
    findings.add("driver-too-old", "error", "certain", SEEN, remedy=Remedy(words="Do this", steps=("a",)))
    findings.add("driver-too-old", "info", "possible", SEEN, remedy=Remedy(words="Do that"))
    findings.add("driver-too-old", "info", "possible", SEEN)
    (finding,) = findings.ordered()
    assert (finding.remedy.words, finding.severity, finding.confidence) == ("Do this", "error", "certain")
    assert finding.evidence == (SEEN,)
