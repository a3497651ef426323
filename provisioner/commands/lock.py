"""The stages of `tfsetup lock`, in order."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from provisioner.base.names import is_rival, normalise
from provisioner.base.progress import SILENT, Progress
from provisioner.base.versions import numbers
from provisioner.catalogue import Catalogue
from provisioner.commands import named
from provisioner.engines import conda_lock as conda_lock_engine
from provisioner.errors import InputError, OperationError, UsageError
from provisioner.host import Host, Reader
from provisioner.host.files import make_folders
from provisioner.lock import conda as conda_half
from provisioner.lock import dates, render, sidecar, store
from provisioner.lock.choosing import ChosenSet, choose_sets
from provisioner.lock.conda import Sources
from provisioner.lock.declaration import read_declaration
from provisioner.lock.formats import conda_lock
from provisioner.lock.how import How
from provisioner.lock.inputs import read_inputs
from provisioner.lock.meeting import meet, release_below
from provisioner.lock.resolve import Locked, UnmetError, catalogue_digest, lock_targets
from provisioner.model.named import Named
from provisioner.model.record import record
from provisioner.model.team import Declaration, Engine, Inputs, TeamLock
from provisioner.session import Session

# How long a run waits for another one that writes the same lock.
WAIT_SECONDS = 60.0
ENGINES: tuple[Engine, ...] = ("uv", "pip-tools", "conda-lock")


@record
class LockRequest:
    """What a person asks of `tfsetup lock`.

    ``engine`` is "" for the one that the lock was made with. ``upgrade`` is None for "keep what is there", () for all packages, else names.
    ``cutoff`` is an upload date (ISO, UTC), "" for that of the lock.
    """

    engine: Engine | None = None
    upgrade: tuple[str, ...] | None = None
    cutoff: str = ""
    offline: bool = False


@record
class Declared:
    """A declaration with all that was read for it.

    ``choose`` gives the known-good set of each target, or raises ``NoProfileError``; it is told the release that each target has in the lock
    that is there, the upload date up to which the index is looked at, and the targets that are limited to older releases.
    """

    declaration: Declaration
    inputs: Inputs
    catalogue: Catalogue
    choose: Callable[[Mapping[str, str], str, Mapping[str, str]], tuple[ChosenSet, ...]]


@record
class Outcome:
    """A written lock: ``folder`` is absolute, ``changed`` names the files that were written or removed, ``before`` is the lock that was there."""

    folder: str
    lock: TeamLock
    changed: tuple[str, ...]
    before: TeamLock | None = None
    warnings: tuple[str, ...] = ()


def lock(session: Session, project: str, wanted: LockRequest, *, progress: Progress = SILENT) -> Outcome:
    """Read the declaration in the folder ``project`` (absolute), lock all its targets, and write the files together."""
    return lock_declared(session, read_declared(session, project), wanted, progress=progress)


def read_declared(session: Session, project: str) -> Declared:
    """Read the declaration in the folder ``project`` (absolute) with all its inputs; raises ``InputError`` with every fault."""
    declaration = read_declaration(session.host, project)
    catalogue = session.catalogue
    inputs = read_inputs(session.host, declaration)
    return Declared(
        declaration=declaration,
        inputs=inputs,
        catalogue=catalogue,
        choose=lambda keep, cutoff, below: choose_sets(
            declaration, catalogue, keep=keep, cutoff=cutoff, requirements=inputs.requirements, below=below
        ),
    )


def lock_folder(reader: Reader, declaration: Declaration) -> str:
    """Return the folder that the locks are written to, which is relative to the declaration's.

    Raises ``InputError`` where it leads out of the project: by its text, or by a link on the way.
    """
    project = posixpath.dirname(declaration.file)
    folder = posixpath.normpath(posixpath.join(project, declaration.folder))
    own, real = reader.real(project), reader.real(folder)
    if real != own and not real.startswith(f"{own.rstrip('/')}/"):
        hint = f"name a folder below {project}, or take the link away"
        raise InputError(f"`folder: {declaration.folder}` leads out of the project, to {real}", place=declaration.file, hint=hint)
    return folder


def lock_declared(session: Session, declared: Declared, wanted: LockRequest, *, progress: Progress = SILENT) -> Outcome:
    """Lock all targets of a declaration, and write the files together.

    With nothing changed since the lock was made, nothing is resolved and nobody is asked: the files are as they were, byte for byte.
    """
    host, declaration = session.host, declared.declaration
    folder = lock_folder(host, declaration)
    if "conda-lock" in declaration.formats:
        conda_lock.check_installed()
    check_conda(declaration, wanted.engine)
    make_folders(host, folder)
    with _alone(session, folder):
        before, warnings = _before(host, folder)
        moving, held = _movable(before, wanted.upgrade)
        wanted, warnings = replace(wanted, upgrade=moving), (*warnings, *held)
        start = dates.first(host.now(), declaration.policy.cool_down)
        sets = choose(declared, before, wanted, dates.following(before, start=start, given=wanted.cutoff, upgrade=wanted.upgrade)[0])
        engine = wanted.engine or (before.engine if before else "uv")
        if (
            before is not None
            and fresh(before, declared.inputs, sets, engine)
            and wanted.upgrade is None
            and wanted.cutoff in {"", before.cutoff}
        ):
            made = Locked(lock=before)
        else:
            session.trust.need(_named(session, declaration))
            progress.start("lock", f"Resolving {len(sets)} target{'s' if len(sets) > 1 else ''} with {engine}")
            made = _resolve(session, declared, sets, before=before, engine=engine, wanted=wanted)
            progress.finish()
        kept = session.folder("lock", made=True)
        files = render.texts(host, declaration, made.lock, cache=kept)
        changed = store.write_lock(host, folder, made.lock, files)
    return Outcome(
        folder=folder, lock=sidecar.with_written(made.lock, files), changed=changed, before=before, warnings=(*warnings, *made.warnings)
    )


def _named(session: Session, declaration: Declaration) -> Iterator[Named]:
    """Yield the addresses that a declaration names."""
    file = posixpath.basename(declaration.file)
    yield from named.of_indexes(session, declaration.indexes, file)
    if any(target.kind == "conda" for target in declaration.targets):
        yield from named.of_channels(session, [(f"{file}: channels[{number}]", item) for number, item in enumerate(declaration.channels)])


def check_conda(declaration: Declaration, engine: Engine | None) -> None:
    """Raise ``UsageError`` where the declaration's formats cannot hold its conda targets, or an engine for them has none to lock."""
    conda = [target.name for target in declaration.targets if target.kind == "conda"]
    if conda and "conda-lock" not in declaration.formats:
        hint = "add conda-lock to `formats`; requirements and pylock hold wheels alone, which would be half of the environment"
        raise UsageError("only the format conda-lock can hold conda environments", place=", ".join(conda), hint=hint)
    if engine == "conda-lock" and not conda:
        hint = "give a target `kind: conda`, or leave the engine out"
        raise UsageError("no target is a conda environment, and conda-lock resolves nothing else", place="--engine conda-lock", hint=hint)


