"""Small pieces of sentences that several parts of the choice share."""

from __future__ import annotations

from collections.abc import Sequence

from provisioner.base.versions import numbers
from provisioner.model.record import record


@record
class Obstacle:
    """One thing in the way of a candidate: ``code`` of the cause table; ``why`` completes "TensorFlow 2.21.0: …"."""

    code: str
    why: str
    remedy: str = ""


def listed(items: Sequence[str], last: str = "and") -> str:
    """Join as ``a, b and c``."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def span(pythons: Sequence[str]) -> str:
    """Name Pythons shortly: ``3.9 to 3.12`` where none is missing between, else all of them."""
    ordered = sorted(set(pythons), key=numbers)
    if len(ordered) <= 2:  # noqa: PLR2004 - two are no shorter as a span
        return listed(ordered)
    first, last = numbers(ordered[0]), numbers(ordered[-1])
    gapless = first[0] == last[0] and last[1] - first[1] == len(ordered) - 1
    return f"{ordered[0]} to {ordered[-1]}" if gapless else listed(ordered)
