"""Room and rights: what is needed, summed by file system, and what is a reason to refuse. Real ones: ``tests/cli/test_room.py``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.change import preflight
from provisioner.change.preflight import check, judge
from provisioner.change.room import Situation, Volume, needs_of, rooms_of
from provisioner.engines import uv_cache
from provisioner.environment.read import Site
from provisioner.errors import OperationError
from provisioner.host import Space, passing
from provisioner.host.local import LocalHost
from provisioner.model.plan import Package, Plan
from provisioner.model.preflight import Need, Obstacle, Preflight, Room
from tests.support import FixedHost, make_lock, make_plan, make_wheel

GB = 1_000_000_000
BIG = Package(name="tensorflow-cpu", version="2.0", filename="t.whl", sha256="a" * 64, size=GB // 3, unpacked=GB)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    made = make_plan(
        LocalHost(), tmp_path / "env", make_lock(make_wheel(tmp_path, "tensorflow-cpu", "2.0", {"tensorflow/__init__.py": ""}))
    )
    return replace(made, packages=(BIG,))


def total(needs: tuple[Need, ...], folder: str) -> float:
    return round(sum(need.size for need in needs if need.folder == folder) / GB, 2)


@pytest.mark.parametrize(
    ("cached", "copied", "in_cache", "in_env"),
    [
        (False, True, 1.05, 1.07),
        (False, False, 1.05, 0.02),
        (True, False, 0, 0.02),
        (True, True, 0, 1.07),
        # Where nobody can tell, the most is told.
        (False, None, 1.05, 1.07),
    ],
)
def test_what_is_linked_or_in_the_cache_costs_nothing(
    plan: Plan, cached: bool, copied: bool | None, in_cache: float, in_env: float
) -> None:
    needs = needs_of(plan, Situation(cache="/cache", cached=frozenset({BIG.name} if cached else ()), copied=copied))
    assert (total(needs, "/cache"), total(needs, plan.env.path)) == (in_cache, in_env)


def test_old_files_cost_nothing_but_on_an_overlay(plan: Plan) -> None:
    needs = needs_of(plan, Situation(cache="/cache", cached=frozenset({BIG.name}), copied=False, old=GB))
    assert total(needs, plan.env.path) == 1.02
    assert any("kept for undo" in need.purpose for need in needs)


def volume(device: str, free: int, files: int = 10**6, kind: str = "ext4") -> Volume:
    return Volume(folder="/disk", device=device, filesystem=kind, free=free, files=files)


def judged(plan: Plan, env: Volume, cache: Volume, *, copied: bool | None = True) -> Preflight:
    needs = needs_of(plan, Situation(cache="/cache", cached=frozenset(), copied=copied))
    return judge(rooms_of(needs, {plan.env.path: env, "/cache": cache}), ())


@pytest.mark.parametrize(
    ("env", "cache", "refused", "warned"),
    [
        (volume("1", 3 * GB), volume("1", 3 * GB), 0, 0),
        # Each alone would do; together they do not.
        (volume("1", 3 * GB // 2), volume("1", 3 * GB // 2), 1, 0),
        (volume("1", 3 * GB // 2), volume("2", 3 * GB // 2), 0, 0),
        (volume("1", GB // 2), volume("2", GB // 2), 2, 0),
        # For sure 2 GB, at most 2.1 GB.
        (volume("1", 21 * GB // 10), volume("1", 21 * GB // 10), 0, 1),
        # What compresses may hold it all the same.
        (volume("1", GB, kind="btrfs"), volume("1", GB, kind="btrfs"), 0, 1),
        (volume("1", 3 * GB, 1000), volume("2", 3 * GB), 1, 0),
        (volume("1", 3 * GB, 10000), volume("2", 3 * GB), 0, 1),
        # A file system that counts no inodes.
        (volume("1", 3 * GB, -1), volume("1", 3 * GB, -1), 0, 0),
    ],
)
def test_only_what_is_sure_refuses(plan: Plan, env: Volume, cache: Volume, refused: int, warned: int) -> None:
    found = judged(plan, env, cache)
    assert (len(found.obstacles), len(found.warnings)) == (refused, warned)
    assert all(item.cause == "disk-full" and item.hint for item in found.obstacles)


def test_whether_files_are_copied_is_sure_or_no_reason(plan: Plan) -> None:
    small = volume("1", GB // 2)
    assert judged(plan, small, volume("2", 2 * GB), copied=True).obstacles
    found = judged(plan, small, volume("2", 2 * GB), copied=None)
    assert not found.obstacles
    assert found.warnings


def test_all_that_is_in_the_way_is_told_at_once() -> None:
    first, second = (
        Obstacle(cause=cause, place=f"/{cause}", message=f"no {cause}", hint=f"mend {cause}") for cause in ("disk-full", "other")
    )
    check(Preflight())
    with pytest.raises(OperationError, match="nothing was downloaded or changed") as caught:
        check(Preflight(obstacles=(first, second)))
    assert (caught.value.place, caught.value.cause, caught.value.hint) == ("/disk-full", "disk-full", "mend disk-full")
    assert caught.value.faults == ("/other: no other; mend other",)


def test_a_plan_that_changes_nothing_is_not_looked_at(plan: Plan) -> None:
    still = replace(plan, steps=(), packages=())
    nothing = Site(state=still.env, distributions=(), leftovers=())
    assert preflight.look(LocalHost(), still, nothing) == Preflight()


def test_what_lies_in_the_cache_is_told_by_name_and_version(tmp_path: Path) -> None:
    for path in (
        "wheels-v8/pypi/a/1.0-py3-none-any.http",
        "wheels-v8/index/1f/b/2.0-py3-none-any.http",
        "wheels-v8/pypi/c/1.0-py3-none-any.lock",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    def package(name: str, version: str) -> Package:
        return Package(name=name, version=version, filename="", sha256="", size=0, unpacked=0)

    asked = [package("a", "1.0"), package("b", "2.0"), package("b", "2"), package("c", "1.0"), package("d", "1.0")]
    assert uv_cache.in_cache(LocalHost(), str(tmp_path), asked) == {"a", "b"}
    assert uv_cache.in_cache(LocalHost(), str(tmp_path), [package("a", "1.1"), package("c", "1.0")]) == frozenset()
    assert uv_cache.in_cache(LocalHost(), str(tmp_path / "no-such"), asked) == frozenset()


@pytest.mark.parametrize(
    ("mode", "links", "copied"), [("", True, False), ("", False, True), ("", None, None), ("copy", True, True), ("symlink", False, False)]
)
def test_how_files_come_out_of_the_cache(mode: str, links: bool | None, copied: bool | None) -> None:
    assert uv_cache.copies(FixedHost({"UV_LINK_MODE": mode} if mode else {}), hard_links=links) is copied


class Full(FixedHost):
    """Everything is full, but for one folder."""

    def __init__(self, env: dict[str, str], free: str = "") -> None:
        super().__init__(env)
        self._free = free

    def space(self, path: str) -> Space:
        room = 1 << 30 if path == self._free else 0
        return Space(free=room, inodes=10**6, device=1, filesystem="")


def test_the_first_folder_that_will_do_is_taken(tmp_path: Path) -> None:
    assert passing.folder_for(FixedHost({"TMPDIR": str(tmp_path)})) == str(tmp_path)
    (tmp_path / "file").touch()
    found = passing.look(FixedHost({"TMPDIR": str(tmp_path / "file"), "TEMP": str(tmp_path)}))
    assert found.folder == str(tmp_path)
    assert found.passed_over == (f"TMPDIR is {tmp_path / 'file'}, which is no folder",)
    assert passing.look(Full({"TMPDIR": str(tmp_path)}, free="/tmp")).folder == "/tmp"


def test_where_none_will_do_it_says_why() -> None:
    with pytest.raises(OperationError, match="there is no folder for what is passing") as caught:
        passing.folder_for(Full({"TMPDIR": "/no/such"}))
    assert "TMPDIR is /no/such, which is not there; /tmp, which has no room" in caught.value.message
    assert caught.value.cause == "disk-full"
    assert "TMPDIR" in caught.value.hint


def test_needs_and_rooms_are_in_numbers(plan: Plan) -> None:
    (room,) = judged(plan, volume("1", 3 * GB), volume("1", 3 * GB)).rooms
    assert isinstance(room, Room)
    assert room.size == sum(need.size for need in room.needs)
    assert room.files == sum(need.files for need in room.needs) > 15000
