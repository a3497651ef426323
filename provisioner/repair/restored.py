"""What a set does not hold and a repair needs is had from elsewhere: TensorFlow under another name, and what else is restored or kept."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace

from provisioner.base.names import is_rival, normalise
from provisioner.environment.damaged import unowned
from provisioner.environment.distributions import Installed
from provisioner.errors import OperationError
from provisioner.host import Reader
from provisioner.model.catalogue import Lock, LockedFile
from provisioner.model.finding import Repair
from provisioner.model.json_text import read_json
from provisioner.model.plan import Moved
from provisioner.plan.extras import resolve_others, resolve_own
from provisioner.plan.floor import floor_of
from provisioner.repair.conda_inputs import solved
from provisioner.repair.model import RepairInputs
from provisioner.session import Session


def own_in(lock: Lock) -> str:
    """Return the name of TensorFlow's distribution in a set."""
    return next(file.name for file in lock.files if is_rival(file.name))


def with_restored(
    session: Session, inputs: RepairInputs, repairs: tuple[Repair, ...], *, own: bool
) -> tuple[RepairInputs, tuple[str, ...]]:
    """Return the inputs with the files of what the set does not hold under that name, and a sentence for each that could not be had.

    ``own``: whether TensorFlow itself is installed anew, which then keeps the name under which it is installed.
    """
    lock = inputs.lock
    if lock is None:
        return inputs, ()
    notes: list[str] = []
    if own and lock.files and inputs.own not in inputs.locked:
        try:
            lock = _with_own(session, inputs, lock)
        except OperationError:
            name = own_in(lock)
            notes.append(f"{inputs.own} {lock.release} could not be had; {name}, the same release, takes its place")
            inputs = replace(inputs, own=name)
    outside = {
        normalise(repair.name): repair.version for repair in repairs if repair.kind == "restore" and not is_rival(normalise(repair.name))
    }
    there = {item.name: item.version for item in inputs.site.distributions}
    lock = _with_spare(session, lock, outside)
    known = {file.name for file in lock.files}
    pins = {name: version or there.get(name, "") for name, version in outside.items() if name not in known}
    if pins:
        found, lost = _others(session, inputs, lock, pins)
        # Of what these need, only what is not there at all comes along.
        files = [file for file in found.files if file.name in known or file.name in pins or file.name not in there]
        notes.extend(lost)
        inputs = _eased(inputs, lock, files, tuple(sorted(pins)))
        lock = replace(found, files=tuple(files))
    return inputs.with_lock(lock), tuple(notes)


def _eased(inputs: RepairInputs, lock: Lock, files: Sequence[LockedFile], restored: tuple[str, ...]) -> RepairInputs:
    """Return the inputs with what of the set comes in another version, so that what is restored has what it requires."""
    were = {file.name: file.version for file in lock.files}
    other = [file for file in files if were.get(file.name, file.version) != file.version and not is_rival(file.name)]
    if not other:
        return inputs
    moved = tuple(Moved(name=file.name, pin=were[file.name], version=file.version, keeps=restored) for file in other)
    return replace(inputs.with_moved(lock, moved), eased=frozenset(file.name for file in other))


def _with_spare(session: Session, lock: Lock, wanted: Mapping[str, str]) -> Lock:
    """Return the lock with those of the wanted packages that the catalogue has beside its sets, in the version that is wanted or any: by hash."""
    names = {file.name for file in lock.files}
    spare = [file for file in session.catalogue.spare(lock.python, lock.platform) if file.name in wanted and file.name not in names]
    found = [file for file in spare if wanted[file.name] in {"", file.version}]
    return replace(lock, files=tuple(sorted([*lock.files, *found], key=lambda item: item.name))) if found else lock


def _with_own(session: Session, inputs: RepairInputs, lock: Lock) -> Lock:
    """Return the lock with TensorFlow under the name under which it is installed: out of the set for the other device, or from the index."""
    name = inputs.own
    other = session.catalogue.lock(lock.release, lock.python, lock.platform, "cuda" if lock.device == "cpu" else "cpu")
    file = next((file for file in other.files if file.name == name), None) if other else None
    if file is not None:
        kept = [file for file in lock.files if not is_rival(file.name)]
        return replace(lock, files=tuple(sorted([*kept, file], key=lambda item: item.name)))
    offline = inputs.common.request.offline
    with session.scratch("resolve") as folder:
        return resolve_own(session.host, name, lock, floor=floor_of(inputs.common.facts, lock), folder=folder, offline=offline)


def _others(session: Session, inputs: RepairInputs, lock: Lock, pins: dict[str, str]) -> tuple[Lock, tuple[str, ...]]:
    offline, floor = inputs.common.request.offline, floor_of(inputs.common.facts, lock)
    # What conda has stays as its solver leaves it.
    limits = session.catalogue.limits(lock) if inputs.conda is None else None
    with session.scratch("resolve") as folder:
        return resolve_others(session.host, pins, lock, floor=floor, folder=folder, offline=offline, limits=limits)


def with_everything(session: Session, inputs: RepairInputs) -> tuple[RepairInputs, tuple[str, ...]]:
    """Return the inputs for an environment made anew: the set, and what else is installed as far as it goes with it; and what is lost."""
    inputs, notes = with_restored(session, inputs, (), own=True)
    if inputs.lock is None:
        return inputs, notes
    lock = inputs.lock
    if inputs.conda is not None:
        inputs = replace(inputs, conda=solved(session, inputs.conda, inputs.choice, inputs.common.facts, inputs.common.request))
    pins: dict[str, str] = {}
    lost: list[str] = []
    for item in inputs.site.distributions:
        if item.name in inputs.locked or is_rival(item.name) or (inputs.conda is not None and item.metadata in inputs.conda.own):
            continue
        address = _address(session.host, inputs, item)
        if address:
            lost.append(f"{item.name} {item.version} is left out: it was installed from {address}, for which there is no hash")
        else:
            pins[item.name] = item.version
    lock, missing = _others(session, inputs, lock, pins)
    strays = unowned(session.host, inputs.site)
    if strays:
        lost.append(f"what belongs to no package stays behind with the old environment: {', '.join(strays)}")
    return inputs.with_lock(lock), (*notes, *lost, *missing)


def _address(reader: Reader, inputs: RepairInputs, item: Installed) -> str:
    """Return where a distribution came from if that was no index (PEP 610)."""
    try:
        data = read_json(reader.read_text(posixpath.join(inputs.site.state.path, item.metadata, "direct_url.json")))
        return str(data["url"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
