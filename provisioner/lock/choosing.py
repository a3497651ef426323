"""The known-good set of every target: one release for all of them, by the catalogue and the team's policy, and why no other.

A target with a ``tensorflow`` of its own is chosen for apart; targets that ask for the same stay together.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from provisioner.base.versions import numbers
from provisioner.catalogue.companions import unfit
from provisioner.catalogue.fits import Fits
from provisioner.choose.obstacles import Obstacle, listed, span
from provisioner.choose.platforms import is_bad, platform_name
from provisioner.choose.policy import driver_obstacle, release_obstacles, set_obstacles
from provisioner.choose.versions import matches, names_prerelease, specifier
from provisioner.declared.markers import tensorflow_of, wanted_of
from provisioner.errors import NoProfileError
from provisioner.model.catalogue import Build, KnownBad, Lock, LockDevice, Proof, Release, set_of
from provisioner.model.catalogue_view import CatalogueView
from provisioner.model.conda_package import CondaSource
from provisioner.model.policy import Policy
from provisioner.model.record import record
from provisioner.model.team import Declaration, Target

ChosenSet = tuple[Target, Lock, Proof]

# More near misses than these nobody reads.
NEAREST = 3


@record
class LockCandidate:
    """A release for a group of targets: it will do when nothing is in its way; ``sets`` are then those of all targets."""

    release: Release
    obstacles: tuple[Obstacle, ...]
    sets: tuple[ChosenSet, ...]

    @property
    def proven(self) -> int:
        """How many of the sets were run, under an emulator too."""
        return sum(proof.computed for _, _, proof in self.sets)


@record
class Group:
    """Targets that get the same release: ``asked`` as it was written, ``spec`` as specifiers, ``keep`` a release to stay at where it will do.

    ``wanted`` are the packages of the requirements, each with the one version that they name, "" for any.
    """

    asked: str
    spec: str
    targets: tuple[Target, ...]
    keep: str = ""
    wanted: Mapping[str, str] = field(default_factory=dict)


def catalogue_digest(sets: Iterable[ChosenSet]) -> str:
    """Return the SHA-256 over the known-good sets of all targets: a line ``<target> <digest of the set>`` for each, in order."""
    lines = [f"{target.name} {lock.digest}" for target, lock, _ in sets]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def choose_sets(
    declaration: Declaration,
    catalogue: CatalogueView,
    *,
    cutoff: str = "",
    keep: Mapping[str, str] | None = None,
    requirements: Sequence[str] = (),
    below: Mapping[str, str] | None = None,
    fits: Callable[[], Fits] | None = None,
) -> tuple[ChosenSet, ...]:
    """Return the known-good set of each target, in the order of the targets.

    The release is one that the declaration and the team's ``requirements`` on TensorFlow admit together; ``below`` limits targets further
    (``<=2.17.1``), where newer releases were found not to go with the other requirements.

    With ``fits`` a release comes last that a package of the requirements is known not to go with (larq and 2.16), whatever its metadata says.

    The release is the newest of those that have the most sets that were run; ``keep`` names for targets the release of the lock that is there,
    which stays as long as it will do. With ``policy.cool_down``, sets that were resolved after ``cutoff`` (ISO date) are too fresh. Raises
    ``NoProfileError`` with every release's refusal and what would have to be changed for the nearest ones. A target whose TensorFlow comes from
    a conda channel has an empty set: what it gets, the channel says.
    """
    chosen = {target.name: _of_channel(target) for target in declaration.targets if target.source == "conda"}
    known = fits() if fits is not None and requirements else Fits()
    for group in _groups(declaration, keep or {}, requirements, below or {}, known):
        for target, lock, proof in _choose(group, declaration, catalogue, cutoff[:10], known).sets:
            chosen[target.name] = (target, lock, proof)
    return tuple(chosen[target.name] for target in declaration.targets)


def _of_channel(target: Target) -> ChosenSet:
    lock = Lock(release="", python=target.python, platform=target.platform, device=target.device, glibc="", files=(), digest="")
    return target, lock, Proof(lock="", level="resolved")


def source_of(target: Target, build: Build | None) -> CondaSource:
    """Say how the TensorFlow of a target comes about, as ``choose.candidates`` does for a request; "" for a virtual environment."""
    if target.kind != "conda" or target.source == "conda":
        return "conda" if target.kind == "conda" else ""
    return "libraries" if target.device == "cuda" and build is not None and build.cuda is not None and build.cuda.conda else "wheels"


def set_device(target: Target, build: Build | None) -> LockDevice:
    """Return the device that a target's set is locked for."""
    return set_of(target.device, source_of(target, build))


