"""No text makes a regular expression of ours run away: each is given 100 kB of what is worst for it, and the work must grow as the text does."""

from __future__ import annotations

import re

import pytest

from provisioner.catalogue import find_profiles
from provisioner.causes import Messages, open_messages
from provisioner.causes.patterns import compiled
from provisioner.host.local import LocalHost
from tests.linear import collect, worst

# Of so many parts each is one test, so that several processes share them.
PARTS = 4


@pytest.fixture(scope="module")
def messages() -> Messages:
    return open_messages(LocalHost(), find_profiles())


def test_what_runs_away_is_found() -> None:
    """The measure itself: F1's and F10's patterns, and one whose work grows with the square."""
    for pattern in (r"([?&][^=&\s]*(?:token|key)[^=&\s]*=)[^&\s]+", r"[\w.+-]+\.whl is not", r"\s+$"):
        assert worst.slow(re.compile(pattern), anywhere=True, factor=4), pattern
    assert not worst.slow(re.compile(r"(?<!\S)\S+ is not|[a-z]{1,40}!"), anywhere=True)


def test_the_source_is_read_whole() -> None:
    found = collect.uses()
    assert len(found) > 300
    assert {"provisioner/base/secrets.py:_NAME", "provisioner/explain/reading.py:_ESCAPE"} <= {use.where for use in found}


@pytest.mark.parametrize("part", range(PARTS))
def test_expressions_of_the_package(part: int) -> None:
    found = []
    for use in collect.uses()[part::PARTS]:
        what = worst.slow(re.compile(use.pattern, use.flags), anywhere=use.anywhere)
        if what:
            found.append(f"{use.where}: {use.pattern!r}: {what}")
    assert not found


@pytest.mark.parametrize("part", range(PARTS))
def test_patterns_of_messages(part: int, messages: Messages) -> None:
    found = []
    branches = [(row[0], branch) for row in messages._rows for branch, *_ in row[-1]]
    for name, branch in branches[part::PARTS]:
        what = worst.slow(compiled(branch), anywhere=True)
        if what:
            found.append(f"{name}: {branch!r}: {what}")
    assert not found


def test_patterns_of_history(messages: Messages) -> None:
    for kind in ("gpus", "systems", "libraries"):
        for item in getattr(messages.history, kind):
            assert not worst.slow(re.compile(item.pattern, re.IGNORECASE), anywhere=True), item.pattern
