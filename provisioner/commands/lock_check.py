"""The stages of ``tfsetup lock --check`` and ``--diff``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from provisioner.base.paths import joined
from provisioner.base.progress import SILENT, Progress
from provisioner.commands import lock_into
from provisioner.commands.lock_declared import Declared, LockRequest, choose, lock_folder, read_declared
from provisioner.declared.declaration import read_declaration
from provisioner.errors import InputError, UsageError
from provisioner.host import Host
from provisioner.lock import sidecar, store
from provisioner.lock.difference import compare
from provisioner.lock.stale import Difference, differences
from provisioner.model.named import Named
from provisioner.model.record import record
from provisioner.model.team import Declaration, TeamLock
from provisioner.session import Session

if TYPE_CHECKING:
    from provisioner.lock.difference import LockDiff

GIT_TIMEOUT_SECONDS = 60.0
# A repository's own configuration may name programs and addresses to fetch what is missing from; nothing is fetched (git's documentation, "git").
_GIT = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}


@record
class Checked:
    """What `lock --check` found: fresh where there are no ``differences``; ``files`` counts each locked file once."""

    folder: str
    differences: tuple[Difference, ...]
    files: int = 0


def check(session: Session, project: str, *, online: bool = False, progress: Progress = SILENT) -> Checked:
    """Say whether the lock of the declaration in ``project`` (absolute) is fresh; without ``online`` nobody is asked, and nothing is written.

    Raises ``InputError`` for a declaration with faults, ``NoProfileError`` where the catalogue has no set any more that would do.
    """
    return check_declared(session, read_declared(session, project), online=online, progress=progress)


def check_declared(session: Session, declared: Declared, *, online: bool = False, progress: Progress = SILENT) -> Checked:
    """Say whether the lock of a declaration is fresh."""
    host, folder = session.host, lock_folder(session.host, declared.declaration)
    try:
        lock = store.read_lock(host, folder)
    except InputError as error:
        why = f"cannot be read ({error.message}{': ' if error.faults else ''}{'; '.join(error.faults[:3])})"
        return Checked(folder=folder, differences=(Difference(kind="lock", name=sidecar.NAME, why=why),))
    if lock is None:
        return Checked(folder=folder, differences=(Difference(kind="lock", name=sidecar.NAME, why="is not there: nothing is locked yet"),))
    sets = choose(declared, lock, LockRequest(), lock.cutoff)
    found = (*differences(host, folder, lock, declared.inputs, sets), *lock_into.differences(host, declared.declaration, lock))
    if online:
        from provisioner.commands.lock_resolve import own_folder  # noqa: PLC0415 - brings the resolvers
        from provisioner.lock.online import missing  # noqa: PLC0415 - as above

        session.trust.need(_named(session, lock, declared.declaration))
        progress.start("lock", f"Asking the index for the files of {len(lock.targets)} target{'s' if len(lock.targets) > 1 else ''}")
        with own_folder(session) as (_, place):
            found += missing(host, lock, declared.declaration.indexes, folder=place)
        progress.finish()
    files = {sha256 for target in lock.targets for _, _, _, sha256 in target.held}
    return Checked(folder=folder, differences=found, files=len(files))


def _named(session: Session, lock: TeamLock, declaration: Declaration) -> Iterator[Named]:
    """Yield the addresses that are asked: the declaration's indexes, and the channels that each target was locked from."""
    from provisioner.commands import named_addresses  # noqa: PLC0415 - only where somebody is asked

    yield from named_addresses.of_indexes(session, declaration.indexes, posixpath.basename(declaration.file))
    channels = dict.fromkeys(channel for locked in lock.targets if locked.conda for channel in locked.conda.channels)
    yield from named_addresses.of_channels(session, [(f"{sidecar.NAME}: channels", channel) for channel in channels])


def diff(session: Session, project: str, old: str) -> LockDiff:
    """Compare the lock of the declaration in ``project`` with another one.

    ``old`` is a folder with a lock, a sidecar, or a revision of git; without it, that of git's HEAD. Raises ``UsageError`` or ``InputError``.
    """
    host = session.host
    folder = lock_folder(host, read_declaration(host, project))
    new = store.read_lock(host, folder)
    if new is None:
        raise InputError("there is no lock", place=posixpath.join(folder, sidecar.NAME), hint="make one with `tfsetup lock`")
    return compare(_old(host, folder, old), new)


def _old(host: Host, folder: str, old: str) -> TeamLock | None:
    path = joined(host.cwd, old)
    if not old or not host.exists(path):
        return _of_git(host, folder, old)
    file = posixpath.join(path, sidecar.NAME) if host.entry(host.real(path)).kind == "directory" else path
    if not host.exists(file):
        raise UsageError("there is no lock", place=file, hint="name a folder with a lock, a tfsetup.lock.json, or a revision of git")
    return sidecar.read(store.read_file(host, file), file=file)


def _of_git(host: Host, folder: str, old: str) -> TeamLock | None:
    """Return the lock as git has it, or None where that revision has none."""
    revision = old or "HEAD"
    hint = "name what to compare with: a folder with a lock, a tfsetup.lock.json, or a revision of git"
    if revision.startswith("-"):
        raise UsageError(f"`{revision}` is no revision", place="--diff", hint=hint)
    git = host.which("git")
    if git is None:
        raise UsageError("git is not there, so the lock as it was committed cannot be read", place="--diff", hint=hint)
    ask = partial(host.run, env={**host.env, **_GIT}, timeout=GIT_TIMEOUT_SECONDS)
    known = ask([git, "-C", folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"])
    if not known.ok:
        what = (
            f"`{revision}` is no folder, no file, and no revision of a git repository"
            if old
            else "the folder is in no git repository with a commit"
        )
        raise UsageError(what, place="--diff", hint=hint)
    name = f"{known.out.strip()}:./{sidecar.NAME}"
    if not ask([git, "-C", folder, "cat-file", "-e", name]).ok:
        return None
    done = ask([git, "-C", folder, "show", name])
    return sidecar.read(done.out, file=f"{revision}:{sidecar.NAME}")
