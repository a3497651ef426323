"""Numbers in texts that others wrote: one reader for each form, none of which fails at any text.

Python's ``int`` raises for more than 4,300 digits, and what it gives for some hundred is no float and no size.
"""

from __future__ import annotations

import re

# As many as any size, time or part of a version has.
DIGITS = 18
# What a longer run of digits counts as: more than everything else.
HUGE: int = 10**DIGITS


def whole(digits: str) -> int:
    """Return a run of decimal digits as a number, ``HUGE`` where it is longer than any number is; for comparing. 0 for what is none."""
    digits = digits.lstrip("0") if digits.isascii() else digits
    if len(digits) > DIGITS:
        return HUGE
    return int(digits) if digits.isdecimal() else 0


def number(text: str, *, most: int = HUGE - 1) -> int | None:
    """Return a whole number as files write it (``0`` to ``most``, ASCII digits alone), or None."""
    if not (text.isascii() and text.isdecimal()) or len(text) > DIGITS:
        return None
    found = int(text)
    return found if found <= most else None


def runs(text: str) -> tuple[int, ...]:
    """Return every run of digits in a text, in order: (2, 15, 0) of ``2.15.0``."""
    return tuple(whole(digits) for digits in re.findall(r"\d+", text))
