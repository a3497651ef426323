"""The two halves of a plan before it is sealed: what it is made from, and what it does."""

from __future__ import annotations

from dataclasses import field

from provisioner.environment.read import Site
from provisioner.model.catalogue import Link, Lock, LockedFile
from provisioner.model.checkout import Checkout
from provisioner.model.conda import Outside
from provisioner.model.conda_package import CondaPart
from provisioner.model.facts import Facts
from provisioner.model.finding import Repair
from provisioner.model.plan import Choice, Edit, Move, Moved, Neighbour, Package, PlanKind, Removal, Way
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.model.team import Index


@record
class PlanInputs:
    """What every plan is made from, that of an apply as that of a repair.

    ``made`` is the time (ISO 8601), ``machine`` and ``proof`` are words for a person, ``catalogue`` is the catalogue's digest, ``cache`` the
    installer's folder. ``lock`` is the set that packages are taken from (None where none is used), ``indexes`` are those that its files come from,
    where a team's lock says it. ``warnings`` are about the place. ``moved`` and ``ways`` are as in ``Plan``.
    """

    tool: str
    made: str
    machine: str
    request: Request
    facts: Facts
    catalogue: str
    cache: str
    site: Site
    choice: Choice
    lock: Lock | None
    proof: str
    indexes: tuple[Index, ...] = ()
    warnings: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()
    ways: tuple[Way, ...] = ()

    @property
    def files(self) -> tuple[LockedFile, ...]:
        """The files of the set."""
        return self.lock.files if self.lock is not None else ()


@record
class Change:
    """What a plan does to the environment; the fields are those of ``Plan``.

    ``outside`` and ``registered`` are what else changes outside the environment, in sentences: before what the packages add to the caches, and
    after it.
    """

    kind: PlanKind = "apply"
    repairs: tuple[Repair, ...] = ()
    packages: tuple[Package, ...] = ()
    builders: tuple[Package, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    unchanged: dict[str, str] = field(default_factory=dict)
    removals: tuple[Removal, ...] = ()
    moves: tuple[Move, ...] = ()
    edits: tuple[Edit, ...] = ()
    links: tuple[Link, ...] = ()
    conda: CondaPart | None = None
    base: str = ""
    conflicts: tuple[str, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    outside: tuple[str, ...] = ()
    registered: tuple[str, ...] = ()
    kernels: tuple[Outside, ...] = ()
