"""Which release goes with the team's requirements: the newest that the declaration admits, walked down until one does.

The way down is short: asked without the known-good sets, the resolver says which release the requirements would bring by themselves, and the
walk goes on from there. Patch releases of one minor ask for nearly the same: where two of them failed, the others are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from provisioner.base.names import is_rival
from provisioner.base.text import mask
from provisioner.base.versions import minor_of
from provisioner.catalogue import Catalogue
from provisioner.choose.obstacles import listed
from provisioner.engines.resolving import Job, Resolved
from provisioner.errors import NoProfileError
from provisioner.host import Host
from provisioner.lock.alone import release_brought, without_set
from provisioner.lock.building import unbuilt
from provisioner.lock.choosing import ChosenSet
from provisioner.lock.floors import newer_floors
from provisioner.lock.resolve import Locked, UnmetError
from provisioner.model.record import record
from provisioner.model.team import Inputs

# Releases that are tried, those of one minor, and how much of the resolver's reason a warning repeats.
TRIES = 8
PATCHES = 2
SAID = 240

LockAll = Callable[[Sequence[ChosenSet], bool], Locked]
ChooseBelow = Callable[[Mapping[str, str]], tuple[ChosenSet, ...]]
Bring = Callable[[ChosenSet, Job, str], "Brought"]


@record
class _Passed:
    """A release that was passed over, and why."""

    release: str
    said: str


@record
class Brought:
    """A release that the requirements bring, "" for none, and the packages of which it takes the source."""

    release: str
    sources: frozenset[str] = frozenset()


def meet(first: Sequence[ChosenSet], lock_all: LockAll, choose: ChooseBelow, bring: Bring, anyway: ChooseBelow | None = None) -> Locked:
    """Lock the ``first`` sets; where the requirements do not go with them, those of older releases.

    ``choose`` gives the sets of the targets that are limited further (``<2.21.0``), ``bring`` the newest release within a limit that a target's
    requirements admit, "" for none. Where none is left, the same is done with the sets that ``anyway`` gives, whatever is known of single
    packages, and then the first sets of which not all was tried are locked again with all of it (``lock_all`` with True).
    Raises the ``UnmetError`` of the first try where no release does.
    """
    walk = _Walk(lock_all, bring)
    found = walk.down(first, choose)
    others = _choose(anyway, {}) if found is None and anyway is not None else None
    if others is not None and anyway is not None and _releases(others) != _releases(first):
        found = walk.down(others, anyway)
    return found or walk.deep()


def _releases(sets: Sequence[ChosenSet]) -> list[str]:
    return [lock.release for _, lock, _ in sets]


class _Walk:
    """Down from release to release: what was passed over, and where not all was tried."""

    def __init__(self, lock_all: LockAll, bring: Bring) -> None:
        self._lock_all = lock_all
        self._bring = bring
        self._passed: list[_Passed] = []
        self._unmet: UnmetError | None = None
        self._tried: list[str] = []
        self._further: Sequence[ChosenSet] = ()
        self._before: tuple[_Passed, ...] = ()

    def down(self, sets: Sequence[ChosenSet], choose: ChooseBelow) -> Locked | None:
        """Lock the sets, else those of older releases; None where none is left."""
        failed: dict[str, list[str]] = {}
        below: dict[str, str] = {}
        self._passed = []
        for _ in range(TRIES):
            tried = _try(self._lock_all, sets)
            if isinstance(tried, Locked):
                return _telling(tried, self._passed)
            self._unmet = self._unmet or tried
            self._tried += _releases(sets)
            if not self._further and any(error.further for _, error in tried.failures):
                self._further, self._before = sets, tuple(self._passed)
            found = {
                chosen[0].name: self._bring(chosen, error.job, _limit(failed, chosen))
                for chosen, error in tried.failures
                if chosen[1].release
            }
            self._passed += [_Passed(release=lock.release, said=error.said) for (_, lock, _), error in tried.failures[:1]]
            # Where an older release would take the same source, this one may.
            same = any(error.unbuilt & found[chosen[0].name].sources for chosen, error in tried.failures if chosen[1].release)
            below |= {name: f"<={brought.release}" for name, brought in found.items()}
            older = _choose(choose, below) if found and not same and all(brought.release for brought in found.values()) else None
            if older is None:
                return None
            sets = older
        return None

    def deep(self) -> Locked:
        """Lock the first sets of which not all was tried, with all of it; raises the first ``UnmetError`` where that does not go, either."""
        found = _try(self._lock_all, self._further, deep=True) if self._further else None
        if isinstance(found, Locked):
            return _telling(found, self._before)
        unmet = self._unmet
        if unmet is None:
            raise AssertionError
        unmet.tried = tuple(self._tried)
        raise unmet


def _limit(failed: dict[str, list[str]], chosen: ChosenSet) -> str:
    """Note that a target's release failed, and say below what the next one is looked for: it, or its whole minor."""
    target, lock, _ = chosen
    mine = failed.setdefault(target.name, [])
    mine.append(minor_of(lock.release))
    return f"<{lock.release}" if mine.count(mine[-1]) < PATCHES else f"<{mine[-1]}"


def _try(lock_all: LockAll, sets: Sequence[ChosenSet], *, deep: bool = False) -> Locked | UnmetError:
    try:
        return lock_all(sets, deep)
    except UnmetError as error:
        return error


def _choose(choose: ChooseBelow, below: Mapping[str, str]) -> tuple[ChosenSet, ...] | None:
    try:
        return choose(below)
    except NoProfileError:
        return None


def _telling(locked: Locked, passed: Sequence[_Passed]) -> Locked:
    """Add which releases were passed over, and what the resolver said of the first of them."""
    if not passed:
        return locked
    releases = listed(list(dict.fromkeys(item.release for item in passed)))
    taken = listed(sorted({target.release for target in locked.lock.targets if target.release}))
    said = " ".join(mask(passed[0].said).split())
    said = said if len(said) <= SAID else f"{said[: SAID - 3]}..."
    does = "does" if len({item.release for item in passed}) == 1 else "do"
    words = f"TensorFlow {taken} is the newest that goes with your requirements; {releases} {does} not (the resolver says of it: {said})"
    return replace(locked, warnings=(words, *locked.warnings))


def release_below(host: Host, catalogue: Catalogue, inputs: Inputs, chosen: ChosenSet, job: Job, limit: str) -> Brought:
    """Ask which release within a ``limit`` (``<2.21.0``) the team's requirements bring by themselves, for a target.

    What has no wheel needs what the job knows of it, else it counts as met: no code is run to find out.
    """
    target, lock, _ = chosen
    own = next(file.name for file in lock.files if is_rival(file.name))
    found = Brought(release="")
    # Where wheels for older machines bring none, those for newer ones may, as they are taken in a lock.
    for floor in (job.floor, *newer_floors(target, lock)[-1:]):
        known: set[str] = set()
        ask = partial(_without_set, host, catalogue, inputs, replace(job, floor=floor), limit, known)
        found = Brought(release=release_brought(ask, own), sources=frozenset(known))
        if found.release:
            break
    return found


def _without_set(host: Host, catalogue: Catalogue, inputs: Inputs, job: Job, limit: str, known: set[str], name: str) -> Resolved | None:
    return unbuilt(host, without_set(job, f"{name}{limit}", inputs, catalogue), known, origins=False)
