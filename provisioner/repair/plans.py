"""Repair plans, the smallest first: single repairs, the whole set, the environment made anew. Pure."""

from __future__ import annotations

import posixpath

from provisioner.base.names import is_rival, normalise
from provisioner.environment.distributions import Installed
from provisioner.environment.layout import CONFIG
from provisioner.judge.requirements import unmet
from provisioner.model.catalogue import Link
from provisioner.model.finding import Repair
from provisioner.model.plan import Move, Package, Plan, PlanKind, Removal
from provisioner.plan.make import packages_of
from provisioner.plan.parts import Change
from provisioner.plan.seal import sealed
from provisioner.repair import conda_plans
from provisioner.repair.doable import Sorted
from provisioner.repair.edits import edits_of, moves_of
from provisioner.repair.model import RepairInputs
from provisioner.repair.removals import removals_of


def smallest(inputs: RepairInputs, found: Sorted) -> Plan:
    """Do exactly what the repairs say, and what follows: who shared files with something that goes is restored in full."""
    doable = tuple(repair for repair in found.doable if repair.kind != "rebuild")
    return _plan(inputs, "repair", doable, wanted=_wanted(inputs, doable), links=inputs.carried)


def whole(inputs: RepairInputs, found: Sorted) -> Plan:
    """Put every package of the set back, whatever is there of it, and do the other repairs; what else is installed stays."""
    return _plan(inputs, "set", found.doable, wanted=frozenset(inputs.locked), links=inputs.links or inputs.carried)


def rebuild(inputs: RepairInputs, found: Sorted, lost: tuple[str, ...]) -> Plan:
    """Make the environment anew from the set and from what else is installed; ``lost`` names what could not be had again."""
    packages, builders = packages_of(inputs.common.files, frozenset())
    moves = tuple(move for move in moves_of(inputs, found.doable) if not inputs.inside(move.path))
    reason = "a new one is made in its place; undo brings it back"
    interpreter = inputs.choice.interpreter
    change = Change(
        kind="rebuild",
        repairs=found.asked,
        packages=packages,
        builders=builders,
        removals=(Removal(name="the environment as it is", version="", reason=reason),),
        moves=moves,
        edits=inputs.conda.edits if inputs.conda else (),
        links=inputs.links,
        conda=conda_plans.part(inputs.conda, "rebuild", (), (), inputs.site) if inputs.conda else None,
        base=interpreter.path if interpreter is not None else "",
        conflicts=lost,
        outside=_renamed(inputs, moves),
    )
    return sealed(inputs.common, change)


def _plan(inputs: RepairInputs, kind: PlanKind, repairs: tuple[Repair, ...], *, wanted: frozenset[str], links: tuple[Link, ...]) -> Plan:
    packages, builders = packages_of(inputs.common.files, frozenset(inputs.locked) - wanted)
    removals = removals_of(inputs, kind, repairs, wanted)
    moves, edits = moves_of(inputs, repairs), edits_of(inputs, repairs)
    interpreter = inputs.choice.interpreter
    rebased = any(edit.path == CONFIG for edit in edits)
    change = Change(
        kind=kind,
        repairs=repairs,
        packages=packages,
        builders=builders,
        unchanged=_unchanged(inputs, packages, removals),
        removals=removals,
        moves=moves,
        edits=edits,
        links=links,
        conda=conda_plans.part(inputs.conda, kind, repairs, (item.name for item in packages), site=inputs.site) if inputs.conda else None,
        base=interpreter.path if interpreter is not None and rebased else "",
        conflicts=_conflicts(inputs, packages, removals),
        outside=_renamed(inputs, moves),
    )
    return sealed(inputs.common, change)


def _unchanged(inputs: RepairInputs, packages: tuple[Package, ...], removals: tuple[Removal, ...]) -> dict[str, str]:
    """Return what is there of the set and stays, with its versions."""
    locked = inputs.locked
    gone = {item.name for item in removals} | {item.name for item in packages}
    return {
        item.name: item.version for item in inputs.site.distributions if locked.get(item.name) == item.version and item.name not in gone
    }


def _renamed(inputs: RepairInputs, moves: tuple[Move, ...]) -> tuple[str, ...]:
    """Say what is renamed outside the environment."""
    return tuple(f"{move.path} is renamed to {posixpath.basename(move.target)}" for move in moves if not inputs.inside(move.path))


def _wanted(inputs: RepairInputs, repairs: tuple[Repair, ...]) -> frozenset[str]:
    """Return the names to restore."""
    wanted: set[str] = set()
    for repair in repairs:
        name = normalise(repair.name)
        if repair.kind == "restore":
            wanted.add(inputs.own if is_rival(name) else name)
        elif repair.kind == "remove" and is_rival(name) and name != inputs.own:
            # What goes has overwritten files of what stays, so nothing of either can be trusted (facts/pitfalls.yaml).
            wanted.add(inputs.own)
        elif repair.kind == "remove" and repair.version:
            others = [item for item in inputs.site.distributions if item.name == name and item.version != repair.version]
            wanted.update([name] if others else [])
    return frozenset(wanted & set(inputs.locked))


def _conflicts(inputs: RepairInputs, packages: tuple[Package, ...], removals: tuple[Removal, ...]) -> tuple[str, ...]:
    """Return what would no longer have what it requires, and has it now."""
    coming = {item.name: item.version for item in packages}
    going = {(item.name, item.version) for item in removals}
    known = {(item.name, item.version): item for item in inputs.installed}
    after = [item for item in inputs.installed if (item.name, item.version) not in going and item.name not in coming]
    for name, version in coming.items():
        # What a package of the set requires is in the set; which of that is there can be told only where it is installed already.
        after.append(known.get((name, version)) or Installed(name=name, version=version))
    before = {(item.distribution, item.requirement) for item in unmet(inputs.installed, inputs.markers)}
    lost = [item for item in unmet(after, inputs.markers) if not item.note and (item.distribution, item.requirement) not in before]
    return tuple(item.sentence for item in lost)
