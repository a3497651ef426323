"""Logs as people paste them: the cause first, and a first remedy that does what mends it; the truth was decided before explain saw them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from provisioner.report.remedy_text import remedy_lines
from tests.explain.support import findings

CASES = yaml.safe_load((Path(__file__).parent / "pasted.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_first_remedy_does_it(case):
    first = findings(case["log"], case["context"])[0]
    assert first.cause in case["cause"]
    assert re.search(case.get("does", ""), "\n".join([first.remedy.words, *first.remedy.steps]))
    assert "never" not in case or not re.search(case["never"], "\n".join(remedy_lines(first.remedy)))


def test_there_are_many():
    assert len({case["id"] for case in CASES}) == len(CASES) >= 40
