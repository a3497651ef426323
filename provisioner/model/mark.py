"""One thing that keeps an environment from being whole, as the judge finds it and a plan carries it."""

from __future__ import annotations

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