def fresh(before: TeamLock, inputs: Inputs, sets: tuple[ChosenSet, ...], engine: Engine) -> bool:
    """True when a lock was made from the same inputs, known-good sets, targets and engine."""
    return (
        before.inputs == inputs.digests
        and before.catalogue == catalogue_digest(sets)
        and before.engine == engine
        and tuple(locked.target for locked in before.targets) == tuple(target for target, _, _ in sets)
    )


def choose(declared: Declared, before: TeamLock | None, wanted: LockRequest, cutoff: str) -> tuple[ChosenSet, ...]:
    """Return the known-good set of each target.

    A lock keeps its releases as long as the declaration allows them. An upgrade of all, or one that names TensorFlow, takes the newest of
    the most proven sets, and never an older release than the one that is locked.
    """
    kept = {locked.target.name: locked.release for locked in before.targets} if before is not None else {}
    if wanted.upgrade is None or (wanted.upgrade and not any(is_rival(name) for name in wanted.upgrade)):
        return declared.choose(kept, cutoff, {})
    sets = declared.choose({}, cutoff, {})
    newer = {
        target.name: kept[target.name]
        for target, lock, _ in sets
        if lock.release and numbers(lock.release) < numbers(kept.get(target.name, "0"))
    }
    return declared.choose(newer, cutoff, {}) if newer else sets


