"""One verification out of a proof and an examination; when a change may stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.diagnose.judgement import Judgement, _together
from provisioner.host.local import LocalHost
from provisioner.model.diagnosis import Examination, Examined
from provisioner.model.finding import Check, Evidence, Finding, Remedy, Verification
from provisioner.model.mark import Mark
from provisioner.session import Session
from tests.verify.support import wording

MARK = Mark(
    kind="requirement", distribution="mine", where="", words="mine 1.0 requires numpy>=2, but numpy 1.26.4 is installed", about="numpy"
)
OTHER = Mark(kind="file", distribution="mine", where="/env/mine.py", words="is not there")
SEEN = Evidence(seen=MARK.words, where="/env/mine.dist-info")


def finding(cause: str = "dependency-incompatible", severity="warning", seen: Evidence = SEEN) -> Finding:
    return Finding(cause=cause, severity=severity, confidence="certain", title="x", evidence=(seen,), remedy=Remedy(words="x"))


def proof(*checks: Check, findings: tuple[Finding, ...] = ()) -> Verification:
    return Verification(
        env="/env", python="/env/bin/python", tensorflow="2.15.1", device="cpu", checks=checks, libraries=(), findings=findings
    )


def examination(result: str, *findings: Finding) -> Examination:
    checks = (
        Examined(name="requirements", title="", result=result, detail="1 not met"),
        Examined(name="records", title="", result="healthy", detail="all of them"),
    )
    return Examination(
        env="/env", python="", python_version="3.11.7", cwd="/", tensorflow="2.15.1", machine="", checks=checks, findings=findings
    )


@pytest.mark.parametrize(
    ("computes", "marks", "before", "agreed", "holds"),
    [
        (True, (), (), (), True),
        (False, (), (), (), False),
        (True, (MARK,), (), (), False),
        (True, (MARK,), (MARK,), (), True),
        (True, (MARK,), (), (MARK.words,), True),
        (True, (MARK, OTHER), (MARK,), (), False),
        (True, (OTHER,), (MARK,), (), False),
        (False, (), (MARK,), (MARK.words,), False),
    ],
)
def test_a_change_stays_when_it_computes_and_brought_nothing_wrong(computes, marks, before, agreed, holds: bool) -> None:
    judged = Judgement(verification=proof(), computes=computes, marks=frozenset(marks))
    assert judged.holds(before=before, agreed=agreed) == holds


def test_what_the_examination_finds_fails_the_verification_and_is_said_once() -> None:
    passed = proof(
        Check(name="import", status="passed"), Check(name="requirements", status="passed"), Check(name="integrity", status="passed"),
        findings=(finding(seen=Evidence(seen=MARK.words, where="requirements of the installed packages")),),
    )  # fmt: skip
    whole = _together(Session(LocalHost()), passed, examination("warning", finding()), wording())
    assert not whole.passed
    assert [(check.name, check.status) for check in whole.checks] == [
        ("import", "passed"), ("requirements", "failed"), ("integrity", "passed"), ("examination", "failed"),
    ]  # fmt: skip
    assert [item.evidence for item in whole.findings] == [(SEEN,)]


def test_what_is_left_of_a_finding_that_was_told_is_no_finding() -> None:
    more = Evidence(seen="and 12 more files", where="")
    told = proof(findings=(replace(finding(), evidence=(SEEN, more)), replace(finding(cause="unknown"), evidence=(more,))))
    whole = _together(Session(LocalHost()), told, examination("warning", finding()), wording())
    assert [(item.cause, item.evidence) for item in whole.findings] == [("dependency-incompatible", (SEEN,)), ("unknown", (more,))]


def test_what_the_examination_knows_to_be_met_passes() -> None:
    """The base's packages are seen by the interpreter, and not by who reads the environment's files alone."""
    failed = proof(Check(name="requirements", status="failed", detail="not met: six"))
    whole = _together(Session(LocalHost()), failed, examination("healthy"), wording())
    assert whole.passed
    assert next(check for check in whole.checks if check.name == "requirements").detail == "1 not met"


def lacks(requirement: str, have: str) -> Mark:
    words = f"opencv-python 5.0 requires {requirement}, but {have} is installed"
    return Mark(kind="requirement", distribution="opencv-python", where="", words=words, about="numpy")


@pytest.mark.parametrize(("before", "holds"), [(lacks("numpy>=2", "numpy 1.26.4"), True), (lacks("numpy>=1.20", "numpy 1.19.5"), False)])
def test_what_a_package_lacked_before_does_not_veto_whichever_version_it_meets_instead(before: Mark, holds: bool) -> None:
    """The plan said "was broken, now as before", and `apply` took the change back: NumPy had moved from 1.26 to 1.23."""
    judged = Judgement(verification=proof(), computes=True, marks=frozenset({lacks("numpy>=2", "numpy 1.23.5")}))
    assert judged.holds(before=(before,)) == holds
