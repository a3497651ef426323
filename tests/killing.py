"""Processes that are killed: what one of them leaves behind at each moment, from a single run.

A state of the disk before each effect is kept as a copy by hard links, which is what a process leaves that is killed there; then each is put in
its place again and cleaned up after. So the run that is expensive (installers, proofs) is made once, and not once for each of its effects.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from provisioner.host import Host
from tests.support import DyingHost


@dataclass
class State:
    """What was there before an effect; of the last one, when all was done."""

    folder: Path
    effect: str
    last: bool = False

    def put_back(self, place: Path) -> None:
        """Make it what is there; it can be done once."""
        # By the system's own program, as it is copied: some thousand files at each of some hundred moments.
        subprocess.run(["rm", "-rf", place], check=True)
        self.folder.rename(place)


@dataclass
class WatchedHost(DyingHost):
    """This machine; before each effect the state of ``place`` is kept below ``shelf``."""

    dies_at: int = 0
    place: Path = Path()
    shelf: Path = Path()
    states: list[State] = field(default_factory=list)

    def _effect(self, *what: str) -> None:
        self.keep(" ".join(map(kind_of, what)))

    def keep(self, effect: str) -> None:
        """Keep what is there now."""
        self.shelf.mkdir(exist_ok=True)
        folder = self.shelf / str(len(self.states) + 1)
        subprocess.run(["cp", "-al", self.place, folder], check=True)
        self.states.append(State(folder, effect))


def kind_of(word: str) -> str:
    """Return what of the tool's own a path is, without the rest of its name, by which the moves of one kind differ."""
    if not word.startswith("/"):
        return word
    own = re.search(r"/\.tfsetup/(.+)", word)
    if own is None:
        return "outside"
    name = re.sub(r"\d+", "N", own[1])
    return name if name.endswith(".json") else name.split("/")[0]


def states_of(place: Path, shelf: Path, run: Callable[[Host], object], moments: str = "every") -> Iterator[State]:
    """Run once, and give the states of ``place`` before its effects, and after the last, each put in its place when it is given.

    ``moments`` is "every", or "telling": the first and the last effect of each kind, for the kinds are few.
    """
    host = WatchedHost(place=place, shelf=shelf)
    run(host)
    host.keep("done")
    states = host.states
    states[-1].last = True
    kinds = [state.effect for state in states]
    assert len(states) > 5, kinds
    for number, state in enumerate(states):
        if moments == "every" or number in {kinds.index(state.effect), len(kinds) - 1 - kinds[::-1].index(state.effect)}:
            state.put_back(place)
            yield state
