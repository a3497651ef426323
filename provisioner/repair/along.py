"""What a repair would break, or leave without what it requires of a package that changes, comes along in a version that goes with it.

As ``--keep`` does it for all that is there (``plan.keep``), for those alone: everything else that is installed stays as it is, and counts with what
it requires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from provisioner.base.names import normalise
from provisioner.base.requirement import admits, applies, name_of, read_requirement
from provisioner.engines import uv, uv_cache
from provisioner.errors import OperationError, UsageError
from provisioner.model.catalogue import Lock, LockedFile
from provisioner.model.plan import Moved, Plan
from provisioner.plan.floor import floor_of
from provisioner.plan.neighbours import Around
from provisioner.plan.resolved import keep_all
from provisioner.plan.settle import Room, as_it_is
from provisioner.repair.beside import room_for, with_ways
from provisioner.repair.model import RepairInputs
from provisioner.session import Session

# What comes may want something else of what stays; the chains are short.
ROUNDS = 4


def with_neighbours(session: Session, inputs: RepairInputs, make: Callable[[RepairInputs], Plan]) -> Plan:
    """Return the plan; where it breaks something of the user's, the one with other versions of that, if it breaks less; else with the other ways."""
    made = make(inputs)
    names = _uneasy(inputs, made)
    found = _resolved(session, inputs, made, names) if names else None
    if found is not None:
        better = make(found)
        if _lost(better) < _lost(made):
            inputs, made = found, better
    return with_ways(session, inputs, make) if made.breaking else made


def _lost(plan: Plan) -> int:
    return sum(item.fate in {"breaks", "was broken"} for item in plan.neighbours)


def _uneasy(inputs: RepairInputs, made: Plan) -> frozenset[str]:
    """Return the names of the user's own that break, and of those that lack something, and still do, of a package that the plan changes."""
    coming = {item.name for item in made.packages}
    own = {item.name for item in inputs.around.own}
    still = {item.name for item in made.neighbours if item.fate == "was broken"}
    return (made.broken | (still & {item.distribution for item in inputs.around.lacked if item.name in coming})) & own


def _resolved(session: Session, inputs: RepairInputs, made: Plan, names: frozenset[str]) -> RepairInputs | None:
    """Return the inputs with other versions of these ``names`` and of what they need; None where there are none, or the index cannot be asked."""
    lock = inputs.lock
    if lock is None or not lock.files or inputs.conda is not None:
        # What conda has stays as its solver leaves it.
        return None
    coming = frozenset(item.name for item in made.packages)
    there = {item.name: item.version for item in inputs.installed}
    after = replace(lock, files=tuple(_after(file, there, coming) for file in lock.files))
    room = room_for(session, inputs, after, coming)
    own = {item.name: item.version for item in inputs.around.own}
    for _ in range(ROUNDS):
        stays = {name: version for name, version in own.items() if name not in names}
        found = _asked(session, inputs, after, room, frozenset(stays))
        more = _refused(session, inputs, found, stays) if found is not None else frozenset[str]()
        if not more:
            return _with(inputs, lock, after, found, there) if found is not None else None
        names |= more
    return None


def _asked(session: Session, inputs: RepairInputs, after: Lock, room: Room, stays: frozenset[str]) -> Lock | None:
    """Return the set as it is ``after`` the repair with all of the user's own that is not to stay, None where that cannot be had."""
    common = inputs.common
    around, floor = _met(inputs.around, stays), floor_of(common.facts, after)
    try:
        kept, gone = keep_all(session, common.site, after, around, room, common.request, floor=floor, fixed=stays)
    except (OperationError, UsageError):
        return None
    return None if gone else kept.lock


def _refused(session: Session, inputs: RepairInputs, found: Lock, stays: Mapping[str, str]) -> frozenset[str]:
    """Return which of those that would stay something that comes does not go with: the resolver takes what stays as it is."""
    reader = session.host
    homes = uv_cache.wheel_homes(reader, uv.cache_folder(reader))
    coming = [file for file in found.files if file.name not in inputs.members]
    names = set[str]()
    for text in (text for file in coming for text in uv_cache.requires(reader, homes, file.name, file.version)):
        try:
            requirement = read_requirement(text)
        except ValueError:
            continue
        name = normalise(requirement.name)
        if name in stays and applies(requirement, {**inputs.markers, "extra": ""}) and not admits(requirement.specifier, stays[name]):
            names.add(name)
    return frozenset(names)


def _met(around: Around, stays: frozenset[str]) -> Around:
    """Return what lies there without what those that stay lack now: that is not this repair's to bring."""
    lacked = {(item.distribution, item.name) for item in around.lacked if item.distribution in stays}
    return replace(
        around,
        own=tuple(
            replace(item, requires=tuple(text for text in item.requires if (item.name, name_of(text)) not in lacked)) for item in around.own
        ),
    )


def _after(file: LockedFile, there: dict[str, str], coming: Iterable[str]) -> LockedFile:
    """Return a file of the set as it is after the repair: what does not come stays in the version that is there."""
    version = there.get(file.name, file.version)
    return file if file.name in coming or version == file.version else as_it_is(file.name, version)


def _with(inputs: RepairInputs, own: Lock, after: Lock, found: Lock, there: dict[str, str]) -> RepairInputs:
    """Return the inputs with what was ``found`` in another version than it has ``after`` the repair as it was planned."""
    held = {**there, **{file.name: file.version for file in after.files}}
    come = {file.name: file for file in found.files if file.filename and held.get(file.name) != file.version}
    pins = inputs.locked
    moved = tuple(
        Moved(name=name, pin=pins[name], version=file.version, keeps=tuple(sorted(set(come) - set(pins))))
        for name, file in come.items()
        if name in pins and pins[name] != file.version
    )
    files = {**{file.name: file for file in own.files}, **come}
    lock = replace(own, files=tuple(files[name] for name in sorted(files)))
    return replace(inputs.with_moved(lock, moved), along=inputs.along | frozenset(come))
