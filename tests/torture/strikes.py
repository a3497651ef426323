"""One strike: what goes wrong in which scenario at which moment; written as a line, so that each can be run again by itself."""

from __future__ import annotations

import errno
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass

SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT, "SIGHUP": signal.SIGHUP, "nohup": signal.SIGHUP}
ERRORS = ("ENOSPC", "EIO", "EPERM", "EROFS", "EACCES", "EXDEV", "EDQUOT")
# Refused from there on for good.
ALL = 10**6


@dataclass(frozen=True)
class Strike:
    """``what`` is a signal or an error; ``times`` calls of the kind ``op`` ("": any) of ``who`` ("": anyone) are hit from number ``at`` on.

    A signal goes ``to`` the tool, or to all that it started as well.
    """

    scenario: str
    what: str
    at: int
    times: int = 1
    to: str = "tool"
    who: str = ""
    op: str = ""

    @property
    def is_signal(self) -> bool:
        return self.what in SIGNALS

    def __str__(self) -> str:
        """The line that ``parse`` reads."""
        return ":".join((self.scenario, self.what, self.to if self.is_signal else f"x{self.times}", self.who, self.op, str(self.at)))

    def variables(self) -> dict[str, str]:
        """Return the variables of ``preload.c`` that make it happen."""
        found = {"TORTURE_AT": str(self.at), "TORTURE_WHO": self.who, "TORTURE_OPS": f",{self.op}," if self.op else ""}
        if self.is_signal:
            return {**found, "TORTURE_SIGNAL": str(int(SIGNALS[self.what])), "TORTURE_TO": self.to}
        return {**found, "TORTURE_ERRNO": str(getattr(errno, self.what)), "TORTURE_TIMES": str(self.times)}


def parse(line: str) -> Strike:
    """Return the strike of a line."""
    scenario, what, how, who, op, at = line.split(":")
    if what in SIGNALS:
        return Strike(scenario, what, int(at), to=how, who=who, op=op)
    return Strike(scenario, what, int(at), times=int(how[1:]), who=who, op=op)


def calls_of(log: Sequence[str]) -> list[tuple[str, str]]:
    """Return who made which kind of call, in order, from the log of an unhurt run."""
    return [(line.split(" ")[1], line.split(" ")[2]) for line in log]


def draw(scenario: str, calls: Sequence[tuple[str, str]], chance: random.Random, *, kill: bool) -> Strike | None:
    """Draw a strike; the tool's own calls are most of what is interesting, though installers make more of them."""
    programs = sorted({who for who, _ in calls})
    who = "python" if "python" in programs and chance.random() < 0.8 else chance.choice(programs) if programs else ""
    own = [kind for name, kind in calls if not who or name.startswith(who)]
    if not own:
        return None
    # Of each kind as often as of any: there are few renames among many links.
    op = chance.choice(sorted(set(own))) if chance.random() < 0.5 else ""
    count = sum(1 for kind in own if not op or kind == op)
    at = chance.randint(1, count)
    if kill:
        what = chance.choices(list(SIGNALS), (5, 2, 2, 1, 1))[0]
        return Strike(scenario, what, at, to=chance.choice(("tool", "all")), who=who, op=op)
    times = chance.choices((1, 2, 5, ALL), (4, 2, 1, 3))[0]
    return Strike(scenario, chance.choices(ERRORS, (5, 4, 3, 2, 1, 1, 1))[0], at, times=times, who=who, op=op)
