"""Repair plans, the smallest first: single repairs, the whole set, the environment made anew. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import Any

from provisioner.base.names import is_rival, normalise
from provisioner.environment.distributions import Installed
from provisioner.environment.layout import CONFIG
from provisioner.model.catalogue import Link
from provisioner.model.finding import Repair
from provisioner.model.plan import Move, Package, Plan, PlanKind, Removal
from provisioner.plan.make import packages_of, told
from provisioner.plan.neighbours import conflicts, fates
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
    return _plan(inputs, "repair", doable, wanted=wanted(inputs, doable), links=inputs.carried)


def whole(inputs: RepairInputs, found: Sorted) -> Plan:
    """Put every package of the set back, whatever is there of it, and do the other repairs; what else is installed stays."""
    return _plan(inputs, "set", found.doable, wanted=frozenset(inputs.locked), links=inputs.links or inputs.carried)


def rebuild(inputs: RepairInputs, found: Sorted, lost: tuple[str, ...]) -> Plan:
    """Make the environment anew from the set and from what else is installed; ``lost`` names what could not be had again."""
    packages, builders = packages_of(inputs.common.lock, frozenset())
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
        **_anew(inputs, packages, lost),
        outside=_renamed(inputs, moves),
    )
    return sealed(inputs.common, change)


def _plan(inputs: RepairInputs, kind: PlanKind, repairs: tuple[Repair, ...], *, wanted: frozenset[str], links: tuple[Link, ...]) -> Plan:
    packages, builders = packages_of(inputs.common.lock, frozenset(inputs.locked) - wanted)
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
        **_others(inputs, packages, removals),
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


def wanted(inputs: RepairInputs, repairs: tuple[Repair, ...]) -> frozenset[str]:
    """Return the names to restore; with one that is not of the set, what it requires and is not there (what ``with_restored`` has found)."""
    names: set[str] = set()
    for repair in repairs:
        name = normalise(repair.name)
        if repair.kind == "restore":
            names.add(inputs.own if is_rival(name) else name)
        elif repair.kind == "remove" and is_rival(name) and name != inputs.own:
            # What goes has overwritten files of what stays, so nothing of either can be trusted (facts/pitfalls.yaml).
            names.add(inputs.own)
        elif repair.kind == "remove" and repair.version:
            others = [item for item in inputs.site.distributions if item.name == name and item.version != repair.version]
            names.update([name] if others else [])
    besides = {name for name in inputs.locked if name not in inputs.members and not is_rival(name)} if inputs.members else set[str]()
    if names & besides:
        names |= besides - {item.name for item in inputs.site.distributions}
        there = {item.name: item.version for item in inputs.site.distributions}
        names |= {name for name in inputs.eased if there.get(name) != inputs.locked.get(name)}
    return frozenset((names | inputs.along) & set(inputs.locked))


def _others(inputs: RepairInputs, packages: tuple[Package, ...], removals: tuple[Removal, ...]) -> dict[str, Any]:
    """Return what becomes of the user's own distributions, as fields of a ``Change``."""
    coming = {item.name: item.version for item in packages}
    gone = {item.name for item in removals} - set(coming)
    left = {item.name for item in inputs.site.distributions if not _leaves(item, removals)}
    # Of two of one name, the other one stays.
    return told(inputs.around, coming, frozenset(gone - left))


def _leaves(item: Installed, removals: tuple[Removal, ...]) -> bool:
    return any((removal.name, removal.version) == (item.name, item.version) for removal in removals)


def _anew(inputs: RepairInputs, packages: tuple[Package, ...], lost: tuple[str, ...]) -> dict[str, Any]:
    """Return the same where the environment is made anew: what could not be had again is lost."""
    coming = {item.name: item.version for item in packages}
    found = []
    for item in fates(inputs.around, coming):
        why = tuple(text for text in lost if text.startswith(f"{item.name} ")) or (f"{item.name} {item.version} is left out",)
        there = item.name in coming or (inputs.conda is not None and item.name not in coming)
        found.append(item if there else replace(item, fate="breaks", why=why, by=()))
    sentences = conflicts(inputs.around, coming, (item for item in found if item.name in coming))
    return {"neighbours": tuple(found), "conflicts": tuple(dict.fromkeys((*lost, *sentences)))}
