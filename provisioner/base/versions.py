"""Versions as glibc, drivers, CUDA and compute capabilities write them: numbers and dots, compared number by number."""

from __future__ import annotations

import re


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for comparing: ``525.60.13`` is ``(525, 60, 13)``, and a text without any is ``()``."""
    return tuple(int(number) for number in re.findall(r"\d+", version))
