"""Where in a long text a pattern is worth trying: beside the texts of which every match holds one, the first of them and the last. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

from provisioner.causes.words import Words, is_of_one_word

# Of one text so many places are looked at, from the begin and from the end: the earliest error is near the start, the final one at the end.
FIRST, LAST = 300, 100
# What one pattern may look at, in letters.
BUDGET = 120_000
# On a longer line the next place is looked for so much further on.
STEP = 1_000
# Beside the widest match, for what it must see around itself.
MARGIN = 400

Window = tuple[int, int]
# From where to where a text is looked at, and the numbers of the lines of both.
Place = tuple[int, int, int, int]


class Places:
    """The text in lower case, its words, where its lines begin, and where the texts that were asked for stand in it."""

    def __init__(self, text: str) -> None:
        """Read the text once."""
        # The letter that becomes two in lower case would move all places behind it; the others are what `re` takes for the same letter.
        self._text = (text if text.isascii() else text.replace("\u0130", "I").replace("\u0131", "i").replace("\u017f", "s")).lower()
        self._words = Words(self._text)
        self._starts = [0]
        at = -1
        while (at := text.find("\n", at + 1)) >= 0:
            self._starts.append(at + 1)
        self._present: dict[str, bool] = {}
        self._known: dict[str, list[Place]] = {}

    def windows(self, needed: Sequence[Sequence[str]], width: int, lines: int) -> Iterator[Window]:
        """Yield the parts of the text that hold every match of a pattern, in order and apart.

        ``needed`` are lists of texts in lower case; each match holds one of each list, and by those of the first it is looked for. It is at
        most ``width`` letters and ``lines`` line ends wide.
        """
        present: list[list[str]] = []
        for texts in needed:
            there = [text for text in texts if self._is_there(text)]
            if not there:
                return
            present.append(there)
        first, *others = present
        for low, high in self._around(first, width + MARGIN, lines):
            if not others or self._holds(low, high, others):
                yield low, high

    def _holds(self, low: int, high: int, needed: list[list[str]]) -> bool:
        find = self._text.find
        for texts in needed:
            for text in texts:
                if find(text, low, high) >= 0:
                    break
            else:
                return False
        return True

    def _around(self, texts: list[str], around: int, lines: int) -> Iterator[Window]:
        low = high = spent = 0
        starts, final = self._starts, len(self._starts) - 1
        places = self._find(texts[0]) if len(texts) == 1 else sorted(place for text in texts for place in self._find(text))
        for start, end, line, last in places:
            begin = max(starts[line - lines] if line > lines else 0, start - around)
            stop = min(starts[last + lines + 1] - 1 if last + lines < final else len(self._text), end + around)
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

    def _is_there(self, text: str) -> bool:
        if text not in self._present:
            self._present[text] = text in (self._words.all if is_of_one_word(text) else self._text)
        return self._present[text]

    def _find(self, text: str) -> list[Place]:
        """Return where a text stands, once a line or step: the first and the last of them."""
        if text in self._known:
            return self._known[text]
        found: list[Place] = []
        places = self._words.places(text) if is_of_one_word(text) else None
        find, rfind = (self._text.find, self._text.rfind) if places is None else _among(places)
        starts, size, at = self._starts, len(text), 0
        while len(found) < FIRST and (start := find(text, at)) >= 0:
            line = bisect_right(starts, start) - 1
            last = line + text.count("\n", 0, -1)
            at = max(start + size, min(self._end(last), start + STEP))
            found.append((start, at, line, last if text[-1] != "\n" else last + 1))
        final: list[Place] = []
        stop = len(self._text)
        while len(final) < LAST and len(found) == FIRST and (start := rfind(text, at, stop)) >= 0:
            line = bisect_right(starts, start) - 1
            final.append((start, start + size, line, line + text.count("\n")))
            stop = max(at, starts[line], start - STEP)
        self._known[text] = found + final[::-1]
        return self._known[text]

    def _end(self, line: int) -> int:
        return self._starts[line + 1] - 1 if line + 1 < len(self._starts) else len(self._text)


def _among(places: list[int]) -> tuple[Callable[[str, int], int], Callable[[str, int, int], int]]:
    """``str.find`` and ``str.rfind`` of a text whose places are known."""

    def find(_: str, start: int) -> int:
        number = bisect_left(places, start)
        return places[number] if number < len(places) else -1

    def rfind(text: str, start: int, stop: int) -> int:
        number = bisect_right(places, stop - len(text)) - 1
        return places[number] if number >= 0 and places[number] >= start else -1

    return find, rfind
