"""Whoever only looks holds no lock: whatever another run does between two looks, it is that run that is named, and never taken for a fault."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from provisioner.base.progress import Silent
from provisioner.change.execute import execute
from provisioner.change.standing import interrupted
from provisioner.environment.workspace import Workspace
from provisioner.errors import AT_WORK
from provisioner.host.local import LocalHost
from provisioner.host.reading import LocalReader
from tests.change.test_failing import first, lock
from tests.cli.conftest import inside, shared, tiny, variables, work
from tests.cli.support import Ended, Inside
from tests.repair.test_attempts import by_import
from tests.support import DyingHost, Killed, make_plan, verification

__all__ = ["first", "inside", "lock", "shared", "tiny", "variables", "work"]
pytestmark = pytest.mark.slow

LOOKS = ("exists", "entry", "list", "read_text", "read_bytes", "glob", "real", "stamp", "walk")
# Of the effects of a run, after which part its state is taken: it has begun, it moves, all is in and not proven.
MOMENTS = (0.2, 0.55, 0.9)
COMMANDS = {
    "plan": ("plan", "--tensorflow", "2.20"),
    "apply": ("apply", "--tensorflow", "2.20", "--yes", "--wait", "30"),
    "verify": ("verify",),
    "doctor": ("doctor", "--no-import"),
    "undo": ("undo", "--dry-run"),
    "status": ("status",),
}
# From which state to which it comes between two looks: 0 is before it has begun, 4 when all is done.
STEPS = [*(("existing", step) for step in ((0, 1), (0, 3), (2, 3), (1, 4), (3, 4))), *(("new", step) for step in ((0, 3), (1, 4)))]
# Each so many looks are tried; others at each step.
STRIDE = {"plan": 5, "apply": 29, "verify": 23, "doctor": 101, "undo": 3, "status": 3}


class Other:
    """The other run: the states that it goes through, as copies of a folder, and the lock that it holds meanwhile."""

    def __init__(self, place: Path, states: list[Path]) -> None:
        self.place, self.states, self._held = place, states, ExitStack()

    def stands(self, number: int) -> None:
        """Put its state there; it is at work at all but the first and the last."""
        self._held.close()
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.states[number], self.place, symlinks=True)
        if 0 < number < len(self.states) - 1:
            self._held.enter_context(LocalHost().lock(Workspace(root=str(self.place / "env")).beside_lock, wait=0, passing=True))

    def comes_to(self, number: int) -> None:
        """Bring its state there, where nobody else holds the lock: it could not do so either."""
        held = self._held.pop_all()
        held.close()
        try:
            with LocalHost().lock(Workspace(root=str(self.place / "env")).beside_lock, wait=0, passing=True):
                pass
        except BlockingIOError:
            return
        self.stands(number)

    def ends(self, *_seconds: float) -> None:
        """It has done its work."""
        self.stands(len(self.states) - 1)


@pytest.fixture
def other(request: pytest.FixtureRequest, tmp_path: Path, lock, first: Path, work: Path) -> Iterator[Other]:
    place = tmp_path / "place"

    def state(at: int) -> tuple[Path, int]:
        """Have a run killed before an effect; a copy of what there is then, and how many effects there were."""
        shutil.rmtree(place, ignore_errors=True)
        if request.param == "existing":
            shutil.copytree(first, place / "env", symlinks=True)
        else:
            (place / "env").mkdir(parents=True)
        host = DyingHost(dies_at=at)
        with suppress(Killed):
            execute(make_plan(LocalHost(), place / "env", lock), host, prove=proven, progress=Silent(), wait=0)
        shutil.copytree(place, tmp_path / f"state {at}", symlinks=True)
        return tmp_path / f"state {at}", host.effects

    done, effects = state(10**6)
    states = [state(1)[0], *(state(int(effects * part))[0] for part in MOMENTS), done]
    assert all(interrupted(LocalHost(), Workspace(root=str(place / "env"))) for place in states[1:-1])
    shutil.rmtree(place)
    made = Other(place, states)
    yield made
    made._held.close()


def proven(root: str):
    return verification(root, passed=True)


@pytest.fixture
def before_look(monkeypatch: pytest.MonkeyPatch):
    """Have something done before the look with a number at a place or beside it; the number of looks is returned when it is asked again."""
    state = {"count": 0, "at": 0, "place": "", "do": lambda: None}

    def wrap(name: str) -> None:
        real = getattr(LocalReader, name)

        @functools.wraps(real)
        def look(self, path, *args, **options):
            if state["place"] and str(path).startswith(state["place"]):
                state["count"] += 1
                if state["count"] == state["at"]:
                    place, state["place"] = state["place"], ""
                    state["do"]()
                    state["place"] = place
            return real(self, path, *args, **options)

        monkeypatch.setattr(LocalReader, name, look)

    for name in LOOKS:
        wrap(name)

    def ask(at: int, place: Path, do) -> dict:
        state.update(count=0, at=at, place=str(place), do=do)
        return state

    return ask


@pytest.mark.parametrize(("other", "step"), STEPS, indirect=["other"], ids=str)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_another_run_does_between_two_looks(
    inside: Inside, tiny: dict[str, str], other: Other, before_look, monkeypatch: pytest.MonkeyPatch, command: str, step: tuple[int, int]
) -> None:
    monkeypatch.setattr("provisioner.commands.apply.judge_plan", lambda session, root, plan, progress: by_import(root))
    ask = functools.partial(inside, *COMMANDS[command], "--env", str(other.place / "env"), **tiny)
    # Whoever waits sleeps meanwhile, and the other run ends.
    if command == "apply":
        monkeypatch.setattr("provisioner.host.local.time", SimpleNamespace(monotonic=time.monotonic, sleep=other.ends))
    start, end = step
    told = [alone(ask, other, number) for number in {start, end} & {0, 4}]
    at = 1 - STRIDE[command] + sum(step) % STRIDE[command]
    while True:
        at += STRIDE[command]
        other.stands(start)
        state = before_look(at, other.place, lambda: other.comes_to(end))
        ended = ask()
        looks, state["place"] = state["count"], ""
        where = f"look {at}: {ended}"
        assert "interrupted" not in ended.out + ended.err, where
        if AT_WORK in ended.out + ended.err:
            assert command != "apply", where
        else:
            assert ended.code in {it.code for it in told} | ({0} if command == "apply" else set()), where
        if looks < at:
            break


def alone(ask, other: Other, number: int) -> Ended:
    """How the command ends where nobody else is at work."""
    other.stands(number)
    return ask()
