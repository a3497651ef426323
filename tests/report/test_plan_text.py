"""The plan as text, as whole pages; after a wanted change the failing test shows the new page, for the file in ``golden``."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from provisioner.change.recovery import Interrupted
from provisioner.model.catalogue import Link
from provisioner.model.conda_package import CondaRemoval
from provisioner.model.plan import Plan, StepKind
from provisioner.model.request import Request
from provisioner.report import plan_brief as brief
from provisioner.report.plan_text import NOT_NEEDED, interrupted_words, next_text, plan_text
from tests.plan.test_make import ABSENT, CONDA, EVERYTHING, PART, make, make_conda, plan_of, site

GOLDEN = Path(__file__).parent / "golden"
LINK = Link(path="nvidia/lib/x.so", target="../y.so", reason="the loader does not look there")
INTERRUPTED = Interrupted(state="moving", where="/e", started="2026-01-01T00:00:00+00:00", before="venv")


def new() -> Plan:
    return plan_of(site(state=ABSENT), parents=("/a",), warnings=("the disk is nearly full",))


def changed() -> Plan:
    plan = make("six==1.0", "tensorflow-cpu==2.19.0", links=(LINK,), leftovers=("s/~ensorflow",), shared=("s/tensorflow",))
    return replace(plan, choice=replace(plan.choice, warnings=("the driver is old",)))


def done() -> Plan:
    return make(*EVERYTHING)


def conda() -> Plan:
    """An environment of conda's that is there: a package is replaced, one leaves."""
    removals = (
        CondaRemoval(identity="python-3.11.0-h1_0", reason="the set has 3.11.7 h1_0"),
        CondaRemoval(identity="six-1.0-0", reason="r"),
    )
    return make_conda(part=replace(PART, removals=removals, unchanged={"tool": "1.0 0"}), state=CONDA)


@pytest.mark.parametrize(
    ("name", "plan", "left", "verbose"),
    [
        ("new", new, None, False),
        ("new-verbose", new, None, True),
        ("changed", changed, INTERRUPTED, False),
        ("done", done, None, False),
        ("conda", conda, None, False),
        ("conda-verbose", conda, None, True),
    ],
)
def test_pages(name: str, plan, left: Interrupted | None, verbose: bool) -> None:
    text = plan_text(plan(), interrupted=left, verbose=verbose)
    golden = GOLDEN / f"plan-{name}.txt"
    assert text + "\n" == golden.read_text(encoding="utf-8"), text


def test_every_step_that_is_not_needed_has_its_words() -> None:
    assert set(NOT_NEEDED) == set(get_args(StepKind))


@pytest.mark.parametrize(
    ("saved", "command"),
    [
        ("", "tfsetup apply --kind conda --channel 'my channel' --channel https://x/y"),
        ("plan.json", "TFSETUP_CHANNEL='my channel https://x/y' tfsetup apply plan.json"),
    ],
)
def test_what_to_run_next_names_the_channels(saved: str, command: str) -> None:
    origins = {"kind": "option", "channel": "option"}
    request = Request(env="/e", kind="conda", channels=("my channel", "https://x/y"), origins=origins)
    assert next_text(make_conda(request=request), elsewhere=False, saved=saved).splitlines()[-1] == f"Next: {command}"


def test_the_way_back_names_the_environment() -> None:
    """Without a name, undo would mean the active one, or ./tf-env."""
    plan = make_conda(request=Request(env="/a b", origins={"env": "option"}))
    first = next_text(plan, elsewhere=False, saved="").splitlines()[0]
    assert first.startswith(f"To take it back: `tfsetup undo --env {shlex.quote(plan.env.path)}` ")


@pytest.mark.parametrize(("state", "words"), [("old", "as it was before"), ("moving", "half changed"), ("new", "not proven")])
def test_what_was_interrupted_says_which_state_it_left(state: str, words: str) -> None:
    assert words in interrupted_words(replace(INTERRUPTED, state=state), "/e")
    assert "begun" not in interrupted_words(replace(INTERRUPTED, started=""), "/e")


def test_a_command_is_never_broken_over_two_lines() -> None:
    """It could not be typed as it is printed."""
    command = "`tfsetup undo --env /a/b/c`"
    for length in range(20, 90):
        lines = brief.wrapped([f"warning: {'x ' * (length // 2)}{command} takes it back"])
        assert any(command in line for line in lines), lines
        assert "\0" not in "".join(lines)
