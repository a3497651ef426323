"""The plan as text, as whole pages; after a wanted change the failing test shows the new page, for the file in ``golden``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.model.catalogue import Link
from provisioner.model.plan import Plan
from provisioner.recovery import Interrupted
from provisioner.report.plan_text import interrupted_words, plan_text
from tests.test_plan import ABSENT, EVERYTHING, basis, make, planning, site

GOLDEN = Path(__file__).parent / "golden"
LINK = Link(path="nvidia/lib/x.so", target="../y.so", reason="the loader does not look there")
INTERRUPTED = Interrupted(state="moving", where="/e", started="2026-01-01T00:00:00+00:00", before="venv")


def new() -> Plan:
    return planning.make_plan(basis(parents=("/a",), warnings=("the disk is nearly full",)), site(state=ABSENT))


def changed() -> Plan:
    plan = make("six==1.0", "tensorflow-cpu==2.19.0", links=(LINK,), leftovers=("s/~ensorflow",), shared=("s/tensorflow",))
    return replace(plan, choice=replace(plan.choice, warnings=("the driver is old",)))


def done() -> Plan:
    return make(*EVERYTHING)


@pytest.mark.parametrize(
    ("name", "plan", "left", "verbose"),
    [("new", new, None, False), ("new-verbose", new, None, True), ("changed", changed, INTERRUPTED, False), ("done", done, None, False)],
)
def test_pages(name: str, plan, left: Interrupted | None, verbose: bool) -> None:
    text = plan_text(plan(), interrupted=left, verbose=verbose)
    golden = GOLDEN / f"plan-{name}.txt"
    assert text + "\n" == golden.read_text(encoding="utf-8"), text


@pytest.mark.parametrize(("state", "words"), [("old", "as it was before"), ("moving", "half changed"), ("new", "not proven")])
def test_what_was_interrupted_says_which_state_it_left(state: str, words: str) -> None:
    assert words in interrupted_words(replace(INTERRUPTED, state=state))
    assert "begun" not in interrupted_words(replace(INTERRUPTED, started=""))
