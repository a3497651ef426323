"""Reading what a plan for an existing environment is judged by: what else is installed there, and what may be put in the place of a set's package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from provisioner.base.versions import numbers
from provisioner.catalogue.lockfile import glibc_of
from provisioner.environment.distributions import installed
from provisioner.environment.read import Site
from provisioner.judge.markers import markers_of
from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice, Moved
from provisioner.plan.floor import floor_of
from provisioner.plan.neighbours import Around, lacking, look_around
from provisioner.plan.present import Present
from provisioner.plan.settle import Room, settle
from provisioner.session import Session


def read_around(session: Session, site: Site, members: Iterable[str]) -> Around:
    """Return what lies in the environment beside the set with these ``members`` (names)."""
    return look_around(
        # One that is there twice is told apart by nobody; the first counts.
        installed=tuple({item.name: item for item in reversed(installed(session.host, site.state.path))}.values()),
        markers=markers_of(site.state.python_version),
        members=frozenset(members),
        companions=session.catalogue.fits().companions,
    )


def read_room(session: Session, facts: Facts, choice: Choice, lock: Lock, unfit: frozenset[str] = frozenset()) -> Room:
    """Return what may be put in the place of the set's packages on this machine; ``unfit`` is as in ``Room``."""
    catalogue = session.catalogue
    floor = numbers(floor_of(facts, lock))
    pool = catalogue.pool(choice.python, choice.platform)
    return Room(
        needs=catalogue.needs(),
        limits=catalogue.limits(lock),
        pool={name: tuple(file for file in files if glibc_of(file.filename) <= floor) for name, files in pool.items()},
        unfit=unfit,
    )


def beside(
    session: Session,
    facts: Facts,
    site: Site,
    choice: Choice,
    lock: Lock,
    there: Present,
    *,
    exact: bool,
    members: Iterable[str] | None = None,
) -> tuple[Lock, tuple[Moved, ...], Around | None]:
    """Return the set for an environment, which packages of it were exchanged for the sake of what else is there, and what that is.

    Nothing else is looked at where nothing is there, or where the set is there as it is. An ``exact`` set stays as it is.
    """
    if not site.state.exists or not _changes(site, lock, there):
        return lock, (), None
    around = read_around(session, site, (file.name for file in lock.files) if members is None else members)
    if exact:
        return lock, (), around
    settled, moved = settle_for(session, facts, site, choice, lock, around, frozenset(there.broken))
    return settled, moved, around


def _changes(site: Site, lock: Lock, judged: Present) -> bool:
    there = {(item.name, item.version) for item in site.distributions}
    wanted = ((file.name, judged.fitting.get(file.name, file.version)) for file in lock.files)
    return any(item not in there for item in wanted) or bool(site.leftovers or judged.broken)


def settle_for(
    session: Session, facts: Facts, site: Site, choice: Choice, lock: Lock, around: Around, unfit: frozenset[str] = frozenset()
) -> tuple[Lock, tuple[Moved, ...]]:
    """Return the set with the packages exchanged that keep the user's own distributions whole, and which they are; its digest stays the set's.

    ``unfit`` are the names of what is installed and cannot stay as it is.
    """
    held = {file.name: file.version for file in lock.files}
    if not any(item.name in held for item in lacking(around, held)):
        return lock, ()
    names = [item.name for item in site.distributions]
    twice = frozenset(name for name in names if names.count(name) > 1)
    found = settle(around, lock.files, read_room(session, facts, choice, lock, unfit | twice))
    return replace(lock, files=found.files), found.moved
