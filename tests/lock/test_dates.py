"""The date up to which an index is looked at."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from provisioner.errors import UsageError
from provisioner.lock import dates
from provisioner.model.team import TeamLock

NOW = "2026-11-20T00:00:00Z"
LOCK = TeamLock(
    tool="0",
    engine="uv",
    cutoff="2026-01-01T00:00:00Z",
    catalogue="",
    inputs=(),
    targets=(),
    cutoffs={"a": "2026-02-01T00:00:00Z", "b": ""},
)


def test_all_who_lock_on_a_day_get_the_same_date() -> None:
    morning = datetime(2026, 11, 20, 0, 1, tzinfo=timezone.utc)
    in_tokyo = datetime(2026, 11, 21, 8, 59, tzinfo=timezone(timedelta(hours=9)))
    assert dates.first(morning, 0) == dates.first(in_tokyo, 0) == NOW
    assert dates.first(datetime(2026, 11, 20, 12, tzinfo=timezone.utc), 21) == "2026-10-30T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        (" 2026-01-31T12:00:00+02:00 ", "2026-01-31T10:00:00Z"),
    ],
)
def test_dates_are_read(text: str, date: str) -> None:
    assert dates.parse(text, "--cutoff") == date


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "31.01.2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a date"):
        dates.parse(text, "--cutoff")


def test_a_lock_keeps_its_dates_until_it_is_upgraded() -> None:
    own = {"a": "2026-02-01T00:00:00Z"}
    assert dates.following(None, start=NOW, given="", upgrade=None) == (NOW, {})
    assert dates.following(LOCK, start=NOW, given="", upgrade=None) == (LOCK.cutoff, own)
    assert dates.following(LOCK, start=NOW, given="", upgrade=("c",)) == (LOCK.cutoff, {**own, "c": NOW})
    assert dates.following(LOCK, start=NOW, given="", upgrade=()) == (NOW, {})
    assert dates.following(LOCK, start=NOW, given="2025-01-01T00:00:00Z", upgrade=("c",)) == ("2025-01-01T00:00:00Z", {})
