"""Versions as glibc, drivers, CUDA and compute capabilities write them: numbers and dots, compared number by number."""

from __future__ import annotations

from provisioner.base.numbers import runs


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for comparing: ``525.60.13`` is ``(525, 60, 13)``, and a text without any is ``()``."""
    return runs(version)
