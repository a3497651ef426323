"""The stages of `tfsetup lock --check` and `--diff`, and of `tfsetup apply --locked`."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.base.progress import SILENT, Progress
from provisioner.commands.lock import Declared, Wanted, choose, lock_folder, own_folder, read_declared
from provisioner.commands.plan import Planned, plan
from provisioner.errors import InputError, UsageError
from provisioner.host import Host
from provisioner.lock import sidecar, store
from provisioner.lock.stale import MISSING, Difference, changed_files, differences
from provisioner.model.facts import Facts
from provisioner.model.plan import EnvState
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.model.team import TeamLock
from provisioner.plan.make import Picked

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue
    from provisioner.lock.difference import LockDiff

GIT_TIMEOUT_SECONDS = 60.0


@record
class Checked:
    """What `lock --check` found: fresh where there are no ``differences``; ``files`` counts each locked file once."""

    folder: str
    differences: tuple[Difference, ...]
    files: int = 0


def check(host: Host, project: str, *, online: bool = False, progress: Progress = SILENT) -> Checked:
    """Say whether the lock of the declaration in ``project`` (absolute) is fresh; without ``online`` nobody is asked, and nothing is written.

    Raises ``InputError`` for a declaration with faults, ``NoProfileError`` where the catalogue has no set any more that would do.
    """
    return check_declared(host, read_declared(host, project), online=online, progress=progress)


def check_declared(host: Host, declared: Declared, *, online: bool = False, progress: Progress = SILENT) -> Checked:
    """Say whether the lock of a declaration is fresh."""
    folder = lock_folder(declared.declaration)
    try:
        lock = store.read_lock(host, folder)
    except InputError as error:
        why = f"cannot be read ({error.message}{': ' if error.faults else ''}{'; '.join(error.faults[:3])})"
        return Checked(folder=folder, differences=(Difference(kind="lock", name=sidecar.NAME, why=why),))
    if lock is None:
        return Checked(folder=folder, differences=(Difference(kind="lock", name=sidecar.NAME, why="is not there: nothing is locked yet"),))
    sets = choose(declared, lock, Wanted(), lock.cutoff)
    found = differences(host, folder, lock, declared.inputs, sets)
    if online:
        from provisioner.lock.online import missing  # noqa: PLC0415 - brings the resolvers

        progress.start("lock", f"Asking the index for the files of {len(lock.targets)} target{'s' if len(lock.targets) > 1 else ''}")
        with own_folder(host) as (_, place):
            found += missing(host, lock, declared.declaration.indexes, folder=place)
        progress.finish()
    files = {sha256 for target in lock.targets for _, _, _, sha256 in target.held}
    return Checked(folder=folder, differences=found, files=len(files))


def diff(host: Host, project: str, old: str) -> LockDiff:
    """Compare the lock of the declaration in ``project`` with another one.

    ``old`` is a folder with a lock, a sidecar, or a revision of git; without it, that of git's HEAD. Raises ``UsageError`` or ``InputError``.
    """
    from provisioner.lock.declaration import read_declaration  # noqa: PLC0415 - as in ``read_declared``
    from provisioner.lock.difference import compare  # noqa: PLC0415 - only for a comparison

    folder = lock_folder(read_declaration(host, project))
    new = store.read_lock(host, folder)
    if new is None:
        raise InputError("there is no lock", place=posixpath.join(folder, sidecar.NAME), hint="make one with `tfsetup lock`")
    return compare(_old(host, folder, old), new)


def _old(host: Host, folder: str, old: str) -> TeamLock | None:
    path = posixpath.join(host.cwd, old)
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
    known = host.run([git, "-C", folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], timeout=GIT_TIMEOUT_SECONDS)
    if not known.ok:
        what = (
            f"`{revision}` is no folder, no file, and no revision of a git repository"
            if old
            else "the folder is in no git repository with a commit"
        )
        raise UsageError(what, place="--diff", hint=hint)
    name = f"{known.out.strip()}:./{sidecar.NAME}"
    if not host.run([git, "-C", folder, "cat-file", "-e", name], timeout=GIT_TIMEOUT_SECONDS).ok:
        return None
    done = host.run([git, "-C", folder, "show", name], timeout=GIT_TIMEOUT_SECONDS)
    return sidecar.read(done.out, file=f"{revision}:{sidecar.NAME}")


def locked_folder(host: Host, given: str) -> str:
    """Return the folder of the lock to install from: ``given`` (absolute), else the working folder's, else the one its declaration names."""
    from provisioner.lock.declaration import read_declaration  # noqa: PLC0415 - a lock can be installed without its declaration

    if given or host.exists(posixpath.join(host.cwd, sidecar.NAME)):
        return given or host.cwd
    return lock_folder(read_declaration(host, host.cwd))


def plan_locked(host: Host, request: Request, folder: str, target: str) -> Planned:
    """Plan what the lock in ``folder`` (absolute) has for this machine; of ``request`` only place, Python, device and network count.

    Raises ``InputError`` for a lock that is missing or not whole, ``NoProfileError`` where no target fits.
    """
    from provisioner.lock.conda_locked import with_conda  # noqa: PLC0415 - as below
    from provisioner.lock.fitting import fit, set_of  # noqa: PLC0415 - brings the choice of a release, which a check does without
    from provisioner.model.catalogue import set_of as set_device  # noqa: PLC0415 - as above

    lock = store.read_lock(host, folder)
    if lock is None:
        raise InputError(
            "there is no lock", place=posixpath.join(folder, sidecar.NAME), hint="make one with `tfsetup lock`, or name its folder"
        )
    # A lock may be handed on without the files that other tools read.
    faults = tuple(f"{item.name}: {item.why}" for item in changed_files(host, folder, lock) if item.why != MISSING)
    if faults:
        raise InputError("the lock is not as it was written", place=folder, hint="`tfsetup lock` writes it again", faults=faults)

    def pick(facts: Facts, asked: Request, catalogue: Catalogue, env: EnvState) -> Picked:
        found = fit(facts, asked, catalogue, env, lock, name=target)
        locked, choice = found.locked, found.choice
        known = catalogue.lock(choice.release, choice.python, choice.platform, set_device(choice.device, choice.road))
        chosen = set_of(locked, known)
        more = ["conda"] if choice.road in {"wheels", "libraries"} else []
        more += ["the team's lock"] if any(not file.profile for file in locked.files) else []
        # A proof belongs to the known-good set, which the lock names by its digest.
        proof = catalogue.proof(replace(chosen, digest=locked.profile))
        picked = Picked(choice=choice, lock=chosen, proof=proof, beside=" and ".join(more), indexes=lock.indexes)
        return with_conda(host, picked, locked, asked, env) if locked.conda is not None else picked

    return plan(host, replace(request, tensorflow="", extra=()), pick=pick)
