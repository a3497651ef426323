"""Texts that are worst for a regular expression, derived from how ``re`` itself reads it; and the work that they cost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.growth import FACTOR, MOST

try:
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_parse as parser

SMALL = 12_500
# What costs less says nothing.
FLOOR_SECONDS = 0.012
# Between these it is measured at 100 kB; else 12.5 kB have told.
NOTHING_SECONDS, SURE_SECONDS = 0.00015, 0.002
# Who takes this for 1.5 kB takes more than the most for 100, even if it only grows as the text does.
RUNAWAY_SECONDS = 0.016
# No expression may take longer for 100 kB, however it grows.
CEILING_SECONDS = 1.0


def worst(pattern: str | bytes, flags: int) -> list[str]:
    """Pieces which, repeated, make the engine try the most: what each repeat takes, what leads to it, and near misses of the whole."""
    tree = parser.parse(pattern, flags)
    pieces: dict[str, None] = {}
    for lead, body in _repeats(tree, ""):
        for piece in (body, lead + body, lead, body + lead):
            pieces[piece] = None
    whole = _sample(tree)
    for piece in (whole[:-1], whole[: len(whole) // 2], whole[1:], whole, whole[:-1] + "\n", "a", " ", "0", "\n"):
        pieces[piece] = None
    return [piece for piece in pieces if piece]


def leads(pattern: str | bytes, flags: int) -> list[tuple[str, str]]:
    """A begin and what is repeated behind it."""
    return [pair for pair in dict.fromkeys(_repeats(parser.parse(pattern, flags), "")) if pair[1]]


def _repeats(items: Any, lead: str) -> Iterator[tuple[str, str]]:
    for operation, value in items:
        name = str(operation)
        if name.endswith("REPEAT"):
            body = _sample(value[2])
            if int(value[1]) > 1:
                yield lead, body
            yield from _repeats(value[2], lead)
            lead += body * max(1, int(value[0]))
            continue
        if name == "SUBPATTERN":
            yield from _repeats(value[3], lead)
        elif name == "BRANCH":
            for part in value[1]:
                yield from _repeats(part, lead)
        elif name in {"ASSERT", "ASSERT_NOT"}:
            yield from _repeats(value[1], lead)
        lead += _sample([(operation, value)])


def _sample(items: Any) -> str:
    return "".join(_of(str(operation), value) for operation, value in items)


def _of(name: str, value: Any) -> str:
    if name == "LITERAL":
        return chr(value)
    if name in {"ANY", "NOT_LITERAL"}:
        return "a" if name == "ANY" or value != ord("a") else "b"
    if name == "IN":
        return _of_class(value)
    if name.endswith("REPEAT"):
        return _sample(value[2]) * min(max(1, int(value[0])), 40)
    if name == "SUBPATTERN":
        return _sample(value[3])
    if name == "ATOMIC_GROUP":
        return _sample(value)
    if name == "BRANCH":
        return _sample(value[1][0])
    return ""


_OF_CATEGORY = {"CATEGORY_DIGIT": "0", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " ", "CATEGORY_NOT_SPACE": "a", "CATEGORY_NOT_WORD": "-"}


def _of_class(items: Any) -> str:
    first = items[0]
    if str(first[0]) == "NEGATE":
        barred = re.compile("[" + "".join(_written(item) for item in items[1:]) + "]")
        return next(letter for letter in "ab0-/ .:=\u2603" if not barred.match(letter))
    if str(first[0]) == "LITERAL":
        return chr(first[1])
    if str(first[0]) == "RANGE":
        return chr(first[1][0])
    return _OF_CATEGORY.get(str(first[1]), "a")


def _written(item: Any) -> str:
    kind, value = str(item[0]), item[1]
    if kind == "LITERAL":
        return re.escape(chr(value))
    if kind == "RANGE":
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s", "NOT_DIGIT": r"\D", "NOT_WORD": r"\W", "NOT_SPACE": r"\S"}[str(value)[9:]]


def slow(pattern: re.Pattern[Any], *, anywhere: bool, factor: int = FACTOR) -> str:
    """Return the text that shows that the work grows faster than the text, or is more than a reader may take; "" where none does."""
    for first, piece in _candidates(pattern.pattern, pattern.flags):
        # What looks slow is looked at again, the least of some: the machine may have been busy.
        for times in (1, 5):
            what = _judged(lambda size, times=times: _work(pattern, first, piece, size, times, anywhere=anywhere), factor)  # noqa: B023
            if not what:
                break
        else:
            return f"{first[:60]!r} + {piece[:60]!r}: {what}"
    return ""


def _judged(work: Callable[[int], float], factor: int) -> str:
    least, tiny = work(SMALL // 64), work(SMALL // 8)
    if tiny > RUNAWAY_SECONDS and tiny > max(least, 0.00005) * MOST:
        return f"{least:.4f}, {tiny:.4f} s"
    small = work(SMALL)
    if small > CEILING_SECONDS / FACTOR and small > max(tiny, 0.0003) * MOST:
        return f"{least:.4f}, {tiny:.4f}, {small:.4f} s"
    # So little that even its square says nothing, or enough to be sure that it is no square.
    if small < NOTHING_SECONDS or (small > SURE_SECONDS and small < max(tiny, 0.0001) * 12 and small * factor < CEILING_SECONDS):
        return ""
    large = work(SMALL * factor)
    if large > FLOOR_SECONDS and large > max(small, 0.0003) * MOST * factor / FACTOR:
        return f"{tiny:.4f}, {small:.4f}, {large:.4f} s"
    return f"{large:.1f} s for {SMALL * factor} letters" if large > CEILING_SECONDS else ""


def _work(pattern: re.Pattern[Any], first: str, piece: str, size: int, times: int, *, anywhere: bool) -> float:
    text = first + (piece * (size // len(piece) + 1))[:size] + "\u2603"
    return min(_seconds(pattern, text, anywhere=anywhere) for _ in range(times))


def _candidates(pattern: str | bytes, flags: int) -> Iterable[tuple[str, str]]:
    flags &= ~re.DEBUG
    yield from (("", piece) for piece in worst(pattern, flags))
    yield from leads(pattern, flags)


def _seconds(pattern: re.Pattern[Any], text: str, *, anywhere: bool) -> float:
    subject: Any = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    start = time.process_time()
    if anywhere:
        for _ in pattern.finditer(subject):
            pass
    else:
        pattern.match(subject)
        pattern.fullmatch(subject)
    return time.process_time() - start
