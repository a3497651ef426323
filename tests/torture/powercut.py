"""A power cut: the place is a file system in a file; at some call everything is stopped, and the file is copied as it is then.

What was not synced is in the kernel's memory and not in the copy, which is mounted (its journal is replayed) as after the next start. Needs root and
loop devices.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.torture.fingerprint import fingerprint
from tests.torture.place import STATE, Place
from tests.torture.run import BY_NAME, Result, Torture
from tests.torture.scenarios import base
from tests.torture.verdict import check_same, printed_command

SIZE = 300 << 20
SECONDS = 60.0
# The first lets files appear in a folder before their content does, which the second and usual one mostly does not.
OPTIONS = ("data=writeback", "data=ordered")


def possible() -> str:
    """Return why it cannot be done here, or ""."""
    if os.geteuid() != 0:
        return "only root can mount"
    if shutil.which("mkfs.ext4") is None or not os.path.exists("/dev/loop-control"):
        return "there is no mkfs.ext4, or no loop device"
    return ""


@dataclass
class Cut:
    """At the call number ``at`` of a scenario (``None``: right behind its end), on a file system mounted with ``option``."""

    scenario: str
    at: int | None
    option: str

    def __str__(self) -> str:
        """As it stands in the results."""
        return f"{self.scenario}:power cut:{self.option}:{self.at or 'end'}"


def _mount(image: Path, place: Path, option: str) -> None:
    # A commit every five minutes: nothing is on disk that nobody has synced.
    subprocess.run(["mount", "-o", f"loop,{option},commit=300", image, place], check=True)


def _unmount(place: Path) -> None:
    for _try in range(50):
        if subprocess.run(["umount", place], check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "-l", place], check=False)


def cut(torture: Torture, what: Cut) -> Result:
    """Run a scenario to that call, cut the power, start again, and judge what is there and what the next command makes of it."""
    scenario = BY_NAME[what.scenario]
    torture.learn(scenario)
    result = Result()
    world = torture.world
    image, copy = world.root / "disk.img", world.root / "after.img"
    place = Place(world, world.root / "place")
    folder = base(place, scenario.base)
    place.env_name = scenario.env
    subprocess.run(["rm", "-rf", place.root, image, copy], check=True)
    with image.open("wb") as stream:
        stream.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    place.root.mkdir()
    _mount(image, place.root, what.option)
    story = []
    try:
        subprocess.run(["cp", "-a", f"{folder}/.", place.root], check=True)
        os.sync()
        strike = {"TORTURE_AT": str(what.at or 0), "TORTURE_SIGNAL": str(int(signal.SIGSTOP)), "TORTURE_TO": "all"}
        process, state, _log = place.start(*scenario.command(place), strike=strike)
        if what.at is None:
            story += list(process.communicate(timeout=SECONDS * 2))
        else:
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline and process.poll() is None and not STATE.unpack(state.read_bytes())[1]:
                time.sleep(0.01)
        subprocess.run(["cp", "--sparse=always", image, copy], check=True)
        _end(state, process)
    finally:
        _unmount(place.root)
    _mount(copy, place.root, what.option)
    try:
        _judge(torture, result, place, what, story)
    finally:
        _unmount(place.root)
        result.story = "\n".join(story)
    return result


def _end(state: Path, process: subprocess.Popen[str]) -> None:
    found = STATE.unpack(state.read_bytes())
    for pid in found[4 : 4 + found[3]]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.kill()
    process.communicate()


def _judge(torture: Torture, result: Result, place: Place, what: Cut, story: list[str]) -> None:
    scenario, known = BY_NAME[what.scenario], torture.known[what.scenario]
    found = _print(place)
    state = known.state(found)
    story.append(f"state: {state or 'neither'}")
    if what.at is None:
        result.expect(state.startswith("new"), "it was done, and after the power cut it is not")
    if state:
        result.outcome = state
        return
    told = place.tool("doctor", "--env", str(place.env))
    story += [f"$ tfsetup doctor: {told.code}", told.said]
    result.expect("interrupted" in told.said, "doctor does not name the interrupted run")
    again = tuple(word for word in scenario.command(place) if word != "--yes")
    command = printed_command(told, again) or ("undo", "--env", str(place.env))
    done = place.tool(*command, "--yes")
    story += [f"$ tfsetup {' '.join(command)}: {done.code}", done.said]
    state = known.state(_print(place))
    result.expect(done.code == 0, f"what goes on ends with {done.code}")
    if not state:
        check_same(result, known.old, _print(place), "after going on")
    result.outcome = f"named, then {state}"


def _print(place: Place) -> dict[str, str]:
    found = fingerprint(place.root, without=("cache", "lost+found"))
    return {path: mark for path, mark in found.items() if not path.startswith("tmp/tfsetup-verify-")}
