"""What a person pastes for each cause: the first finding must be that cause; and nothing is certain that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.explain.support import findings, shipped

CASES = yaml.safe_load((Path(__file__).parent / "lines.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case['cause']}" for number, case in enumerate(CASES)])
def test_first_finding(case):
    found = findings(case["log"], case.get("context"))
    assert found[0].cause == case["cause"], [(item.cause, item.confidence) for item in found]
    assert [item.cause for item in found if item.confidence == "certain"] in ([], [case["cause"]])


def test_every_cause_of_the_table_has_a_case():
    assert set(shipped()[0].titles) == {case["cause"] for case in CASES}
