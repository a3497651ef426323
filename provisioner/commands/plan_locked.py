"""A plan for what a team's lock has for this machine (``apply --locked``)."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from provisioner.base.paths import joined
from provisioner.choose.obstacles import listed
from provisioner.commands import named, named_addresses
from provisioner.commands.lock_declared import lock_folder
from provisioner.commands.plan import Planned, plan
from provisioner.environment import receipt as receipts
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError
from provisioner.host import Host, files
from provisioner.lock import sidecar, store
from provisioner.lock.fitting import fit, is_known_set, set_of
from provisioner.lock.stale import MISSING, changed_files
from provisioner.model.catalogue import Lock, Proof
from provisioner.model.catalogue import set_of as set_device
from provisioner.model.checkout import Checkout
from provisioner.model.codec import parse_json
from provisioner.model.facts import Facts
from provisioner.model.plan import EnvState
from provisioner.model.request import Request
from provisioner.plan.make import Picked
from provisioner.plan.saved import checkout_faults
from provisioner.session import Session

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue
    from provisioner.model.team import LockedTarget


def locked_folder(host: Host, given: str) -> str:
    """Return the folder of the lock to install from: ``given`` (absolute), else the working folder's, else the one its declaration names."""
    from provisioner.declared.declaration import read_declaration  # noqa: PLC0415 - a lock can be installed without its declaration

    if given or host.exists(joined(host.cwd, sidecar.NAME)):
        return given or host.cwd
    return lock_folder(host, read_declaration(host, host.cwd))


def _with_checkouts(session: Session, chosen: Lock, folder: str, env: EnvState) -> tuple[Lock, dict[str, str]]:
    """Leave out the checkouts that are there already, and name those that stand there in another form, with the reason why they go.

    A project that is not editable is always installed anew: what its folder holds by now, nobody knows.
    """
    placed = [
        item if item.commit else replace(item, folder=posixpath.normpath(posixpath.join(folder, item.folder))) for item in chosen.checkouts
    ]
    faults = tuple(f"{item.name}: {why}" for item in placed for why in checkout_faults(item))
    if faults:
        raise InputError("the lock holds what no lock can hold", place=posixpath.join(folder, sidecar.NAME), faults=faults)
    coming = tuple(item for item in placed if not _is_there(session.host, item, env))
    return replace(chosen, checkouts=coming), {item.name: "it comes from another place, which the lock names" for item in coming}


def _exchanged(host: Host, locked: LockedTarget, env: EnvState) -> dict[str, str]:
    """Name what is there in the version that is locked, and came from another file than the lock has: no index forbids to build one again."""
    receipt = receipts.believed(host, Workspace(root=env.path)) if env.exists else None
    came = {package.name: package.sha256 for package in receipt.plan.packages} if receipt is not None else {}
    own = [file for file in locked.files if file.path or file.direct]
    return {file.name: "the lock has another file of this version" for file in own if came.get(file.name, file.sha256) != file.sha256}


def _is_there(host: Host, item: Checkout, env: EnvState) -> bool:
    """True where the environment has this commit, or the project as an editable one (PyPA specifications, "Recording the Direct URL Origin")."""
    stem = item.name.replace("-", "[-_.]")
    pattern = f"{files.glob_escape(posixpath.join(env.path, env.site_packages))}/{stem}-*.dist-info/direct_url.json"
    for path in files.matches(host, pattern) if env.site_packages else ():
        try:
            data = parse_json(host.read_text(path), file=path)
        except (OSError, InputError):
            continue
        data = data if isinstance(data, dict) else {}
        vcs, where = data.get("vcs_info") or {}, data.get("dir_info") or {}
        if item.commit:
            return bool(vcs.get("commit_id") == item.commit and data.get("subdirectory", "") == item.folder)
        return bool(item.editable and where.get("editable") is True and data.get("url") == f"file://{quote(item.folder)}")
    return False


def _check_carried(host: Host, locked: LockedTarget, folder: str) -> None:
    """Raise ``InputError`` where a file that the project carries is not there, or another one than was locked."""
    faults = []
    for file in (*locked.files, *locked.builders):
        path = posixpath.normpath(posixpath.join(folder, file.path))
        if file.path and host.size(path) < 0:
            faults.append(f"{path} is not there, which the lock has {file.name} {file.version} from")
        elif file.path and host.sha256(path) != file.sha256:
            faults.append(f"{path} is another file than was locked (its SHA-256 differs)")
    if faults:
        hint = "put back what was locked, or take over what is there: `tfsetup lock`"
        raise InputError("the project does not carry what the lock names", place=folder, hint=hint, faults=tuple(faults))


# What builds of C call where nothing else is said (distutils' sysconfig), by the names that systems give it.
_COMPILERS = ("cc", "gcc", "clang")


def _no_compiler(host: Host, locked: LockedTarget) -> tuple[str, ...]:
    """Warn of what will be built and may need a compiler where there is none; some packages have a way without."""
    names = [file.name for file in locked.files if file.compiled] + [item.name for item in locked.checkouts if item.compiled]
    if not names or host.env.get("CC") or any(map(host.which, _COMPILERS)):
        return ()
    verb = "is built from source and holds" if len(names) == 1 else "are built from source and hold"
    return (f"{listed(names)} {verb} code for a compiler, and none is here (cc, gcc, clang): without one the build may fail",)


def plan_locked(session: Session, request: Request, folder: str, target: str) -> Planned:
    """Plan what the lock in ``folder`` (absolute) has for this machine; of ``request`` only place, Python, device and network count.

    Raises ``InputError`` for a lock that is missing or not whole, ``NoProfileError`` where no target fits.
    """
    from provisioner.lock.conda_locked import with_conda  # noqa: PLC0415 - as below

    host = session.host
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
        locked, choice = found.locked, replace(found.choice, warnings=(*found.choice.warnings, *_no_compiler(host, found.locked)))
        # Before anything is asked; the declaration is not, which may be there no more.
        channels = locked.conda.channels if locked.conda is not None else ()
        file = posixpath.relpath(posixpath.join(folder, sidecar.NAME), host.cwd)
        places = [(f"{file}: {locked.target.name}: channels[{number}]", channel) for number, channel in enumerate(channels)]
        own = named.of_locked(session, locked, folder, file)
        session.trust.need([*named_addresses.of_indexes(session, lock.indexes, file), *named_addresses.of_channels(session, places), *own])
        known = catalogue.lock(choice.release, choice.python, choice.platform, set_device(choice.device, choice.road))
        chosen, gone = _with_checkouts(session, set_of(locked, known, folder), folder, env)
        _check_carried(host, locked, folder)
        more = ["conda"] if choice.road in {"wheels", "libraries"} else []
        # A proof belongs to the known-good set; that these are its files is not believed, but looked at.
        good = is_known_set(locked, known, set_device(choice.device, choice.road))
        more += ["the team's lock"] if not good or any(not file.profile for file in locked.files) else []
        proof = catalogue.proof(replace(chosen, digest=locked.profile)) if good else Proof(lock=chosen.digest, level="resolved")
        if locked.own_proof:
            choice = replace(choice, reasons=(*choice.reasons, f"the team's own proof, by its lock: {locked.own_proof}"))
        picked = Picked(
            choice=choice,
            lock=chosen,
            proof=proof,
            beside=" and ".join(more),
            indexes=lock.indexes,
            gone=gone | _exchanged(host, locked, env),
        )
        return with_conda(host, picked, locked, asked, env) if locked.conda is not None else picked

    return plan(session, replace(request, tensorflow="", extra=()), pick=pick)
