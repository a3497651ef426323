"""Why a target cannot be locked: both sides of a clash, the chain between them, and the nearest releases that would do.

The resolver says in its own words why there is no solution; which of the team's requirements meets which pin of the known-good set, and
what would do instead, is found by asking it again: without the set, without one pin, without the requirement's versions, and with the sets
of neighbouring releases. This costs some seconds, in this case only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from packaging.requirements import Requirement

from provisioner.base.names import is_rival, normalise
from provisioner.base.text import mask
from provisioner.base.versions import is_prerelease
from provisioner.catalogue import Catalogue
from provisioner.engines import uv_compile
from provisioner.engines.resolving import Job, NoSolutionError, Resolved
from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.host.files import make_folders
from provisioner.lock.needs import floor_of
from provisioner.lock.parallel import Watch, side_by_side
from provisioner.model.catalogue import Lock
from provisioner.model.record import record
from provisioner.model.team import Target

# What uv says (0.9 to 0.13), in its hints or in the reasons themselves.
# Resolvers that run at a time, and neighbouring releases that are asked about.
PROBES = 4
NEIGHBOURS = 4
_NO_WHEEL = re.compile(
    r"(?:Wheels are (?:available|required) for|only found wheels for) `([A-Za-z0-9._-]+)`"
    r"|(?<![A-Za-z0-9._-])([A-Za-z0-9][A-Za-z0-9._-]{0,100}?)(?:[=<>!~]=?\S{0,100})? (?:has|have) no (?:usable wheels|wheels with)"
)
_UNKNOWN = re.compile(r"Because (?:there are no versions of )?([A-Za-z0-9._-]+) (?:was not found in the package registry|was not found)")
_TOO_NEW = re.compile(r"`([A-Za-z0-9._-]+)` was filtered by `exclude-newer")


@record
class Clash:
    """What was to be resolved for a target, and what its resolver said."""

    host: Host
    target: Target
    lock: Lock
    requirements: tuple[str, ...]
    job: Job
    said: str


def explain(case: Clash, catalogue: Catalogue) -> OperationError:
    """Return the error that says what clashes and what would do; where the index fails meanwhile, what the resolver said."""
    try:
        return _explain(case, catalogue)
    except OperationError:
        return _together(case)


def _explain(case: Clash, catalogue: Catalogue) -> OperationError:
    pins = tuple(f"{file.name}=={file.version}" for file in case.lock.files)
    asked = [replace(case.job, requirements=(*pins, text)) for text in case.requirements]
    answers = list(_ask(case, asked, strict=True))
    culprits = [text for text, answer in zip(case.requirements, answers, strict=True) if answer is None]
    if not culprits:
        return _together(case)
    (alone,) = _ask(case, [replace(case.job, requirements=(culprits[0],))], strict=True, origins=True)
    if alone is None:
        return _impossible(case, culprits[0])
    return _with_the_set(case, culprits, alone, catalogue)


def _ask(case: Clash, jobs: Sequence[Job], *, strict: bool = False, origins: bool = False) -> list[Resolved | None]:
    """Ask about several jobs at a time; None for one that has no solution, and for one that fails otherwise unless ``strict``."""

    def one(number: int, job: Job, watch: Watch) -> Resolved | None:
        folder = posixpath.join(case.job.folder, f"probe-{number}")
        make_folders(case.host, folder)
        try:
            return uv_compile.compile_job(case.host, replace(job, folder=folder), origins=origins, watch=watch)
        except OperationError as error:
            if strict and not isinstance(error, NoSolutionError):
                raise
            return None

    return [future.result() for future in side_by_side([partial(one, number, job) for number, job in enumerate(jobs)], PROBES)]


def _together(case: Clash) -> OperationError:
    """Each requirement goes with the set, but not all of them at once."""
    listed = ", ".join(f"`{text}`" for text in case.requirements)
    return OperationError(
        f"the requirements {listed} cannot be met together beside TensorFlow {case.lock.release}",
        place=case.target.name,
        hint=f"the resolver says: {_words(case.said)}",
        cause="resolver-conflict",
    )


def _impossible(case: Clash, requirement: str) -> OperationError:
    """Say what a requirement lacks that cannot be met even without the set: a package, a wheel for this target, an old enough file."""
    said = _said_alone(case, requirement)
    name = _name(requirement)
    where = f"{case.target.platform} with Python {case.target.python}"
    unknown, too_new, no_wheel = _UNKNOWN.search(said), _TOO_NEW.search(said), _NO_WHEEL.search(said)
    if unknown and not too_new:
        message = f"the index has no package `{unknown[1]}`" + _needed_by(unknown[1], requirement)
    elif no_wheel:
        lacking = no_wheel[1] or no_wheel[2]
        message = f"there is no wheel of {lacking} for {where}" + _needed_by(lacking, requirement)
    elif too_new:
        message = f"everything of `{too_new[1]}` that would do was uploaded after {case.job.cutoff}" + _needed_by(too_new[1], requirement)
    else:
        message = f"`{requirement}` cannot be met for {where}"
    (nearest,) = _ask(case, [replace(case.job, requirements=(*_pins(case.lock).values(), name))])
    hint = f"the resolver says: {_words(said)}"
    if nearest is not None:
        hint = f"{name} {_version(nearest, name)} would do; {hint}"
    return OperationError(message, place=case.target.name, hint=hint, cause="resolver-conflict")


def _said_alone(case: Clash, requirement: str) -> str:
    try:
        uv_compile.compile_job(case.host, replace(case.job, requirements=(requirement,)))
    except NoSolutionError as error:
        return error.said
    return case.said


def _needed_by(name: str, requirement: str) -> str:
    return "" if normalise(name) == _name(requirement) else f", which `{requirement}` needs"


def _with_the_set(case: Clash, culprits: Sequence[str], alone: Resolved, catalogue: Catalogue) -> OperationError:
    """Name the pin that a requirement meets, how it gets there, and what would do on either side."""
    requirement, name = culprits[0], _name(culprits[0])
    pins = _pins(case.lock)
    guilty = _guilty(case, requirement, alone)
    (nearest,) = _ask(case, [replace(case.job, requirements=(*pins.values(), name))])
    neighbour = _neighbour(case, requirement, guilty, alone, catalogue)
    meets = " and ".join(pins[item].replace("==", " ") for item in guilty[:3]) or "its own packages"
    message = f"`{requirement}` does not go with the known-good set of TensorFlow {case.lock.release}, which has {meets}"
    chains = [chain for item in guilty[:1] if (chain := _chain(alone, name, item))]
    if chains:
        message += f" (it needs another: {' -> '.join(f'{item} {_version(alone, item)}' for item in chains[0])})"
    would_do = []
    if nearest is not None:
        would_do.append(f"{name} {_version(nearest, name)}")
    if neighbour:
        would_do.append(f"TensorFlow {neighbour}")
    hint = f"{' or '.join(would_do)} would do; " if would_do else ""
    more = f" ({', '.join(f'`{text}`' for text in culprits[1:])} cannot be met either)" if len(culprits) > 1 else ""
    hint += f"the resolver says: {_words(case.said)}"
    return OperationError(message + more, place=case.target.name, hint=hint, cause="resolver-conflict")


def _guilty(case: Clash, requirement: str, alone: Resolved) -> list[str]:
    """Return the packages of the set that a requirement cannot have as they are pinned, each by itself.

    Those that the resolver names are tried first; only where it is none of them, all that it takes otherwise without the set.
    """
    pins = _pins(case.lock)
    differing = [item for item in pins if item in alone.offered and f"{item}=={_version(alone, item)}" != pins[item]]
    named = [item for item in pins if re.search(rf"(?<![\w.-]){re.escape(item)}(?![\w.-])", case.said)]
    for suspects in (named, [item for item in differing if item not in named]):
        answers = _ask(case, [replace(case.job, requirements=(pins[item], requirement)) for item in suspects])
        if found := [item for item, answer in zip(suspects, answers, strict=True) if answer is None]:
            return found
    return []


def _chain(answer: Resolved, start: str, end: str) -> list[str]:
    """Return the shortest way from a requirement to a package that it needs, by who asked for whom; [] where there is none."""
    ways = [[end]]
    seen = {end}
    while ways:
        way = ways.pop(0)
        if way[0] == start:
            return way
        for origin in answer.via.get(way[0], ()):
            if origin not in seen:
                seen.add(origin)
                ways.append([origin, *way])
    return []


def _neighbour(case: Clash, requirement: str, guilty: Sequence[str], alone: Resolved, catalogue: Catalogue) -> str:
    """Return the nearest other release whose set has other versions of what clashed, and goes with the requirement; "" where none does.

    The release that the requirement brings by itself is asked about first.
    """
    versions = catalogue.versions()
    here = versions.index(case.lock.release) if case.lock.release in versions else 0
    own = {files[0].version for name, files in alone.offered.items() if is_rival(name)}
    mine = _pins(case.lock)
    found: list[Lock] = []
    for version in sorted(versions, key=lambda item: (item not in own, is_prerelease(item), abs(versions.index(item) - here))):
        other = catalogue.lock(version, case.target.python, case.target.platform, case.target.device)
        if other is None or version == case.lock.release or (guilty and all(_pins(other).get(item) == mine.get(item) for item in guilty)):
            continue
        found.append(other)
        if len(found) == NEIGHBOURS:
            break
    jobs = [_neighbours_job(case, other, requirement) for other in found]
    return next((other.release for other, answer in zip(found, _ask(case, jobs), strict=True) if answer is not None), "")


def _neighbours_job(case: Clash, other: Lock, requirement: str) -> Job:
    return replace(
        case.job,
        requirements=(*_pins(other).values(), requirement),
        floor=floor_of(case.target, other),
        sources=tuple(file.name for file in other.files if file.source),
        exempt=tuple(file.name for file in other.files),
    )


def _pins(lock: Lock) -> Mapping[str, str]:
    return {file.name: f"{file.name}=={file.version}" for file in lock.files}


def _version(answer: Resolved, name: str) -> str:
    offered = answer.offered.get(name)
    return offered[0].version if offered else ""


def _name(requirement: str) -> str:
    return normalise(Requirement(requirement).name)


def _words(text: str) -> str:
    return " ".join(mask(text).split())
