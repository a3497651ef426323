r"""Patterns of build strings that come out of channels and locks, matched in time linear in the pattern. Pure.

Rules: conda's models/match_spec.py (``GlobStrMatch``): ``^…$`` is a regular expression, else ``*`` stands for anything and every other character
for itself. Of regular expressions only what packages have is read, so that no file can make a backtracking engine run for ever: literals,
``\.``, ``.``, ``.*``, and groups of alternatives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ANY, ONE, OPEN, OR, CLOSE = ".*", ".", "(", "|", ")"
_PIECE = re.compile(r"\(\?:|\.\*|\\[^A-Za-z0-9]|[^\\\[\]{}*+?^$]")


def matches(pattern: str, text: str) -> bool | None:
    """Say whether a whole text matches; None for a pattern beyond what is read here, and where conda and rattler do not agree on letters' case."""
    if not (pattern.isascii() and text.isascii()) or "\n" in text:
        return None
    if not pattern.startswith("^"):
        found = _reaches(_glob(pattern), text)
        same_case = found or (pattern.islower() and text.islower()) or not _reaches(_glob(pattern.lower()), text.lower())
        return found if same_case else None
    pieces = _pieces(pattern)
    return None if pieces is None else _reaches(pieces, text)


def _glob(pattern: str) -> list[str]:
    return [ANY if char == "*" else f"\\{char}" for char in pattern]


def _pieces(pattern: str) -> list[str] | None:
    """Cut ``^…$`` into pieces, literals with a backslash before them; None for anything that is not read, or whose groups do not close."""
    pieces: list[str] = []
    depth, at, end = 0, 1, len(pattern) - 1
    while at < end:
        found = _PIECE.match(pattern, at, end)
        if found is None:
            return None
        piece = found[0]
        at = found.end()
        depth += piece.startswith("(") - (piece == CLOSE)
        # The anchors of ``^a|b$`` belong to one alternative each.
        if depth < 0 or (piece == OR and depth == 0):
            return None
        pieces.append(OPEN if piece == "(?:" else piece if piece in {ANY, ONE, OPEN, OR, CLOSE} or len(piece) > 1 else f"\\{piece}")
    return pieces if at == end and depth == 0 and pattern.endswith("$") else None


def _reaches(pieces: Iterable[str], text: str) -> bool:
    """Follow all ways through the pieces at once: bit *n* of ``now`` says that some way has come to the text's character *n*."""
    end = 1 << len(text)
    places: dict[str, int] = {}
    now = 1
    groups: list[tuple[int, int]] = []
    for piece in pieces:
        if piece == ANY:
            now = -(now & -now) & (2 * end - 1)
        elif piece == ONE:
            now = (now << 1) & (2 * end - 1)
        elif piece == OPEN:
            groups.append((now, 0))
        elif piece == OR:
            start, ends = groups.pop()
            groups.append((start, ends | now))
            now = start
        elif piece == CLOSE:
            now |= groups.pop()[1]
        else:
            char = piece[1]
            if char not in places:
                places[char] = int("0" + "".join("1" if own == char else "0" for own in reversed(text)), 2)
            now = (now & places[char]) << 1
    return bool(now & end)
