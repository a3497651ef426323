"""What a person is told to do, as lines: the same words in every command."""

from __future__ import annotations

from provisioner.model.finding import Remedy


def remedy_lines(remedy: Remedy, *, ways: bool = True) -> list[str]:
    """Return a remedy: the smallest change with its commands, why it helps and what it costs, then (with ``ways``) what else does it."""
    lines = _way("do", remedy.words, remedy.steps, remedy.cost)
    if remedy.why:
        lines.append(f"  why: {remedy.why}")
    for way in remedy.others if ways else ():
        lines += _way("else", way.words, way.steps, way.cost)
    return lines


def _way(mark: str, words: str, steps: tuple[str, ...], cost: str) -> list[str]:
    return [f"  {mark}: {words}{f' ({cost})' if cost else ''}", *(f"      $ {step}" for step in steps)]
