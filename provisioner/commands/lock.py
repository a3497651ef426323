"""The stages of `tfsetup lock`, in order."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from provisioner.base.progress import SILENT, Progress
from provisioner.commands import lock_into, named_addresses
from provisioner.commands.lock_declared import Declared, LockRequest, check_conda, choose, fresh, lock_folder, movable, read_declared
from provisioner.commands.lock_into import Edit, nobody
from provisioner.commands.lock_resolve import resolve
from provisioner.errors import InputError, OperationError
from provisioner.host import Host
from provisioner.host.files import make_folders
from provisioner.lock import dates, render, sidecar, store
from provisioner.lock.formats import conda_lock
from provisioner.lock.resolve import Locked
from provisioner.model.named import Named
from provisioner.model.record import record
from provisioner.model.team import Declaration, Inputs, LockedTarget, TeamLock
from provisioner.session import Session

# How long a run waits for another one that writes the same lock.
WAIT_SECONDS = 60.0


@record
class Outcome:
    """A written lock: ``folder`` is absolute, ``changed`` names the files that were written or removed, ``before`` is the lock that was there."""

    folder: str
    lock: TeamLock
    changed: tuple[str, ...]
    before: TeamLock | None = None
    warnings: tuple[str, ...] = ()


def lock(
    session: Session, project: str, wanted: LockRequest, *, progress: Progress = SILENT, agree: Callable[[Edit], None] = nobody
) -> Outcome:
    """Read the declaration in the folder ``project`` (absolute), lock all its targets, and write the files together.

    ``agree`` is shown what is to be written into a file of the project's own, and raises ``ConsentError`` where nobody agrees.
    """
    return lock_declared(session, read_declared(session, project), wanted, progress=progress, agree=agree)


def lock_declared(
    session: Session, declared: Declared, wanted: LockRequest, *, progress: Progress = SILENT, agree: Callable[[Edit], None] = nobody
) -> Outcome:
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
        moving, held = movable(before, wanted.upgrade)
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
            session.trust.need(_named(session, declaration, declared.inputs))
            progress.start("lock", f"Resolving {len(sets)} target{'s' if len(sets) > 1 else ''} with {engine}")
            made = resolve(session, declared, sets, before=before, engine=engine, wanted=wanted, tell=progress.note)
            progress.finish()
        targets = tuple(_with_proof(item, before) for item in made.lock.targets)
        locked = replace(made.lock, targets=targets, into=tuple(dict.fromkeys([*(before.into if before else ()), *wanted.into])))
        files = render.texts(host, declaration, locked, cache=session.folder("lock", made=True))
        edit = lock_into.edit(host, declaration, locked, before) if lock_into.UV in wanted.into else None
        edited = lock_into.write(host, edit, agree) if edit is not None else ()
        changed = (*store.write_lock(host, folder, locked, files), *edited)
    warnings = (*warnings, *made.warnings, *(edit.warnings if edit is not None else lock_into.stale(host, declaration, locked)))
    return Outcome(folder=folder, lock=sidecar.with_written(locked, files), changed=changed, before=before, warnings=warnings)


def _named(session: Session, declaration: Declaration, inputs: Inputs) -> Iterator[Named]:
    """Yield the addresses that a declaration and its lists name."""
    file = posixpath.basename(declaration.file)
    yield from named_addresses.of_addresses(session, inputs.places, file)
    yield from named_addresses.of_indexes(session, declaration.indexes, file)
    if any(target.kind == "conda" for target in declaration.targets):
        yield from named_addresses.of_channels(
            session, [(f"{file}: channels[{number}]", item) for number, item in enumerate(declaration.channels)]
        )


def _with_proof(locked: LockedTarget, before: TeamLock | None) -> LockedTarget:
    """Return a target with the team's own proof of the lock before, where it holds the very same files."""
    same = next((item for item in before.targets if item.target == locked.target and item.held == locked.held), None) if before else None
    return replace(locked, own_proof=same.own_proof) if same is not None else locked


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
