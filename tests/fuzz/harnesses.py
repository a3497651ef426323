"""All harnesses, by name."""

from __future__ import annotations

from tests.fuzz import documents, machine
from tests.fuzz.registry import HARNESSES

__all__ = ["HARNESSES", "documents", "machine"]
