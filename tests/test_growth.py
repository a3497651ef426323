"""The measure of growth: what grows with the square is found, what grows with the text is not."""

from __future__ import annotations

import re

from tests.growth import too_fast

_TRAILING = re.compile(r"\s+$")


def test_what_grows_with_the_square_is_found() -> None:
    assert too_fast(lambda size: _TRAILING.search(" " * size + "x"), 4_000)


def test_what_grows_with_the_text_is_not() -> None:
    assert not too_fast(lambda size: sum(range(size)), 2_000_000)
    assert not too_fast(lambda _size: None, 10_000)