def _groups(
    declaration: Declaration, keep: Mapping[str, str], requirements: Sequence[str], below: Mapping[str, str], fits: Fits
) -> Iterator[Group]:
    by_spec: dict[tuple[str, ...], list[Target]] = {}
    for target in declaration.targets:
        if target.source == "conda":
            continue
        own = specifier(target.tensorflow or declaration.tensorflow, "tensorflow")
        by_spec.setdefault((own, *tensorflow_of(requirements, target)), []).append(target)
    for (own, *listed_too), targets in by_spec.items():
        releases = {keep.get(target.name, "") for target in targets} - {""}
        limits = sorted({below[target.name] for target in targets if target.name in below})
        asked = targets[0].tensorflow or declaration.tensorflow
        yield Group(
            asked=" and ".join([*([asked] if own or not listed_too else []), *listed_too]),
            spec=",".join(filter(None, [own, *listed_too, *limits])),
            targets=tuple(targets),
            keep=releases.pop() if len(releases) == 1 else "",
            wanted={name: version for target in targets for name, version in wanted_of(requirements, target, fits.bound).items()},
        )


def _choose(group: Group, declaration: Declaration, catalogue: CatalogueView, cutoff: str, fits: Fits) -> LockCandidate:
    """Return the kept release, or the newest of the most proven; raises ``NoProfileError``."""
    policy = declaration.policy
    kept = catalogue.release(group.keep) if group.keep and matches(group.spec, group.keep) else None
    if kept is not None:
        candidate = examine(kept, group, policy, catalogue, cutoff)
        if not candidate.obstacles:
            return candidate
    seen: list[LockCandidate] = []
    best: tuple[int, int] | None = None
    found: LockCandidate | None = None
    for release in catalogue.releases(group.spec, prereleases=names_prerelease(group.spec)):
        candidate = examine(release, group, policy, catalogue, cutoff)
        seen.append(candidate)
        rank = (-len(unfit(release, fits, group.wanted)), candidate.proven)
        if not candidate.obstacles and (best is None or rank > best):
            best, found = rank, candidate
            if best == (0, len(group.targets)):
                break
    if found is None:
        raise _refused(group, seen, declaration, catalogue, cutoff)
    return found


def examine(release: Release, group: Group, policy: Policy, catalogue: CatalogueView, cutoff: str) -> LockCandidate:
    """Hold one release against policy and all targets of a group."""
    obstacles = list(release_obstacles(release, policy, cutoff))
    sets: list[ChosenSet] = []
    for target in group.targets:
        build = release.build(target.platform)
        found, obstacle = _set(release, build, target, catalogue)
        if obstacle is not None:
            obstacles.append(obstacle)
        if found is not None and build is not None:
            obstacles += _set_obstacles(found, build, target, policy)
            sets.append(found)
    return LockCandidate(release=release, obstacles=tuple(obstacles), sets=tuple(sets))


def _set(release: Release, build: Build | None, target: Target, catalogue: CatalogueView) -> tuple[ChosenSet | None, Obstacle | None]:
    """Return a target's set, or why the release has none."""
    where = platform_name(target.platform)
    drop = f"no target {target.name}"
    source = source_of(target, build)
    known = next((item for item in release.known_bad if _speaks_of(item, target, source)), None)
    offered = catalogue.locks(release.version, target.platform)
    pythons = sorted({python for python, device in offered if device == set_device(target, build)}, key=numbers)
    other = f"`device: cpu` for {target.name}" if offered and target.device == "cuda" and not pythons else drop
    if known is not None and known.cause == "cuda-libs-missing" and build is not None and build.cuda is not None and build.cuda.conda:
        other = f"`kind: conda` for {target.name}"
    if known is not None:
        return None, Obstacle(code=known.cause, why=f"{known.reason} ({target.name})", remedy=other)
    if build is None or not pythons:
        what = f"{target.device.upper()} on {where}" if build is not None else where
        return None, Obstacle(code="platform-unsupported", why=f"has no known-good set for {what} ({target.name})", remedy=other)
    lock = catalogue.lock(release.version, target.python, target.platform, set_device(target, build))
    if lock is not None:
        return (target, lock, catalogue.proof(lock)), None
    nearest = min(pythons, key=lambda python: abs(numbers(python)[1] - numbers(target.python)[1]))
    why = f"has known-good sets on {where} for Python {span(pythons)}, and none for {target.python} ({target.name})"
    return None, Obstacle(code="python-unsupported", why=why, remedy=f"`python: {nearest}` for {target.name}")


