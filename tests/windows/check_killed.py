"""Runs on Windows that end at any moment, or meet files in use: old or new after the next command, exactly.

What a killed run leaves is kept before each of its effects, from a single run (as ``tests/killing.py`` does it); the small world is that of
``tests/torture``, with NumPy for Windows.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from tests.torture.fingerprint import Print, differences, fingerprint
from tests.torture.verdict import Known
from tests.torture.world import NEW, OLD, WINDOWS, World, build
from tests.windows import machine
from tests.windows.machine import winpy

pytestmark = [pytest.mark.real, pytest.mark.slow]

MANY = Path(__file__).with_name("many.py")
# Of so many moments of a run what it leaves is kept: the first and the last of each kind, and others between them.
MOMENTS = 25
KILLS, REFUSALS = 8, 3


@dataclass
class Stand:
    """The world on drive C, and one process there that answers commands; ``place`` holds the environment."""

    world: World
    process: subprocess.Popen[bytes]
    place: Path

    def say(self, said: str) -> None:
        """Hand one line over."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{said}\n".encode())
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Take one line."""
        stream: IO[bytes] | None = self.process.stdout
        assert stream is not None
        line = stream.readline()
        assert line, "it ended"
        found: dict[str, Any] = json.loads(line)
        return found

    def run(self, *argv: str, at: Callable[[dict[str, Any]], str] | None = None) -> dict[str, Any]:
        """Run a command; ``at`` is asked before each effect, and says with which error it is to fail ("": with none)."""
        self.say(json.dumps({"argv": list(argv), "paused": at is not None}))
        while "at" in (found := self.hear()):
            assert at is not None
            self.say(at(found))
        return found

    def print(self) -> Print:
        """What is there."""
        return fingerprint(self.place)

    def keep(self, name: str) -> Path:
        """Keep what is there now."""
        folder = self.world.root / "kept" / name
        folder.parent.mkdir(exist_ok=True)
        subprocess.run(["cp", "-al", self.place, folder], check=True)
        return folder

    def bring(self, folder: Path) -> None:
        """Make a copy of what was kept what is there."""
        subprocess.run(["rm", "-rf", self.place], check=True)
        subprocess.run(["cp", "-al", folder, self.place], check=True)


def on_c(path: Path) -> str:
    """The path as Windows has it."""
    return f"C:/{path.relative_to(machine.DRIVE).as_posix()}"


def variables(world: World) -> dict[str, str]:
    """The variables of all that runs there."""
    folders = {"TFSETUP_CACHE_DIR": world.tool_cache, "UV_CACHE_DIR": world.uv_cache, "TFSETUP_PROFILES": world.profiles}
    return {name: on_c(path) for name, path in {**folders, "UV_FIND_LINKS": world.wheels}.items()} | {
        "UV_OFFLINE": "1",
        "UV_LINK_MODE": "copy",
    }


def started(world: World) -> subprocess.Popen[bytes]:
    """Start what answers."""
    env = {**os.environ, "TFSETUP_WINE": str(machine.ROOT), "PYTHONDONTWRITEBYTECODE": "1", **variables(world)}
    argv = [sys.executable, str(machine.RIG / "winpy"), machine.PYTHON, MANY.name]
    return subprocess.Popen(argv, cwd=world.root, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture(scope="module")
def stand(work: Path) -> Iterator[Stand]:
    world = build(work / "killed", WINDOWS)
    shutil.copy(MANY, world.root / MANY.name)
    place = world.root / "place"
    (place / "work").mkdir(parents=True)
    process = started(world)
    stand = Stand(world, process, place)
    stand.keep("nothing")
    yield stand
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


@dataclass
class Struck:
    """A command on a base: what was there before and after it, and what it left at its moments."""

    known: Known
    moments: list[tuple[str, Path]] = field(default_factory=list)


@pytest.fixture(scope="module")
def rival(stand: Stand) -> Path:
    """A plain environment with another TensorFlow, and somebody's own files; what is kept of it."""
    stand.bring(stand.world.root / "kept" / "nothing")
    env = on_c(stand.place / "env")
    for argv in (
        ("venv", "-q", "-p", machine.PYTHON, env),
        ("pip", "install", "-q", "--no-deps", "-p", env, "tensorflow==2.19.0", "six==1.0", "protobuf==1.0", "numpy"),
    ):
        done = winpy("uv", *argv, cwd=stand.world.root, **variables(stand.world))
        assert done.code == 0, done.err
    (stand.place / "env" / "results.csv").write_text("1,2,3\n")
    (stand.place / "env" / "Lib" / "site-packages" / "tensorflow" / "mine.py").write_text("my own work")
    return stand.keep("rival")


