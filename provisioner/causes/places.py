"""Where in a long text a pattern is worth trying: beside the texts of which every match holds one, the first of them and the last. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

# Of one text so many places are looked at, from the begin and from the end: the earliest error is near the start, the final one at the end.
FIRST, LAST = 300, 100
# What one pattern may look at, in letters.
BUDGET = 120_000
# On a longer line the next place is looked for so much further on.
STEP = 1_000
# Beside the widest match, for what it must see around itself.
MARGIN = 400

Window = tuple[int, int]


class Places:
    """The text in lower case, where its lines begin, and where the texts that were asked for stand in it."""

    def __init__(self, text: str) -> None:
        """Read the text once."""
        # The one letter that becomes two in lower case would move all places behind it.
        self._text = text.replace("\u0130", "I").lower()
        self._starts = [0]
        at = -1
        while (at := text.find("\n", at + 1)) >= 0:
            self._starts.append(at + 1)
        self._known: dict[str, list[Window]] = {}

    def windows(self, needed: Iterable[str], width: int, lines: int) -> Iterator[Window]:
        """Yield the parts of the text that hold every match of a pattern, in order and apart.

        ``needed`` are texts in lower case of which each match holds one; a match is at most ``width`` letters and ``lines`` line ends wide.
        """
        around = width + MARGIN
        low = high = spent = 0
        for start, end in self._all(needed):
            line, last = self._line(start), self._line(end)
            begin = max(self._starts[max(0, line - lines)], start - around)
            stop = min(self._end(last + lines), end + around)
            if begin <= high and high:
                high = max(high, stop)
                continue
            if high:
                yield low, high
            spent += high - low
            if spent > BUDGET:
                return
            low, high = begin, stop
        if high:
            yield low, high

    def _all(self, needed: Iterable[str]) -> list[Window]:
        found: list[Window] = []
        for text in needed:
            if text not in self._known:
                self._known[text] = self._find(text) if text in self._text else []
            found += self._known[text]
        return sorted(found)

    def _find(self, text: str) -> list[Window]:
        """Return where a text stands, once a line or step: the first and the last of them."""
        found: list[Window] = []
        at = 0
        while len(found) < FIRST and (start := self._text.find(text, at)) >= 0:
            end = start + len(text)
            at = max(end, min(self._end(self._line(end - 1)), start + STEP))
            found.append((start, at))
        final: list[Window] = []
        stop = len(self._text)
        while len(final) < LAST and len(found) == FIRST and (start := self._text.rfind(text, at, stop)) >= 0:
            final.append((start, start + len(text)))
            stop = max(at, self._starts[self._line(start)], start - STEP)
        return found + final[::-1]

    def _line(self, place: int) -> int:
        return bisect_right(self._starts, place) - 1

    def _end(self, line: int) -> int:
        return self._starts[line + 1] - 1 if line + 1 < len(self._starts) else len(self._text)