def _movable(before: TeamLock | None, upgrade: tuple[str, ...] | None) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Return the packages that an upgrade can move, normalised, and a sentence for each that moves only with TensorFlow.

    Raises ``UsageError`` for a package that no target has. Where none of the named can move, nothing is upgraded.
    """
    if before is None or not upgrade:
        return upgrade, ()
    files = [file for locked in before.targets for file in locked.files]
    conda = {normalise(package.name) for locked in before.targets if locked.conda for package in locked.conda.packages}
    moving: list[str] = []
    held: list[str] = []
    for name in map(normalise, upgrade):
        own = [file for file in files if file.name == name]
        if not own and name not in conda and not is_rival(name):
            hint = "`tfsetup lock --upgrade` without names upgrades everything; what is new in the declaration is locked by `tfsetup lock`"
            raise UsageError("is not in the lock, so it cannot be upgraded", place=name, hint=hint)
        if own and name not in conda and all(file.profile for file in own) and not is_rival(name):
            held.append(f"{name} stays at {own[0].version}: it is part of the known-good set, and moves only with TensorFlow")
        else:
            moving.append(name)
    return tuple(moving) or None, tuple(held)


def _before(host: Host, folder: str) -> tuple[TeamLock | None, tuple[str, ...]]:
    """Return the lock that is there; one that cannot be read (a merge that went wrong) is made anew."""
    warnings: list[str] = []
    if store.recover(host, folder):
        warnings.append("an earlier run was interrupted while it wrote the lock; that was brought to its end")
    try:
        return store.read_lock(host, folder), tuple(warnings)
    except InputError as error:
        return None, (*warnings, f"the lock that is there cannot be read and is made anew ({error}; {'; '.join(error.faults[:3])})")


@contextmanager
def _alone(session: Session, folder: str) -> Iterator[None]:
    """Hold the lock's folder against other runs of this user; the file for it is in the tool's cache, so that no repository sees it."""
    home = session.folder("lock", made=True)
    name = hashlib.sha256(session.host.real(folder).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    try:
        with session.host.lock(posixpath.join(home, f"folder-{name}"), wait=WAIT_SECONDS):
            yield
    except BlockingIOError:
        raise OperationError("another tfsetup is writing this lock", place=folder, hint="wait until it is done, then try again") from None


def _resolve(
    session: Session,
    declared: Declared,
    sets: tuple[ChosenSet, ...],
    *,
    before: TeamLock | None,
    engine: Engine,
    wanted: LockRequest,
) -> Locked:
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
        )
        lock_all = partial(
            lock_targets, session.host, declared.declaration, declared.inputs, catalogue=declared.catalogue, previous=before, how=how
        )
        try:
            return meet(
                sets,
                lambda found: lock_all(sets=found),
                lambda below: declared.choose({}, cutoff, below),
                partial(release_below, session.host, declared.catalogue, declared.inputs),
            )
        except UnmetError as error:
            raise error.explained(session.host) from None


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
        if item.implementation == "cpython" and not item.virtual and not item.free_threaded:
            found.setdefault(".".join(item.version.split(".")[:2]), item.path)
    return found


@contextmanager
def own_folder(session: Session) -> Iterator[tuple[str, str]]:
    """Give the tool's folder for locks, which stays, and one in it for this run alone."""
    with session.scratch("lock") as folder:
        yield session.folder("lock"), folder
