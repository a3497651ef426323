"""The set of texts that holds no text answers as a set of texts does."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from provisioner.base.prints import Prints


@given(st.lists(st.sampled_from("abcdefgh")), st.lists(st.sampled_from("abcdefgh")))
def test_as_a_set(first: list[str], second: list[str]) -> None:
    prints = Prints()
    added: list[str] = []
    for part in (first, second):
        for text in part:
            prints.add(text)
        added += part
        counts = Counter(added)
        repeated = prints.repeated()
        assert [text in prints for text in "abcdefgh"] == [text in counts for text in "abcdefgh"]
        assert [text in repeated for text in "abcdefgh"] == [counts[text] > 1 for text in "abcdefgh"]
