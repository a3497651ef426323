"""One tortured run after the other: struck, looked at, gone on from, looked at again."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.torture.place import STATE, Ended, Place
from tests.torture.scenarios import SCENARIOS, Scenario, base
from tests.torture.strikes import Strike, calls_of, draw
from tests.torture.verdict import Known, Verdict, check_same, check_words, printed_command, undated
from tests.torture.world import World

BY_NAME = {item.name: item for item in SCENARIOS}
ORPHANS_SECONDS = 20.0
# The last is the quickest by far.
LOOKS = ("doctor", "verify", "plan", "plan")


@dataclass
class Result(Verdict):
    """A verdict with all that was said."""

    story: str = ""


@dataclass
class Torture:
    """``known`` and ``calls`` are learnt from one unhurt run of each scenario."""

    world: World
    chance: random.Random
    known: dict[str, Known] = field(default_factory=dict)
    calls: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def place_of(self, scenario: Scenario) -> Place:
        """Return a fresh place of the scenario."""
        place = Place(self.world, self.world.root / "place")
        folder = base(place, scenario.base)
        place.env_name = scenario.env
        place.fresh(folder)
        return place

    def learn(self, scenario: Scenario) -> None:
        """Run the scenario unhurt: what is there before and after, and which calls it makes."""
        if scenario.name in self.known:
            return
        place = self.place_of(scenario)
        old = place.print()
        ended = place.tool(*scenario.command(place), strike={"TORTURE_EVERY": "1"})
        if ended.code != scenario.code:
            raise RuntimeError(f"{scenario.name} ends with {ended.code} unhurt: {ended.said}")
        self.known[scenario.name] = Known(scenario.env, old, place.print())
        self.calls[scenario.name] = calls_of(ended.struck)

    def draw(self, scenarios: Sequence[Scenario], kills: int, faults: int) -> Iterator[Strike]:
        """Draw so many strikes, kills and faults mixed, each scenario as often as any."""
        for item in scenarios:
            self.learn(item)
        struck = [item for item in scenarios if self.calls[item.name]]
        left = {True: kills, False: faults}
        while any(left.values()):
            kill = self.chance.random() * (left[True] + left[False]) < left[True]
            name = self.chance.choice(struck).name
            found = draw(name, self.calls[name], self.chance, kill=kill)
            if found is not None:
                left[kill] -= 1
                yield found

    def strike(self, strike: Strike) -> Result:
        """Run a scenario with one strike, and judge what is there, what is said, and what the next command makes of it."""
        scenario = BY_NAME[strike.scenario]
        self.learn(scenario)
        known, result = self.known[strike.scenario], Result()
        place = self.place_of(scenario)
        prefix = ("nohup",) if strike.what == "nohup" else ()
        ended = place.tool(*scenario.command(place), strike=strike.variables(), prefix=prefix)
        self._wait(result)
        found = place.print()
        story = [f"$ tfsetup {' '.join(ended.argv)}: {ended.code}; struck: {ended.struck[:3]}", ended.said]
        if not ended.struck:
            result.outcome = "not struck"
        self._check_end(result, strike, scenario, ended, found)
        found, swept = _swept(found, killed=_may_leave(strike, ended))
        story += [f"left behind: {swept}"] if swept else []
        state = known.state(found)
        if ended.code == 0 and scenario.argv[0] == "fix" and not state:
            state = "new"
        story.append(f"state: {state or 'neither'}")
        # The lock is an empty file that stays where a run was killed, or where it could not be removed; what is said was looked at.
        if state:
            result.outcome = result.outcome or state
            if state.startswith("new") and ended.code not in {0, -9, scenario.code}:
                result.outcome = "new, named"
        else:
            self._go_on(result, place, known, scenario, ended, found, story)
        result.story = "\n".join(story)
        return result

    def _check_end(self, result: Result, strike: Strike, scenario: Scenario, ended: Ended, found: dict[str, str]) -> None:
        known = self.known[scenario.name]
        check_words(result, known, ended, found, undoing=scenario.argv[0] == "undo")
        if strike.what == "SIGKILL":
            codes = {-9, scenario.code} if strike.to == "tool" else {-9}
        elif strike.is_signal:
            codes = {130, scenario.code, 0} if strike.what != "nohup" else {0, scenario.code}
        else:
            codes = {0, 1, scenario.code}
        if not ended.struck:
            codes = {scenario.code}
        # An installer that is killed alone, by a group of its own.
        if strike.is_signal and strike.to == "all":
            codes |= {1, 14}
        if any("/place/tmp/" in line for line in ended.struck):
            # The proof could not write, and so proves nothing.
            codes |= {14}
        if strike.what in {"EACCES", "EPERM"} and any("tfsetup-lock" in line for line in ended.struck):
            # A lock that may not be opened is a place that cannot be used.
            codes |= {2}
        result.expect(ended.code in codes, f"exit code {ended.code}, where one of {sorted(codes)} is promised")
        if ended.code == 0 and scenario.argv[0] == "fix":
            # Where the small repair was refused something, a larger one may have done it.
            there = set(found.values())
            lost = [path for path, mark in known.old.items() if _is_own(path) and mark not in there]
            result.expect(not lost, f"own files are lost: {lost[:5]}")
        elif ended.code == 0 and scenario.code == 0:
            now = known.without_locks(undated(_swept(found, killed=_may_leave(strike, ended))[0]))
            check_same(result, known.without_locks(undated(known.new)), now, "code 0, but it is not as a run unhurt makes it")
        if ended.code == 14:
            now = known.without_locks(_swept(found, killed=_may_leave(strike, ended))[0])
            check_same(result, known.without_locks(known.old), now, "the proof failed, but it is not as it was")

    def _go_on(
        self, result: Result, place: Place, known: Known, scenario: Scenario, ended: Ended, found: dict[str, str], story: list[str]
    ) -> None:
        """What is there is neither: it must be named, and the command that is printed must bring one of both."""
        if scenario.argv[0] == "lock":
            self._lock_again(result, place, known, found, story)
            return
        look = self.chance.choice(LOOKS)
        asked = scenario.argv[scenario.argv.index("-t") :] if look == "plan" and "-t" in scenario.argv else ()
        told = place.tool(look, "--env", str(place.env), *asked)
        story += [f"$ tfsetup {look}: {told.code}", told.said]
        result.expect("interrupted" in told.said, f"{look} does not name the interrupted run: {told.said[-300:]!r}")
        check_same(result, found, _swept(place.print(), killed=True)[0], f"{look} changed something")
        again = tuple(word for word in scenario.command(place) if word != "--yes")
        command = printed_command(ended, again) if ended.code != -9 else None
        command = command or printed_command(told, again)
        if command and command[0] == "apply" and scenario.argv[0] != "apply":
            # What ``plan`` prints is for who wants an environment.
            command = again
        if command is None:
            result.faults.append(f"no command that goes on is printed: {ended.said[-400:]!r}, {told.said[-400:]!r}")
            command = ("undo", "--env", str(place.env))
        if scenario.argv[0] in {"apply", "fix"} and self.chance.random() < 0.3:
            command = again
        strike, second = None, ended
        if self.chance.random() < 0.4:
            # And once more, while it is taken back.
            strike = Strike(
                "", self.chance.choice(("SIGKILL", "ENOSPC", "EIO", "SIGTERM")), self.chance.randint(1, 60), who="python", to="all"
            )
            second = place.tool(*command, "--yes", strike=strike.variables())
            self._wait(result)
            story += [f"$ tfsetup {' '.join(command)} ({strike}): {second.code} {second.struck}", second.said]
            check_words(result, known, second, place.print(), undoing=scenario.argv[0] == "undo")
        # An undo that came to its end after all would take back one change more.
        finished = strike is not None and (second.code == 0 or "is taken back" in second.said[second.said.rfind("error:") :])
        third = second if finished else place.tool(*command, "--yes")
        story += [f"$ tfsetup {' '.join(command)}: {third.code}", third.said]
        found, swept = _swept(place.print(), killed=True)
        state = known.state(found)
        story.append(f"state: {state or 'neither'}; {swept}")
        result.outcome = f"named, then {state}"
        result.expect(
            third.code == 0 or finished or (command[0] == scenario.argv[0] and third.code == scenario.code),
            f"what goes on ends with {third.code}: {third.said[-300:]!r}",
        )
        # The folder of ``--keep-new`` is a person's own; of empty folders above an environment that never was, nothing is known.
        if state not in {"old", "new"} and not (state and (strike or scenario.name in {"undo-keep", "new-deep"})):
            check_same(
                result,
                known.old if command[0] == "undo" else undated(known.new),
                found if command[0] == "undo" else undated(found),
                "after going on",
            )

    def _lock_again(self, result: Result, place: Place, known: Known, found: dict[str, str], story: list[str]) -> None:
        told = place.tool("lock", "--check")
        story += [f"$ tfsetup lock --check: {told.code}", told.said]
        result.expect("interrupted" in told.said, f"lock --check does not name the interrupted run: {told.said[-300:]!r}")
        check_same(result, found, place.print(), "lock --check changed something")
        done = place.tool("lock")
        story += [f"$ tfsetup lock: {done.code}", done.said]
        result.expect(done.code == 0, f"lock ends with {done.code}")
        check_same(result, known.new, place.print(), "after going on")
        result.outcome = "named, then new"

    def _wait(self, result: Result) -> None:
        """Wait for what a killed tool has left running."""
        state = STATE.unpack((self.world.root / "strike").read_bytes())
        deadline = time.monotonic() + ORPHANS_SECONDS
        for pid in state[4 : 4 + state[3]]:
            while os.path.exists(f"/proc/{pid}") and _runs(pid):
                if time.monotonic() > deadline:
                    result.faults.append(f"process {pid} is there still")
                    return
                time.sleep(0.02)


def _is_own(path: str) -> bool:
    """True for a file of a person's own (``scenarios._own``)."""
    return (
        not path.startswith("env/")
        or path.startswith(("env/data/", "env/latest", "env/nowhere"))
        or "/mine/" in path
        or "/google/note" in path
    )


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _may_leave(strike: Strike, ended: Ended) -> bool:
    """True where something may be left in TMPDIR: by a kill, and by libraries that try out that folder, where just that is refused."""
    return (
        strike.what == "SIGKILL" or strike.times > 1 or (strike.scenario == "lock" and any("/place/tmp/" in line for line in ended.struck))
    )


def _swept(found: dict[str, str], *, killed: bool) -> tuple[dict[str, str], list[str]]:
    """Leave out what a killed proof may leave in TMPDIR, which the next one takes away after a day; return what that was."""
    left = [path for path in found if path.startswith("tmp/")] if killed else []
    return {path: mark for path, mark in found.items() if path not in left}, [path for path in left if path.count("/") == 1]
