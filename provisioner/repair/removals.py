"""What a repair takes out of the environment, with reasons. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from provisioner.base.names import is_rival, normalise
from provisioner.model.finding import Repair
from provisioner.model.plan import PlanKind, Removal
from provisioner.plan.make import remains
from provisioner.repair.model import RepairInputs


def removals_of(inputs: RepairInputs, kind: PlanKind, repairs: tuple[Repair, ...], wanted: frozenset[str]) -> tuple[Removal, ...]:
    """Return what goes: what is installed anew (``wanted``, by name), what repairs take out, and for a set what a broken uninstall left."""
    found = (
        *_distributions(inputs, repairs, wanted),
        *_entries(inputs, repairs),
        *remains(inputs.site, leftovers=kind == "set", folder=inputs.own in wanted),
    )
    return tuple(sorted(dict.fromkeys(found), key=lambda item: (item.name, item.version, item.paths)))


def _distributions(inputs: RepairInputs, repairs: tuple[Repair, ...], wanted: frozenset[str]) -> Iterator[Removal]:
    locked = inputs.locked
    reasons = {normalise(repair.name): repair.reason for repair in repairs if repair.kind == "restore"}
    going = {(normalise(repair.name), repair.version): repair.reason for repair in repairs if repair.kind == "remove" and repair.name}
    for item in inputs.site.distributions:
        removed = going.get((item.name, item.version)) or going.get((item.name, ""))
        if item.name in wanted:
            fits = item.version == locked[item.name]
            whose = f"{locked[item.name]} goes with the set" if item.name in inputs.along else f"the known-good set has {locked[item.name]}"
            why = "it is installed anew, in full" if fits else whose
            yield Removal(name=item.name, version=item.version, reason=reasons.get(item.name) or why)
        elif removed is not None:
            yield Removal(name=item.name, version=item.version, reason=removed)
        elif inputs.own in wanted and is_rival(item.name):
            reason = f"it owns the same folder as {inputs.own}, so the two break each other"
            yield Removal(name=item.name, version=item.version, reason=reason)


def _entries(inputs: RepairInputs, repairs: tuple[Repair, ...]) -> Iterator[Removal]:
    """Yield the files and folders inside the environment that no distribution is named for; what is the user's own is renamed instead."""
    for repair in repairs:
        path = inputs.inside(repair.path)
        if (repair.kind == "move away" or (repair.kind == "remove" and not repair.name)) and path and not repair.own:
            yield Removal(name=posixpath.basename(path), version="", reason=repair.reason, paths=(path,))