def struck(stand: Stand, name: str, argv: tuple[str, ...]) -> Struck:
    """Run a command once, unhurt, and keep what is there before each of its effects."""
    old, kept = stand.print(), []

    def at(found: dict[str, Any]) -> str:
        kept.append((f"{found['effect']} {found['path'].rpartition('/place/')[2]}", stand.keep(f"{name}-{found['at']}")))
        return ""

    ended = stand.run(*argv, at=at)
    assert ended["code"] == 0, ended
    return Struck(Known("env", old, stand.print()), kept)


def telling(moments: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Choose among the moments: the first and the last of each kind of effect, then any."""
    kinds = [effect.split(" ")[0] + str(effect.count("/")) for effect, _ in moments]
    ends = {kinds.index(kind) for kind in kinds} | {len(kinds) - 1 - kinds[::-1].index(kind) for kind in kinds}
    rest = [number for number in range(len(moments)) if number not in ends]
    more = random.Random(18).sample(rest, max(0, min(len(rest), MOMENTS - len(ends))))
    return [moments[number] for number in sorted({*ends, *more})]


def check(stand: Stand, found: Struck, commands: tuple[tuple[str, ...], ...], wanted: tuple[str, ...]) -> None:
    """Go on from each moment by one of the commands, in turn; afterwards it is as that one promises."""
    chosen = telling(found.moments)
    assert len(chosen) >= min(MOMENTS, len(found.moments))
    for number, (effect, folder) in enumerate(chosen):
        stand.bring(folder)
        which = number % len(commands)
        ended = stand.run(*commands[which])
        state = found.known.state(stand.print()).removesuffix("+lock")
        promised = found.known.old if wanted[which].startswith("old") else found.known.new
        told = f"{effect}, then {commands[which][0]}: {ended}; {differences(promised, stand.print())}"
        assert state in wanted[which].split(" or "), told
        assert "a bug in tfsetup" not in ended["err"], told


def test_killed_at_any_moment_of_a_new_environment(stand: Stand) -> None:
    at = ("--yes", "--env", on_c(stand.place / "env"))
    apply = ("apply", *at, "-t", OLD)
    stand.bring(stand.world.root / "kept" / "nothing")
    found = struck(stand, "new", apply)
    undo = ("undo", *at)
    check(stand, found, (undo, undo, apply), ("old", "old", "new"))


def test_killed_at_any_moment_of_a_change_and_of_its_undo(stand: Stand, rival: Path) -> None:
    at = ("--yes", "--env", on_c(stand.place / "env"))
    stand.bring(rival)
    apply, undo = ("apply", *at, "-t", OLD), ("undo", *at)
    changing = struck(stand, "change", apply)
    after = stand.keep("changed")
    check(stand, changing, (undo, undo, undo, apply), ("old", "old", "old", "new"))
    stand.bring(after)
    undoing = struck(stand, "undo", undo)
    assert undoing.known.new == changing.known.old, differences(changing.known.old, undoing.known.new)
    # An undo that had moved nothing yet is taken back itself: the next one undoes.
    check(stand, undoing, (undo,), ("old or new",))


@pytest.mark.parametrize("error", ["5", "32"])
@pytest.mark.parametrize("lasting", [True, False], ids=["lasting", "for a moment"])
def test_a_move_that_windows_refuses(stand: Stand, rival: Path, error: str, lasting: bool) -> None:
    """For a moment, as by a scanner: it is tried again. For good: all is taken back, and said."""
    at = ("--yes", "--env", on_c(stand.place / "env"))
    stand.bring(rival)
    known, moves = stand.print(), 0

    def is_move(found: dict[str, Any]) -> bool:
        return found["effect"] in {"replace", "rename"} and "/place/env/" in found["path"]

    def count(found: dict[str, Any]) -> str:
        nonlocal moves
        moves += is_move(found)
        return ""

    assert stand.run("apply", *at, "-t", OLD, at=count)["code"] == 0
    for number in random.Random(int(error)).sample(range(1, moves + 1), REFUSALS):
        stand.bring(rival)
        seen, refused = 0, ("", "")

        def refuse(found: dict[str, Any], number: int = number) -> str:
            nonlocal seen, refused
            seen += is_move(found)
            mine = (found["effect"], found["path"])
            if seen == number and refused == ("", ""):
                refused = mine
                return error
            return error if lasting and mine == refused else ""

        ended = stand.run("apply", *at, "-t", OLD, at=refuse)
        told = (number, refused, ended, differences(known, stand.print()))
        assert "a bug in tfsetup" not in ended["err"], told
        assert ended["code"] == 0 or (lasting and Known("env", known, {}).state(stand.print())), told
        assert ended["code"] == 0 or "as it was" in ended["err"] or "nothing was changed" in ended["err"], told


def test_killed_for_real_nothing_of_it_goes_on(stand: Stand, rival: Path) -> None:
    """The process ends itself as another one would end it (TerminateProcess); installers and proofs end with its job, and its lock with it."""
    at = ("--yes", "--env", on_c(stand.place / "env"))
    stand.bring(rival)
    old = stand.print()
    began = time.monotonic()
    assert stand.run("apply", *at, "-t", NEW)["code"] == 0
    seconds, known = time.monotonic() - began, Known("env", old, stand.print())
    for number in range(KILLS):
        stand.bring(rival)
        process = started(stand.world)
        other = Stand(stand.world, process, stand.place)
        other.run("version")
        other.say(json.dumps({"argv": ["apply", *at, "-t", NEW], "dies_after": seconds * (number + 0.5) / KILLS}))
        process.wait(60)
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()
        ended = stand.run("undo", *at)
        state = known.state(stand.print()).removesuffix("+lock")
        assert state == "old", (number, ended, differences(old, stand.print()))


def test_what_a_program_has_loaded_is_named_before_the_first_move(stand: Stand) -> None:
    """As a notebook has it: wine does not tell which program it is, so the words are those for that case."""
    stand.bring(stand.world.root / "kept" / "nothing")
    at = ("--yes", "--env", on_c(stand.place / "env"))
    assert stand.run("apply", *at, "-t", OLD)["code"] == 0
    known = stand.print()
    python = stand.place / "env" / "Scripts" / "python.exe"
    argv = [sys.executable, str(machine.RIG / "winpy"), str(python), "-c", "import numpy; print('loaded', flush=True); input()"]
    env = {**os.environ, "TFSETUP_WINE": str(machine.ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(argv, cwd=stand.world.root, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as notebook:
        assert notebook.stdout is not None
        assert b"loaded" in notebook.stdout.readline()
        ended = stand.run("undo", *at)
        notebook.communicate(b"\n", timeout=60)
    assert ended["code"] == 1
    assert "in use, and Windows moves no file that is in use; nothing was changed" in ended["err"], ended
    assert "`tasklist /m " in ended["err"]
    assert stand.print() == known
    assert stand.run("undo", *at)["code"] == 0
    assert not (stand.place / "env").exists()
