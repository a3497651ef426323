"""The upload date up to which the index is looked at: it makes a lock the same on every machine, at any time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from provisioner.errors import UsageError
from provisioner.model.team import TeamLock

FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def first(now: datetime, cool_down: int) -> str:
    """Return the date of a first lock: the beginning of today (UTC) less ``cool_down`` days, so that all who lock today get the same."""
    day = now.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day - timedelta(days=cool_down)).strftime(FORMAT)


def parse(text: str, place: str) -> str:
    """Return an ISO date, or date and time (UTC where it names no zone), as locks write it; raises ``UsageError``."""
    try:
        # Python 3.10's own reader does not know the Z.
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        found = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
        return found.astimezone(timezone.utc).strftime(FORMAT)
    except (ValueError, OverflowError):
        # The first day of all, in a zone to the east, is none in UTC.
        raise UsageError(f"`{text}` is not a date", place=place, hint="write it as 2026-01-31 or 2026-01-31T12:00:00Z") from None


def following(previous: TeamLock | None, *, start: str, given: str, upgrade: tuple[str, ...] | None) -> tuple[str, dict[str, str]]:
    """Return the cut-off and those of single packages for the next lock.

    A lock keeps its dates. ``given`` is a date that a person named; an ``upgrade`` of all packages (``()``) moves the date of all to
    ``start``, one of named packages only theirs; None upgrades nothing.
    """
    if given:
        return given, {}
    if previous is None or upgrade == ():
        return start, {}
    # Where the index told no date there was none to keep; it is asked again.
    kept = {name: date for name, date in previous.cutoffs.items() if date}
    return previous.cutoff, {**kept, **dict.fromkeys(upgrade or (), start)}
