"""What is to be locked: a declaration with all that was read for it, and the known-good set of each of its targets."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from functools import partial

from provisioner.base.names import is_rival, normalise
from provisioner.base.paths import joined
from provisioner.base.versions import numbers
from provisioner.catalogue import Catalogue
from provisioner.catalogue.fits import Fits
from provisioner.declared.declaration import read_declaration
from provisioner.declared.inputs import read_inputs
from provisioner.errors import InputError, UsageError
from provisioner.host import Reader
from provisioner.lock.choosing import ChosenSet, catalogue_digest, choose_sets
from provisioner.model.record import record
from provisioner.model.team import Declaration, Engine, Inputs, Into, TeamLock
from provisioner.session import Session

ENGINES: tuple[Engine, ...] = ("uv", "pip-tools", "conda-lock")
INTO: tuple[Into, ...] = ("uv", "constraints")


@record
class LockRequest:
    """What a person asks of `tfsetup lock`.

    ``engine`` is "" for the one that the lock was made with. ``upgrade`` is None for "keep what is there", () for all packages, else names.
    ``cutoff`` is an upload date (ISO, UTC), "" for that of the lock. ``into`` is what it is to be written into beside those that it has.
    """

    engine: Engine | None = None
    upgrade: tuple[str, ...] | None = None
    cutoff: str = ""
    offline: bool = False
    into: tuple[Into, ...] = ()


Choose = Callable[[Mapping[str, str], str, Mapping[str, str]], tuple[ChosenSet, ...]]


@record
class Declared:
    """A declaration with all that was read for it.

    ``choose`` gives the known-good set of each target, or raises ``NoProfileError``; it is told the release that each target has in the lock
    that is there, the upload date up to which the index is looked at, and the targets that are limited to older releases. ``choose_any`` does
    the same whatever is known of packages that do not go with a release; None where that is no question.
    """

    declaration: Declaration
    inputs: Inputs
    catalogue: Catalogue
    choose: Choose
    choose_any: Choose | None = None


def read_declared(session: Session, project: str) -> Declared:
    """Read the declaration in the folder ``project`` (absolute) with all its inputs; raises ``InputError`` with every fault."""
    declaration = read_declaration(session.host, project)
    catalogue = session.catalogue
    inputs = read_inputs(session.host, declaration)

    def choose(
        keep: Mapping[str, str], cutoff: str, below: Mapping[str, str], fits: Callable[[], Fits] | None = None
    ) -> tuple[ChosenSet, ...]:
        return choose_sets(declaration, catalogue, keep=keep, cutoff=cutoff, requirements=inputs.requirements, below=below, fits=fits)

    return Declared(
        declaration=declaration, inputs=inputs, catalogue=catalogue, choose=partial(choose, fits=catalogue.fits), choose_any=choose
    )


def lock_folder(reader: Reader, declaration: Declaration) -> str:
    """Return the folder that the locks are written to, which is relative to the declaration's.

    Raises ``InputError`` where it leads out of the project: by its text, or by a link on the way.
    """
    project = posixpath.dirname(declaration.file)
    folder = joined(project, declaration.folder)
    own, real = reader.real(project), reader.real(folder)
    if real != own and not real.startswith(f"{own.rstrip('/')}/"):
        hint = f"name a folder below {project}, or take the link away"
        raise InputError(f"`folder: {declaration.folder}` leads out of the project, to {real}", place=declaration.file, hint=hint)
    return folder


def check_conda(declaration: Declaration, engine: Engine | None) -> None:
    """Raise ``UsageError`` where the declaration's formats cannot hold its conda targets, or an engine for them has none to lock."""
    conda = [target.name for target in declaration.targets if target.kind == "conda"]
    if conda and "conda-lock" not in declaration.formats:
        hint = "add conda-lock to `formats`; requirements and pylock hold wheels alone, which would be half of the environment"
        raise UsageError("only the format conda-lock can hold conda environments", place=", ".join(conda), hint=hint)
    if engine == "conda-lock" and not conda:
        hint = "give a target `kind: conda`, or leave the engine out"
        raise UsageError("no target is a conda environment, and conda-lock resolves nothing else", place="--engine conda-lock", hint=hint)


def fresh(before: TeamLock, inputs: Inputs, sets: tuple[ChosenSet, ...], engine: Engine) -> bool:
    """True when a lock was made from the same inputs, known-good sets, targets and engine."""
    return (
        before.inputs == inputs.digests
        and before.catalogue == catalogue_digest(sets)
        and before.engine == engine
        and tuple(locked.target for locked in before.targets) == tuple(target for target, _, _ in sets)
    )


def choose(declared: Declared, before: TeamLock | None, wanted: LockRequest, cutoff: str) -> tuple[ChosenSet, ...]:
    """Return the known-good set of each target.

    A lock keeps its releases as long as the declaration allows them. An upgrade of all, or one that names TensorFlow, takes the newest of
    the most proven sets, and never an older release than the one that is locked.
    """
    kept = {locked.target.name: locked.release for locked in before.targets} if before is not None else {}
    if wanted.upgrade is None or (wanted.upgrade and not any(is_rival(name) for name in wanted.upgrade)):
        return declared.choose(kept, cutoff, {})
    sets = declared.choose({}, cutoff, {})
    newer = {
        target.name: kept[target.name]
        for target, lock, _ in sets
        if lock.release and numbers(lock.release) < numbers(kept.get(target.name, "0"))
    }
    return declared.choose(newer, cutoff, {}) if newer else sets


def movable(before: TeamLock | None, upgrade: tuple[str, ...] | None) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Return the packages that an upgrade can move, normalised, and a sentence for each that moves only with TensorFlow.

    Raises ``UsageError`` for a package that no target has. Where none of the named can move, nothing is upgraded.
    """
    if before is None or not upgrade:
        return upgrade, ()
    files = [file for locked in before.targets for file in locked.files]
    conda = {normalise(package.name) for locked in before.targets if locked.conda for package in locked.conda.packages}
    commits = {item.name for locked in before.targets for item in locked.checkouts if item.commit}
    moving: list[str] = []
    held: list[str] = []
    for name in map(normalise, upgrade):
        own = [file for file in files if file.name == name]
        if not own and name not in {*conda, *commits} and not is_rival(name):
            hint = "`tfsetup lock --upgrade` without names upgrades everything; what is new in the declaration is locked by `tfsetup lock`"
            raise UsageError("is not in the lock, so it cannot be upgraded", place=name, hint=hint)
        if own and name not in conda and all(file.profile for file in own) and not is_rival(name):
            held.append(f"{name} stays at {own[0].version}: it is part of the known-good set, and moves only with TensorFlow")
        else:
            moving.append(name)
    return tuple(moving) or None, tuple(held)
