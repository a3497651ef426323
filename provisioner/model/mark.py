"""One thing that keeps an environment from being whole, as the judge finds it and a plan carries it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from provisioner.model.record import record

MarkKind = Literal["file", "two writers", "record", "leftover", "stray", "twice", "rivals", "requirement"]


@record
class Mark:
    """One thing that is not whole: ``distribution`` is whose it is ("" where it is nobody's), ``where`` a path or "", ``words`` a sentence.

    ``about`` is the name of what a distribution requires and has not.
    """

    kind: MarkKind
    distribution: str
    where: str
    words: str
    about: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes it the same before and after a change: of a requirement not which version it has met instead (as in ``plan.neighbours``)."""
        words = self.words.partition(", but ")[0] if self.kind == "requirement" else self.words
        return (self.kind, self.distribution, self.where, words, self.about)


def added(now: Iterable[Mark], before: Iterable[Mark]) -> frozenset[Mark]:
    """Return what is wrong ``now`` and was not so ``before``."""
    known = {mark.identity for mark in before}
    return frozenset(mark for mark in now if mark.identity not in known)
