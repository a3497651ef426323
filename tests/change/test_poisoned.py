"""What was written into an environment through a hard link is damaged in uv's cache, too: taken out of it, and brought anew, by the real uv."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change.execute import Executed, execute
from provisioner.change.poisoned import once_more
from provisioner.host.local import LocalHost
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from tests.support import SITE, make_lock, make_plan, make_wheel, snapshot, verification

GOOD = "GOOD = True\n"


class Heard(Silent):
    """What was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan whose one package lies in uv's cache, where somebody has written into it."""
    for name, value in {
        "UV_FIND_LINKS": tmp_path / "wheels",
        "UV_CACHE_DIR": tmp_path / "uv",
        "UV_LINK_MODE": "hardlink",
        "UV_NO_INDEX": 1,
    }.items():
        monkeypatch.setenv(name, str(value))
    host = LocalHost()
    lock = make_lock(make_wheel(tmp_path / "wheels", "tensorflow", "2.0", {"tensorflow/__init__.py": GOOD}))
    first = tmp_path / "first"
    assert execute(make_plan(host, first, lock), host, prove=lambda root: verification(root, passed=True), progress=Silent(), wait=0).kept
    (first / SITE / "tensorflow" / "__init__.py").write_text("half")
    return make_plan(host, tmp_path / "env", lock)


def tried(plan: Plan, heard: Heard) -> Executed:
    host = LocalHost()
    file = Path(plan.env.path, SITE, "tensorflow", "__init__.py")
    seen: list[str] = []

    def prove(root: str) -> Verification:
        seen.append(file.read_text())
        return verification(root, passed=seen[-1] == GOOD)

    def run() -> Executed:
        return execute(plan, host, prove=prove, progress=heard, wait=0)

    return once_more(plan, host, heard, run, lambda: frozenset({"tensorflow", "another"} if seen[-1] != GOOD else ()))


def test_it_is_taken_out_of_the_cache_and_fetched_anew(plan: Plan) -> None:
    heard = Heard()
    assert tried(plan, heard).kept
    assert Path(plan.env.path, SITE, "tensorflow", "__init__.py").read_text() == GOOD
    assert [note for note in heard.notes if "cache" in note] == [
        "uv's cache holds damaged files of tensorflow: they are taken out of it and fetched anew"
    ]


def test_without_the_network_nothing_is_taken_out_for_it_would_not_come_back(plan: Plan, tmp_path: Path) -> None:
    heard = Heard()
    before = snapshot(tmp_path / "uv")
    assert not tried(replace(plan, request=replace(plan.request, offline=True)), heard).kept
    assert before.keys() <= snapshot(tmp_path / "uv").keys()
    assert [note for note in heard.notes if "cache" in note] == [
        "uv's cache holds damaged files of tensorflow; with the network they would be fetched anew"
    ]


def test_whatever_else_fails_is_not_tried_again(plan: Plan) -> None:
    runs: list[int] = []

    def run() -> Executed:
        runs.append(1)
        return Executed(verification=verification(plan.env.path, passed=False), kept=False)

    assert not once_more(plan, LocalHost(), Heard(), run, lambda: frozenset({"another"})).kept
    assert runs == [1]
