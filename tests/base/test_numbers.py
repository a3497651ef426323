"""Numbers in texts of others: no text makes them fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.base import versions
from provisioner.base.numbers import HUGE, number, runs, whole
from provisioner.base.text import size_words
from provisioner.base.versions import version_key

LONG = "9" * 5000


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("007", 7), ("12", 12), ("", None), ("-1", None), ("٣", None), ("1_0", None), (LONG, None)]
)
def test_number(text: str, value: int | None) -> None:
    assert number(text) == value


def test_a_number_may_have_a_most() -> None:
    assert number("10", most=9) is None


@given(st.text(alphabet="0123456789.٣²a-"), st.integers(0, 5000))
def test_no_text_fails(text: str, times: int) -> None:
    for value in (*runs(text + "1" * times), whole(text), whole("1" * times)):
        assert 0 <= value <= HUGE


def test_versions_of_any_length() -> None:
    assert versions.numbers(f"2.{LONG}") == (2, HUGE)
    assert version_key(f"2.{LONG}")[0] == (2, HUGE)
    assert not versions.contains(f"=={LONG}", "2.15.0")
    assert not versions.contains(">=2", f"1.0.dev{LONG}")
    assert versions.readable(f"=={LONG}")
    assert size_words(10**400) == "1000000000.0 GB"
