"""The patterns of messages: how they are read, what text they need, and which ones are refused because they could run away."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Any

_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
# A repeat up to this many times counts as bounded: `(ab?){0,3}` cannot run away.
BOUNDED = 8
# A literal shorter than this is in every text.
SHORTEST = 3
_REPEATED = "*+?{"
# A repeat without an end takes so much: what a start in a text can cost has an end, and so grows with the text alone.
LONGEST_REPEAT = 300
# No match is looked for over more than this, in letters and in lines.
WIDEST, MOST_LINES = 12_000, 40


def squeeze(text: str) -> str:
    """Make every run of blanks one blank, and take those at the ends of lines away, so that a pattern's blank is one character."""
    return re.sub(r" ?\n[ \n]*", "\n", re.sub(r"[ \t\f\v\u00a0]+", " ", text)).strip()


@functools.lru_cache(maxsize=2048)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern: case does not count, ``^`` and ``$`` are ends of lines, and a blank is a line end too, since terminals wrap lines.

    Repeats have an end (``LONGEST_REPEAT``).
    """
    return re.compile("".join(_spaced(pattern)), re.IGNORECASE | re.MULTILINE)


def _spaced(pattern: str) -> Iterator[str]:
    """Let each blank outside a character class, but for one that may be repeated, be a line end as well; give repeats an end."""
    in_class, position = False, 0
    while position < len(pattern):
        letter = pattern[position]
        if letter == "\\":
            yield pattern[position : position + 2]
            position += 2
            continue
        if letter in "[]":
            in_class = letter == "["
        following = pattern[position + 1 : position + 2]
        if letter in "*+" and not in_class:
            yield f"{{{int(letter == '+')},{LONGEST_REPEAT}}}"
            position += 1
            continue
        yield "[ \\n]" if letter == " " and not in_class and (not following or following not in _REPEATED) else letter
        position += 1


def branches(pattern: str) -> tuple[str, ...]:
    """Return the alternatives of a pattern that are not inside a group: each is compiled only where a text of its own occurs."""
    found, start, depth, in_class, position = [], 0, 0, False, 0
    while position < len(pattern):
        letter = pattern[position]
        if letter == "\\":
            position += 1
        elif in_class:
            in_class = letter != "]"
        elif letter == "[":
            in_class = True
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "|" and depth == 0:
            found.append(pattern[start:position])
            start = position + 1
        position += 1
    return (*found, pattern[start:])


def fault(pattern: str) -> str:
    """Return what is wrong with a pattern, or "": not a regular expression, nested repeats (which can take for ever), no text of its own."""
    try:
        tree = _tree(pattern)
    except re.error as error:
        return f"not a regular expression: {error}"
    if _nested(tree, inside=False):
        return "a repeat inside a repeat, which can take for ever on a hostile line"
    if not all(map(literals, branches(pattern))):
        return f"needs a text of at least {SHORTEST} letters that is always there, by which it is found"
    return ""


def literals(pattern: str) -> tuple[str, ...]:
    """Return texts in lower case of which at least one is in every match; empty where there is none.

    By these most patterns are passed over without being compiled.
    """
    return tuple(sorted(_best(_needs(_tree(pattern)))))


def conditions(pattern: str) -> tuple[tuple[str, ...], ...]:
    """Return, as ``literals`` does, every list of texts of which each match holds at least one, those of ``literals`` first."""
    best, every = literals(pattern), (tuple(sorted(item)) for item in _needs(_tree(pattern)) if _worth(item)[0])
    return tuple(dict.fromkeys((best, *every))) if best else ()


def reach(pattern: str) -> tuple[int, int]:
    """Return how wide a match can be, in letters and in line ends within it; at most ``WIDEST`` and ``MOST_LINES``."""
    tree = _tree("".join(_spaced(pattern)))
    return min(int(tree.getwidth()[1]), WIDEST), min(_line_ends(tree), MOST_LINES)


def _line_ends(items: Any) -> int:
    count = 0
    for operation, value in items:
        name = str(operation)
        if name in _REPEATS:
            count += min(int(value[1]), MOST_LINES) * _line_ends(value[2])
        elif name == "IN":
            count += _takes_line_end(value)
        elif name in {"LITERAL", "NOT_LITERAL"}:
            count += (value == ord("\n")) == (name == "LITERAL")
        elif name == "BRANCH":
            count += max(map(_line_ends, value[1]))
        else:
            count += sum(map(_line_ends, _parts(name, value)))
    return count


def _takes_line_end(items: Any) -> bool:
    """True for a class of letters that holds the line end."""
    held = any(
        (str(kind) == "LITERAL" and value == ord("\n"))
        or (str(kind) == "RANGE" and value[0] <= ord("\n") <= value[1])
        or (str(kind) == "CATEGORY" and str(value) in {"CATEGORY_SPACE", "CATEGORY_NOT_WORD", "CATEGORY_NOT_DIGIT"})
        for kind, value in items
    )
    return held != (str(items[0][0]) == "NEGATE")


def _tree(pattern: str) -> Any:
    # Python 3.11 renamed sre_parse; both names give the same parser.
    try:
        from re import _parser as parser  # type: ignore[attr-defined]  # noqa: PLC0415 - only when the data has changed
    except ImportError:  # pragma: no cover - Python 3.10
        import sre_parse as parser  # noqa: PLC0415
    return parser.parse(pattern, re.IGNORECASE | re.MULTILINE)


def _nested(items: Any, *, inside: bool) -> bool:
    for operation, value in items:
        name = str(operation)
        if name in _REPEATS:
            unbounded = int(value[1]) > BOUNDED
            if (inside and unbounded) or _nested(value[2], inside=inside or unbounded):
                return True
        elif any(_nested(part, inside=inside) for part in _parts(name, value)):
            return True
    return False


def _parts(name: str, value: Any) -> Iterator[Any]:
    if name == "SUBPATTERN":
        yield value[3]
    elif name == "BRANCH":
        yield from value[1]
    elif name == "ATOMIC_GROUP":
        yield value


def _needs(items: Any) -> list[frozenset[str]]:
    """The sets of alternatives of the parts that must all match, in their order; parts without a text of their own have none."""
    found: list[frozenset[str]] = []
    run = ""
    for operation, value in [*items, ("END", None)]:
        name = str(operation)
        # A blank may be a line end in the text, so it ends a run.
        if name == "LITERAL" and value != ord(" ") and chr(value).lower().upper().lower() == chr(value).lower():
            run += chr(value).lower()
            continue
        found.append(frozenset({run}))
        run = ""
        if name == "BRANCH":
            branches = [_best(_needs(part)) for part in value[1]]
            if all(branches):
                found.append(frozenset().union(*branches))
        elif name == "SUBPATTERN":
            found += _needs(value[3])
        elif name in _REPEATS and int(value[0]) > 0:
            found += _needs(value[2])
    return found


def _best(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    """The set whose shortest text is longest, the first of several; empty where all have one that is too short."""
    return max((item for item in sets if _worth(item)[0]), key=_worth, default=frozenset())


def _worth(texts: frozenset[str]) -> tuple[int, int]:
    shortest = min(map(len, texts), default=0)
    return (shortest if shortest >= SHORTEST else 0, -len(texts))
