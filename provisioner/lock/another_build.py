"""Builds of TensorFlow that lists ask for and no known-good set has, with the one that takes their place. Words for a person; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioner.base.names import is_another_build, is_nightly, is_rival, normalise
from provisioner.base.requirement import name_of
from provisioner.choose.obstacles import listed
from provisioner.declared.markers import wanted_of
from provisioner.model.team import Inputs, LockedTarget


def warnings(inputs: Inputs, targets: Sequence[LockedTarget]) -> Iterator[str]:
    """Say once for all targets which build was asked for, and which is locked."""
    names = {name for text in inputs.requirements if is_another_build(name := normalise(name_of(text)))}
    where: dict[tuple[str, str], list[str]] = {}
    for locked in targets:
        own = next((f"{file.name} {file.version}" for file in locked.files if is_rival(file.name)), f"TensorFlow {locked.release}")
        for name in sorted(names & wanted_of(inputs.requirements, locked.target, names).keys()):
            where.setdefault((name, own), []).append(locked.target.name)
    for (name, own), found in where.items():
        what = "a build of no release, which changes every day" if is_nightly(name) else "another build of it"
        yield f"{listed(found)}: {own} takes the place of {name}, {what}: no known-good set has that"
