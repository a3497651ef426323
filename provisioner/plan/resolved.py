"""``--with`` and ``--keep``: what is resolved around a set, and whether two packages of it, or one and what is installed, would write one file."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from functools import partial

from provisioner.base.names import is_rival
from provisioner.engines import uv, wheel_lists
from provisioner.engines.wheel_lists import Target
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.model.catalogue import Lock, LockedFile
from provisioner.model.request import Request
from provisioner.plan import writers
from provisioner.plan.extras import resolve_extras
from provisioner.plan.keep import Kept, orphans, resolve_all
from provisioner.plan.neighbours import Around, fates
from provisioner.plan.settle import Room
from provisioner.plan.writers import Collision, Package, refuse
from provisioner.session import Session


def add_all(session: Session, site: Site, lock: Lock, request: Request, *, floor: str) -> Lock:
    """Resolve the packages of ``--with`` around the lock. Raises ``UsageError`` where one of them writes over what another package has."""
    offline = request.offline
    with session.scratch("resolve") as folder:
        found = resolve_extras(session.host, request.extra, lock, floor=floor, folder=folder, offline=offline)
        refuse(clashes(session, site, lock, found, target=_target(lock, floor, folder, offline=offline)), "--with")
    return found


def keep_all(
    session: Session, site: Site, lock: Lock, around: Around, room: Room, request: Request, *, floor: str, fixed: Collection[str] = ()
) -> tuple[Kept, Mapping[str, str]]:
    """Resolve all that is installed anew, and return that with what goes, with the reason: it was there for something that has its files now.

    ``fixed`` are names that stay as they are. Raises ``UsageError`` where two packages would write one file that are both wanted.
    """
    offline, says, tried = request.offline, dict[str, str](), frozenset[str]()
    with session.scratch("resolve") as folder:
        ask = partial(
            resolve_all, session.host, around, lock, room, extra=request.extra, floor=floor, folder=folder, offline=offline, fixed=fixed
        )
        target = _target(lock, floor, folder, offline=offline)
        while True:
            found = ask(leaving=tried)
            # What is needed after all has come back.
            gone = _reasons(around, found.lock, tried, says)
            left = clashes(session, site, lock, found.lock, target=target, leaving=gone)
            says |= {name: item.sentence for item in left for name in (item.first, item.second)}
            more = orphans(around, found.lock, {name for item in left for name in (item.first, item.second)}) - tried
            if not more:
                break
            tried |= more
    refuse(left, "--keep")
    return found, gone


def _reasons(around: Around, found: Lock, tried: Collection[str], clashing: Mapping[str, str]) -> dict[str, str]:
    """Return which of the names that were not asked for go, with the reason: nothing needs them, and as they are they cannot stay.

    ``clashing`` says of names with which other package they would write one file.
    """
    coming = {file.name: file.version for file in found.files}
    breaks = {item.name: item.why[0] for item in fates(around, coming) if item.fate == "breaks"}
    why = {**breaks, **clashing}
    return {name: f"nothing needs it any more, and {why[name]}" for name in tried if name not in coming and name in why}


def _target(lock: Lock, floor: str, folder: str, *, offline: bool) -> Target:
    """Return for which machine wheels are asked; ``floor`` is its glibc or macOS, ``folder`` one of the tool's own that is there."""
    return Target(python=lock.python, platform=uv.platform_name(lock.platform, floor), folder=folder, offline=offline)


def beside_set(session: Session, site: Site, lock: Lock, around: Around, leaving: Collection[str]) -> Mapping[str, str]:
    """Return what only the TensorFlow that is replaced needs, and would have files of the set's, with the reason for which it goes.

    The index is not asked: only what is known here of the set's wheels counts. ``leaving`` are names that go anyway. Raises ``UsageError``
    where it is one of the user's own.
    """
    found = clashes(session, site, lock, lock, target=None, leaving=leaving)
    gone = {name: item.sentence for item in found for name in (item.first, item.second) if name in around.residue}
    refuse(tuple(item for item in found if not gone.keys() & {item.first, item.second}), site.state.path)
    return {name: f"only the TensorFlow that is replaced needs it, and {sentence}" for name, sentence in gone.items()}


def clashes(
    session: Session, site: Site, own: Lock, found: Lock, *, target: Target | None, leaving: Collection[str] = ()
) -> tuple[Collision, ...]:
    """Return what comes and would write a file of another package; two of the set ``own`` were run so, and of two that did so before it is no news.

    ``found`` is the set with all that comes; ``leaving`` are names of what is installed and goes. What is installed in that very version is not
    asked for, nor what uv's cache holds unpacked; without a ``target`` nothing is.
    """
    host = session.host
    there = {item.name: item for item in site.distributions if item.name not in leaving}
    stays = {file.name for file in found.files if file.name in there and there[file.name].version == file.version}
    coming = [file for file in found.files if file.name not in stays]
    names = {file.name for file in coming}
    staying = [_installed(site, item) for name, item in there.items() if name not in names and not is_rival(name)]
    if not coming or not (staying or found != own):
        return ()
    unpacked = writers.unpacked(host, uv.cache_folder(host))
    here = [file for file in coming if (file.name, file.version) in unpacked]
    packages = [Package(name=file.name, version=file.version, metadata=unpacked[file.name, file.version]) for file in here]
    packages += _told(session, [file for file in coming if file not in here], target)
    after = writers.collisions(host, [*packages, *staying], names)
    both = {name for item in after if item.first in there and item.second in there for name in (item.first, item.second)}
    before = writers.collisions(host, [_installed(site, there[name]) for name in both], both)
    run = {file.name for file in own.files if file in found.files}
    known = {frozenset((item.first, item.second)) for item in before}
    return tuple(item for item in after if not {item.first, item.second} <= run and frozenset((item.first, item.second)) not in known)


def _installed(site: Site, item: Installed) -> Package:
    return Package(name=item.name, version=item.version, metadata=posixpath.join(site.state.path, item.metadata))


def _told(session: Session, missing: list[LockedFile], target: Target | None) -> list[Package]:
    """Return those of which the index tells the files, or has told."""
    lists = wheel_lists.read(session.host, missing, target, kept=session.folder("wheels", made=target is not None)) if missing else {}
    return [writers.listed(file.name, file.version, lists[file.sha256]) for file in missing if file.sha256 in lists]