def _speaks_of(known: KnownBad, target: Target, source: CondaSource) -> bool:
    """True for an entry that is about the target, and not about single GPUs; libraries that PyPI lacks, conda has."""
    brought = source == "libraries" and known.cause == "cuda-libs-missing"
    return (
        not brought
        and not known.capabilities
        and is_bad(known, target.platform, target.device)
        and (not known.pythons or target.python in known.pythons)
    )


def _set_obstacles(found: ChosenSet, build: Build, target: Target, policy: Policy) -> Iterator[Obstacle]:
    """Hold a set against the oldest machine of its target, and against the policy."""
    _, lock, proof = found
    system = "glibc" if target.platform.startswith("linux") else "macOS"
    floor = lock.glibc if system == "glibc" else build.macos
    if target.floor and floor and numbers(target.floor) < numbers(floor):
        code = "glibc-too-old" if system == "glibc" else "macos-too-old"
        why = f"needs {system} {floor} or newer, and {target.name} has machines with {target.floor}"
        yield Obstacle(code=code, why=why, remedy=f"{system} {floor} on all machines of {target.name}")
    driver = driver_obstacle(build, target.device, target.driver or policy.driver, target.name)
    yield from [driver] if driver is not None else []
    yield from set_obstacles(lock, proof, policy, target.name)


def _refused(
    group: Group, seen: Sequence[LockCandidate], declaration: Declaration, catalogue: CatalogueView, cutoff: str
) -> NoProfileError:
    names = listed([target.name for target in group.targets])
    asked = f"TensorFlow `{group.asked}`" if group.spec else "TensorFlow"
    near = _nearest(group, declaration.policy, catalogue, cutoff)
    hint = f"{'; or '.join(near)}; then run `tfsetup lock` again" if near else ""
    if not seen:
        minors = list(dict.fromkeys(".".join(version.split(".")[:2]) for version in reversed(catalogue.versions())))
        message = f"the catalogue has no {asked} to lock for {names}"
        return NoProfileError(message, hint=hint, refusals=(f"{asked}: is not in the catalogue, which holds {listed(minors)}",))
    main = min(seen, key=lambda candidate: len(candidate.obstacles))
    first = main.obstacles[0]
    one = "is known to be good for" if len(group.targets) == 1 else "will do for all of"
    message = f"no {asked} {one} {names}: TensorFlow {main.release.version} {first.why}"
    return NoProfileError(message, hint=hint, cause=first.code, refusals=tuple(_refusals(seen)))


def _refusals(candidates: Iterable[LockCandidate]) -> Iterator[str]:
    """Say once why each candidate was not taken; neighbours with the same obstacles share a line."""
    for obstacles, same in itertools.groupby(candidates, key=lambda candidate: candidate.obstacles):
        versions = [candidate.release.version for candidate in same]
        name = f"{versions[-1]} to {versions[0]}" if len(versions) > 2 else listed(versions)  # noqa: PLR2004 - two are named
        whys = "; it also ".join(obstacle.why for obstacle in obstacles)
        codes = ", ".join(dict.fromkeys(obstacle.code for obstacle in obstacles if obstacle.code))
        yield f"TensorFlow {name}: {whys}{f' [{codes}]' if codes else ''}"


def _nearest(group: Group, policy: Policy, catalogue: CatalogueView, cutoff: str) -> tuple[str, ...]:
    """Return what would have to be changed: the fewest changes first, then the release that is nearest to what was asked for."""
    releases = [release.version for release in catalogue.releases("", prereleases=False)]
    named = numbers(next(iter(re.findall(r"\d+(?:\.\d+)*", group.spec)), ""))
    place = next((index for index, version in enumerate(releases) if numbers(version)[: len(named)] <= named), 0) if named else 0
    found: dict[tuple[str, ...], tuple[int, int, str]] = {}
    for index, release in enumerate(catalogue.releases("", prereleases=False)):
        obstacles = examine(release, group, policy, catalogue, cutoff).obstacles
        changes = tuple(dict.fromkeys(obstacle.remedy for obstacle in obstacles))
        asked = () if matches(group.spec, release.version) else (f"`tensorflow: {release.version}`",)
        ranked = (len(asked) + len(changes), abs(index - place), f"TensorFlow {release.version} would do with {listed([*asked, *changes])}")
        # Of releases that need the same changes one is enough.
        key = (*changes, *("" for _ in asked))
        found[key] = min(ranked, found.get(key, ranked))
    return tuple(words for _, _, words in sorted(found.values())[:NEAREST])
