"""Many texts, remembered without holding one of them: eight bytes each, where a set of paths takes two hundred."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator


class Prints:
    """Remembers texts by Python's own hash of them, which is salted anew in each process.

    Two of a million texts have the same one with a probability of 1 to 37 million; nobody can look for such a pair without the salt.
    """

    def __init__(self) -> None:
        self._all = array("q")
        self._sorted = True

    def add(self, text: str) -> None:
        """Remember a text; one that comes again is there twice."""
        self._all.append(hash(text))
        self._sorted = False

    def __contains__(self, text: object) -> bool:
        self._sort()
        wanted = hash(text)
        place = bisect_left(self._all, wanted)
        return place < len(self._all) and self._all[place] == wanted

    def repeated(self) -> Prints:
        """Return those that were added more than once."""
        self._sort()
        found = Prints()
        found._all.extend(self._twice())
        return found

    def _twice(self) -> Iterator[int]:
        last, told = None, False
        for item in self._all:
            if item == last and not told:
                yield item
            told = item == last
            last = item

    def _sort(self) -> None:
        if not self._sorted:
            self._all = array("q", sorted(self._all))
            self._sorted = True
