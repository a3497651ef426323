"""What ``explain`` prints."""

from __future__ import annotations

from provisioner.model.diagnosis import Explanation
from provisioner.model.finding import Evidence, Finding, Remedy
from provisioner.report.explain_text import explanation_text


def finding(cause: str, words: str) -> Finding:
    seen = Evidence(seen="No module named 'distutils'", where="line 3")
    return Finding(
        cause=cause, severity="error", confidence="likely", title=cause, evidence=(seen,), remedy=Remedy(words=words, steps=("x",))
    )


def test_what_mends_two_is_said_once() -> None:
    findings = (finding("a", "mend it"), finding("b", "mend it"), finding("c", "otherwise"))
    text = explanation_text(Explanation(source="log.txt", lines=3, known=1, context={}, findings=findings), verbose=False)
    assert text.count("do: mend it") == 1
    assert "do: the same as for a" in text
    assert "do: otherwise" in text
