"""What is known of source distributions while requirements are resolved: of versions that were built, and what is taken of the others. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from provisioner.base.versions import minor_of, numbers
from provisioner.engines.resolving import Job
from provisioner.engines.source_tree import Metadata
from provisioner.engines.wheels import Wheel

# Series of one package of which a version is looked at where the newest does not go with the rest, and builds among them beside the first.
SERIES, BUILDS = 16, 4
# Versions of one series that are looked at.
SAME = 2


@dataclasses.dataclass
class Learnt:
    """What was found out of source distributions: the metadata of versions that were built, and a guess for those that were not.

    A version that was not built is taken to need what the first of its package that was built does: most packages need the same for years, and
    so not every one is built where all of them clash. Where the guess leaves no solution, it is given up for the packages that the resolver
    complains of (``doubted``), and older ones of them are looked at, two of each series (``seen``): what they say of themselves without being run
    (``heard``) tells which of them is worth a build. ``passed`` says below which series is looked.
    ``stated`` is what packages that may not be built say of themselves.
    """

    addressed: frozenset[str]
    known: dict[tuple[str, str], Metadata] = dataclasses.field(default_factory=dict)
    first: dict[str, Metadata] = dataclasses.field(default_factory=dict)
    heard: dict[tuple[str, str], Metadata] = dataclasses.field(default_factory=dict)
    seen: dict[str, dict[str, set[str]]] = dataclasses.field(default_factory=dict)
    doubted: set[str] = dataclasses.field(default_factory=set)
    passed: dict[str, str] = dataclasses.field(default_factory=dict)
    stated: dict[str, Metadata] = dataclasses.field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """The packages of which a version was built."""
        return set(self.first)

    @property
    def guesses(self) -> bool:
        """True where something is taken for granted that could be built."""
        return bool(self.names - self.addressed - self.doubted)

    @property
    def hears(self) -> bool:
        """True where a package that may not be built says of itself that it needs something."""
        return any(item.requires for item in self.stated.values())

    def told(self, job: Job) -> Job:
        """Return a job that knows all this, and looks for no series that was passed over."""
        limits = [f"{name}<{series}" for name, series in self.passed.items()]
        return self._told(replace(job, constraints=(*job.constraints, *limits)), self.doubted)

    def as_guessed(self, job: Job) -> Job:
        """Return a job that knows what was built, and takes the guess for all else."""
        return self._told(job, set())

    def _told(self, job: Job, doubted: Collection[str]) -> Job:
        guesses = [replace(item, version="") for name, item in self.first.items() if name not in self.addressed and name not in doubted]
        # Of what has an address uv takes only what names a version, and would build it to know more.
        stated = [replace(item, version="") for name, item in self.stated.items() if name not in {*self.first, *self.addressed}]
        return replace(job, metadata=(*stated, *guesses, *{**self.heard, **self.known}.values()))

    def add(self, name: str, wheel: Wheel, metadata: Metadata) -> None:
        """Take in what the build of a version said."""
        self.known[name, wheel.identity] = metadata
        self.first.setdefault(name, metadata)
        self.seen.setdefault(name, {}).setdefault(_series(wheel.version), set()).add(wheel.identity)

    def leave(self, name: str, wheel: Wheel) -> None:
        """Pass over the series of a version that cannot be built."""
        self.passed[name] = _series(wheel.version)

    def unheard(self, wheels: Mapping[str, Wheel]) -> list[Wheel]:
        """Return those of these that are looked at because a newer one did not go, and that were not listened to."""
        return [wheel for name, wheel in wheels.items() if name in self.doubted and (name, wheel.identity) not in self.heard]

    def hear(self, wheels: Sequence[Wheel], said: Mapping[str, Metadata]) -> None:
        """Take in what versions say of themselves."""
        for wheel in wheels:
            self.heard[wheel.package, wheel.identity] = said[wheel.package]
            self.seen[wheel.package].setdefault(_series(wheel.version), set()).add(wheel.identity)

    def looks_further(self, said: str) -> bool:
        """Give the guess up for the packages that a resolver speaks of; False where there is none."""
        words = set(re.findall(r"[a-z0-9][a-z0-9._-]*", said.lower()))
        names = {name for name in self.names - self.addressed - self.doubted if name in words}
        self.doubted |= names
        return bool(names)

    def doubts(self) -> bool:
        """Take what may not be built to need nothing, whatever it says of itself: only a build could tell. False where it said nothing."""
        doubtful = self.hears
        self.stated = {name: replace(item, requires=(), extras=()) for name, item in self.stated.items()}
        return doubtful

    def passes_over(self, wheels: Mapping[str, Wheel]) -> bool:
        """Pass over the series of these versions of which others were looked at, and did not go; False where there is none."""
        found = {name: _series(wheel.version) for name, wheel in wheels.items() if name in self.doubted}
        again = {name: series for name, series in found.items() if self._did_not_go(name, series, wheels[name].identity)}
        self.passed |= again
        return bool(again)

    def _did_not_go(self, name: str, series: str, identity: str) -> bool:
        """True where enough was seen of a series: two versions, or one where this one says nothing of itself."""
        others = self.seen[name].get(series, set()) - {identity}
        heard = self.heard.get((name, identity))
        return len(others) >= SAME if heard is None else bool(others) and not heard.requires

    def looked_enough(self, names: Collection[str]) -> bool:
        """True where of one of these packages no more are looked at, or built."""
        built = Counter(name for name, _ in self.known)
        return any(name in self.doubted and (built[name] > BUILDS or len(self.seen[name]) > SERIES) for name in names)


def _series(version: str) -> str:
    """Return the first version of the series that one belongs to: 0.11 for 0.11.5, of a version of two numbers itself."""
    release = numbers(version)
    return minor_of(version) if len(release) > 2 else version  # noqa: PLR2004 - major, minor, patch
