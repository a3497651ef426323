"""What is known of source distributions while requirements are resolved: of versions that were built, and what is taken of the others. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import replace

from provisioner.base.versions import minor_of, numbers
from provisioner.engines.resolving import Job
from provisioner.engines.source_tree import Metadata
from provisioner.engines.wheels import Wheel

# Series of one package of which a version is built where the newest does not go with the rest.
SERIES = 4


@dataclasses.dataclass
class Learnt:
    """What was found out of source distributions: the metadata of versions that were built, and a guess for those that were not.

    A version that was not built is taken to need what the first of its package that was built does: most packages need the same for years, and
    so not every one is built where all of them clash. Where the guess leaves no solution, a few older ones are built, one of each series.
    ``stated`` is what packages that may not be built say of themselves without being run.
    """

    addressed: frozenset[str]
    known: dict[tuple[str, str], Metadata] = dataclasses.field(default_factory=dict)
    first: dict[str, Metadata] = dataclasses.field(default_factory=dict)
    guessing: bool = True
    jumps: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    stated: dict[str, Metadata] = dataclasses.field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """The packages of which a version was built."""
        return set(self.first)

    @property
    def guesses(self) -> bool:
        """True where something is taken for granted that could be built."""
        return self.guessing and bool(self.names - self.addressed)

    @property
    def hears(self) -> bool:
        """True where a package that may not be built says of itself that it needs something."""
        return any(item.requires for item in self.stated.values())

    def told(self, job: Job) -> Job:
        """Return a job that knows all this, and looks for no series that was passed over."""
        if self.guessing:
            return self.as_guessed(job)
        limits = [f"{name}<{passed[-1]}" for name, passed in self.jumps.items()]
        return replace(job, metadata=(*self._stated(), *self.known.values()), constraints=(*job.constraints, *limits))

    def as_guessed(self, job: Job) -> Job:
        """Return a job that knows what was built, and takes the guess for all else."""
        guesses = [replace(item, version="") for name, item in self.first.items() if name not in self.addressed]
        return replace(job, metadata=(*self._stated(), *guesses, *self.known.values()))

    def _stated(self) -> list[Metadata]:
        # Of what has an address uv takes only what names a version, and would build it to know more.
        return [replace(item, version="") for name, item in self.stated.items() if name not in self.first and name not in self.addressed]

    def add(self, name: str, wheel: Wheel, metadata: Metadata) -> None:
        """Take in what the build of a version said; while nothing is guessed any more, its series is passed over from then on."""
        self.known[name, wheel.identity] = metadata
        self.first.setdefault(name, metadata)
        if not self.guessing and name not in self.addressed:
            self.jumps[name] = (*self.jumps.get(name, ()), _series(wheel.version))

    def looks_further(self) -> bool:
        """Give the guess up, where there is one; False where that was done already, or nothing was guessed."""
        further = self.guesses
        self.guessing = self.guessing and not further
        return further

    def doubts(self) -> bool:
        """Take what may not be built to need nothing, whatever it says of itself: only a build could tell. False where it said nothing."""
        doubtful = self.hears
        self.stated = {name: replace(item, requires=(), extras=()) for name, item in self.stated.items()}
        return doubtful

    def looked_enough(self, names: Collection[str]) -> bool:
        """True where of one of these packages no more are built."""
        return any(len(self.jumps.get(name, ())) >= SERIES for name in names)


def _series(version: str) -> str:
    """Return the first version of the series that one belongs to: 0.11 for 0.11.5, of a version of two numbers itself."""
    release = numbers(version)
    return minor_of(version) if len(release) > 2 else version  # noqa: PLR2004 - major, minor, patch
