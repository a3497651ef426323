"""The different words of a long text, and where each stands: a text is looked for in these, which are fewer than the text is long. Pure."""

from __future__ import annotations

from bisect import bisect_right

# A text that is in more words is everywhere, and soon found in the text itself.
MANY = 64


def is_of_one_word(text: str) -> bool:
    """True for what can only stand within a word: nothing in it parts words."""
    return " " not in text and "\n" not in text


class Words:
    """The words of a text, as blanks and line ends part them: ``all`` has each once."""

    def __init__(self, text: str) -> None:
        """Read the text once."""
        self._index: dict[str, list[int]] = {}
        at = 0
        for word in text.replace("\n", " ").split(" "):
            self._index.setdefault(word, []).append(at)
            at += len(word) + 1
        self._words = list(self._index)
        self.all = " ".join(self._words)
        self._begins: list[int] = []

    def places(self, text: str) -> list[int] | None:
        """Return every place of a text that is of one word; None where it is in many words."""
        if not self._begins:
            at = 0
            for word in self._words:
                self._begins.append(at)
                at += len(word) + 1
        found: list[int] = []
        at = -1
        for _ in range(MANY):
            at = self.all.find(text, at + 1)
            if at < 0:
                return sorted(found)
            number = bisect_right(self._begins, at) - 1
            inner = at - self._begins[number]
            found += [place + inner for place in self._index[self._words[number]]]
        return None
