"""Keeps what else is installed whole while something is repaired: packages of the set in other versions, and the ways around what breaks."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from provisioner.model.catalogue import Lock
from provisioner.model.plan import Plan
from provisioner.plan.around import read_room
from provisioner.plan.neighbours import lacking
from provisioner.plan.settle import Room, as_it_is, settle
from provisioner.plan.ways import ways
from provisioner.repair.model import RepairInputs
from provisioner.session import Session


def settled(session: Session, inputs: RepairInputs, wanted: Collection[str]) -> RepairInputs:
    """Return the inputs with a set in which those of the ``wanted`` packages are exchanged that would take from others what they require.

    What is wanted is installed anew, so that what is there of it is no choice; the rest of the set is as it is installed.
    """
    lock = inputs.lock
    if lock is None or not lock.files or inputs.choice.road == "conda":
        return inputs
    files = [file for file in lock.files if file.name in wanted]
    if not any(item.name in wanted for item in lacking(inputs.around, {file.name: file.version for file in files})):
        return inputs
    there = {item.name: item.version for item in inputs.installed}
    stay = [as_it_is(file.name, there[file.name]) for file in lock.files if file.name not in wanted and file.name in there]
    found = settle(inputs.around, [*files, *stay], room_for(session, inputs, lock, wanted))
    chosen = {file.name: file for file in found.files if file.filename}
    if not found.moved:
        return inputs
    return inputs.with_moved(replace(lock, files=tuple(chosen.get(file.name, file) for file in lock.files)), found.moved)


def room_for(session: Session, inputs: RepairInputs, lock: Lock, wanted: Collection[str]) -> Room:
    """Return what may be put in the place of the ``wanted`` packages of a set, which are installed anew; of the others nothing may."""
    room = read_room(session, inputs.common.facts, inputs.choice, lock, frozenset(wanted))
    return replace(room, pool={name: room.pool.get(name, ()) for name in wanted})


def with_ways(session: Session, inputs: RepairInputs, make: Callable[[RepairInputs], Plan]) -> Plan:
    """Return the plan, with the other ways where it breaks something of the user's."""
    made = make(inputs)
    if not made.breaking or inputs.lock is None or inputs.choice.road == "conda":
        return made
    common = inputs.common
    request = replace(common.request, tensorflow=inputs.choice.release)
    found = ways(session, common.facts, request, common.site, inputs.choice, inputs.around)
    return make(replace(inputs, common=replace(common, ways=found)))
