"""How the targets of a declaration are resolved: dates, folders, where conda packages come from, and this machine's Pythons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from provisioner.base.names import is_rival
from provisioner.commands.lock_declared import Declared, LockRequest
from provisioner.engines import built_in
from provisioner.engines import conda_lock as conda_lock_engine
from provisioner.engines.resolving import Job
from provisioner.lock import conda as conda_half
from provisioner.lock import dates
from provisioner.lock.choosing import ChosenSet
from provisioner.lock.conda import Sources
from provisioner.lock.how import How, nothing
from provisioner.lock.meeting import Brought, meet, release_below
from provisioner.lock.resolve import Locked, UnmetError, lock_targets
from provisioner.model.team import Engine, TeamLock
from provisioner.session import Session


def resolve(
    session: Session,
    declared: Declared,
    sets: tuple[ChosenSet, ...],
    *,
    before: TeamLock | None,
    engine: Engine,
    wanted: LockRequest,
    tell: Callable[[str], None] = nothing,
) -> Locked:
    """Lock the sets of a declaration, or those of older releases where these do not go with the requirements; raises where none do."""
    by_channel = any(target.source == "conda" for target in declared.declaration.targets)
    own = tuple(name for name in wanted.upgrade or () if by_channel or not is_rival(name))
    # TensorFlow moves by its set, which has no date (a channel's does have one); () would stand for all.
    upgrade = own if own or wanted.upgrade == () else None
    start = dates.first(session.host.now(), declared.declaration.policy.cool_down)
    cutoff, cutoffs = dates.following(before, start=start, given=wanted.cutoff, upgrade=upgrade)
    with own_folder(session) as (home, folder):
        how = How(
            engine=engine,
            cutoff=cutoff,
            cutoffs=cutoffs,
            folder=folder,
            cache=home,
            platform=session.platform if engine == "pip-tools" else "",
            pythons=_pythons(session) if engine == "pip-tools" else {},
            offline=wanted.offline,
            sources=_sources(session, declared, before, engine, wanted),
            tell=tell,
            commits=_commits(before, wanted.upgrade),
            links=declared.inputs.links,
            built_in="" if engine == "pip-tools" else built_in.address(session.host, declared.declaration.indexes, folder=folder),
        )
        lock_all = partial(lock_targets, session.host, declared.declaration, declared.inputs, catalogue=declared.catalogue, previous=before)
        anyway = declared.choose_any
        try:
            return meet(
                sets,
                lambda found, deep: lock_all(sets=found, how=replace(how, deep=deep)),
                lambda below: declared.choose({}, cutoff, below),
                lambda chosen, job, limit: _below(session, declared, chosen, job, limit, tell),
                (lambda below: anyway({}, cutoff, below)) if anyway is not None else None,
            )
        except UnmetError as error:
            tell("finding out what clashes, and what would do")
            raise error.explained(session.host, declared.catalogue) from None


def _below(session: Session, declared: Declared, chosen: ChosenSet, job: Job, limit: str, tell: Callable[[str], None]) -> Brought:
    tell(f"{chosen[0].name}: TensorFlow {chosen[1].release} does not go with your requirements; looking for one that does")
    return release_below(session.host, declared.catalogue, declared.inputs, chosen, job, limit)


def _commits(before: TeamLock | None, upgrade: tuple[str, ...] | None) -> dict[str, str]:
    """Return the commits that are locked and stay, by the address of the requirement."""
    if before is None or upgrade == ():
        return {}
    items = [item for locked in before.targets for item in locked.checkouts if item.commit]
    return {item.requested: item.commit for item in items if item.name not in (upgrade or ())}


def _sources(session: Session, declared: Declared, before: TeamLock | None, engine: Engine, wanted: LockRequest) -> Sources | None:
    """Return where conda packages come from, and what is locked of them and stays; None where no target has any."""
    if all(target.kind != "conda" for target in declared.declaration.targets):
        return None
    places, written_channels = conda_half.open_channels(session.host, declared.declaration, declared.catalogue.conda().channels)
    repodata = session.folder("conda", made=True)
    return Sources(
        places=places,
        written=written_channels,
        repodata=repodata,
        conda=conda_lock_engine.executable(places.tools) if engine == "conda-lock" else "",
        before=conda_half.staying(before, wanted.upgrade, written_channels),
        known=conda_half.names_of(before),
    )


def _pythons(session: Session) -> dict[str, str]:
    """Return the interpreters of this machine by their minor version, the first of each."""
    from provisioner.facts import interpreters  # noqa: PLC0415 - only for pip-tools

    found: dict[str, str] = {}
    for item in interpreters.probe(session.host, session.facts_store).value or ():
        if item.carries and not item.virtual:
            found.setdefault(".".join(item.version.split(".")[:2]), item.path)
    return found


@contextmanager
def own_folder(session: Session) -> Iterator[tuple[str, str]]:
    """Give the tool's folder for locks, which stays, and one in it for this run alone."""
    with session.scratch("lock") as folder:
        yield session.folder("lock"), folder
