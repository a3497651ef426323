"""Versions of numbers and dots."""

from __future__ import annotations

import pytest

from provisioner.base.versions import numbers


def test_they_are_compared_number_by_number() -> None:
    assert numbers("525.60.13") < numbers("525.105.17") < numbers("550.54")


@pytest.mark.parametrize(("text", "found"), [("8.6", (8, 6)), ("580.65.06", (580, 65, 6)), ("compute_80", (80,)), ("", ())])
def test_what_stands_between_numbers_does_not_count(text: str, found: tuple[int, ...]) -> None:
    assert numbers(text) == found
