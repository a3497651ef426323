"""Several runs at once on one environment, and one of them killed while the others wait."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from tests.torture.place import STATE
from tests.torture.run import BY_NAME, Result, Torture
from tests.torture.verdict import check_same, undated

CASES = tuple(
    (name, count, killed) for name in ("new", "new-deep", "change", "upgrade", "undo") for count in (2, 8) for killed in (False, True)
)
SECONDS = 240.0


def at_once(torture: Torture, name: str, count: int, *, killed: bool, at: int = 0) -> Result:
    """Start so many of the scenario's command; one does the work, the others have nothing to do, or say why not.

    Where one is to be killed, that is the first, with all that it started, at its call number ``at``.
    """
    scenario = BY_NAME[name]
    torture.learn(scenario)
    known, result = torture.known[name], Result()
    place = torture.place_of(scenario)
    strike = {"TORTURE_AT": str(at), "TORTURE_SIGNAL": "9", "TORTURE_TO": "all"} if killed else None
    command = (*scenario.command(place), "--wait", "200")
    first, state, _log = place.start(*command, strike=strike)
    if strike is not None:
        time.sleep(0.3)
    others = [place.start(*command)[0] for _ in range(count - 1)]
    ended = [process.communicate(timeout=SECONDS) for process in (first, *others)]
    codes = [process.returncode for process in (first, *others)]
    if strike is not None:
        _wait_for(state)
    story = [f"{code}: {out}{err}" for code, (out, err) in zip(codes, ended, strict=True)]
    said = "".join(story)
    result.expect("Traceback" not in said and "a bug in tfsetup" not in said, "a traceback")
    found = {path: mark for path, mark in place.print().items() if not path.startswith("tmp/tfsetup-verify-")}
    if name == "undo":
        # Of several that undo, each that comes after another has nothing to undo.
        result.expect(set(codes) <= ({0, -9} if killed else {0}), f"codes {codes}")
    else:
        done = sum("Done: " in out for out, _ in ended)
        result.expect(done == 1 or killed, f"{done} of {count} did the work")
        result.expect(codes.count(0) >= count - killed, f"codes {codes}")
    wanted = known.without_locks(undated(known.new))
    check_same(result, wanted, known.without_locks(undated(found)), "it is not as one run makes it")
    result.outcome, result.story = "new", "\n".join(story)
    return result


def _wait_for(state: Path) -> None:
    found = STATE.unpack(state.read_bytes())
    for pid in found[4 : 4 + found[3]]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
