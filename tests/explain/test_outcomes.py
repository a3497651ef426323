"""The reading of what a person does with an output: complete, and good enough; the reading itself is a person's work."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.explain.test_reports import REPORTS

OUTCOMES = yaml.safe_load((Path(__file__).parent / "outcomes.yaml").read_text(encoding="utf-8"))


def test_enough_solve_it_and_none_does_harm():
    after = Counter(item["after"] for item in OUTCOMES)
    assert set(after) <= {"solves", "half", "nothing"}
    assert after["solves"] >= 0.9 * len(OUTCOMES)
    assert len({item["id"] for item in OUTCOMES}) == len(OUTCOMES) == 177


@pytest.mark.skipif(REPORTS is None, reason="the labelled reports are not beside this checkout")
def test_every_given_report_was_read():
    assert REPORTS is not None
    given = [
        json.loads(line)["id"]
        for name in ("reports", "fresh")
        for line in (REPORTS.parent / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]
    assert set(given) == {item["id"] for item in OUTCOMES}
