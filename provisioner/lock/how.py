"""How a lock is made: engine, dates, folders, and this machine as far as an engine is bound to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from provisioner.lock.conda import Sources
from provisioner.model.record import record
from provisioner.model.team import Engine


def nothing(*_words: str) -> None:
    """Tell nobody."""


@record
class How:
    """How a lock is made: ``cutoff`` (ISO, UTC) and ``cutoffs`` of single packages, as in ``TeamLock``.

    ``platform`` is that of this machine ("" where nobody can tell), and ``pythons`` its interpreters by minor version; pip-tools is bound to
    them. With ``deep`` all is tried before anything is given up, as ``building`` says. ``folder`` is one of the tool's own,
    for this run alone; ``cache`` one that stays. ``sources`` are those of conda packages, None where no target has any.
    ``commits`` are those that stay, by the addresses of the requirements that they answer. ``tell`` is told what is waited for; it is
    called from several threads. ``links`` and ``built_in`` are those of ``Job``; ``answered`` is called as soon as an index has answered for
    the first time.
    """

    engine: Engine
    cutoff: str
    folder: str
    cache: str
    cutoffs: Mapping[str, str]
    platform: str = ""
    pythons: Mapping[str, str] = field(default_factory=dict)
    offline: bool = False
    deep: bool = False
    sources: Sources | None = None
    commits: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = nothing
    links: tuple[str, ...] = ()
    built_in: str = ""
    answered: Callable[[], None] = nothing
