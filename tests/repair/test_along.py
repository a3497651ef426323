"""What a repair would break comes along in a version that goes with it: resolved by real uv from tiny wheels, everything else as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.host.local import LocalHost
from provisioner.judge.markers import markers_of
from provisioner.model.catalogue import Lock
from provisioner.model.finding import Repair
from provisioner.model.plan import EnvState, Plan
from provisioner.repair import along
from provisioner.session import Session
from tests.fixing import repair_inputs, smallest, whole
from tests.lock.index import Index
from tests.support import PYTHON, make_lock

STATE = EnvState(
    path="/e",
    kind="venv",
    digest="",
    python="/e/bin/python",
    python_version=f"{PYTHON}.1",
    site_packages=f"lib/python{PYTHON}/site-packages",
)
NUMPY = (Repair(kind="restore", reason="it does not fit", name="numpy"),)
FRIEND = Installed(name="friend", version="2.0", requires=("numpy>=2",))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    for name in ("UV_OFFLINE", "UV_FIND_LINKS", "PIP_FIND_LINKS", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    found = Index(tmp_path / "index")
    monkeypatch.setenv("UV_DEFAULT_INDEX", found.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path / "cache"))
    yield found
    found.close()


def a_set(index: Index) -> Lock:
    index.add("numpy", "2.2.6")
    return make_lock(index.add("tensorflow-cpu", "2.10.1", "numpy>=1.20"), index.add("numpy", "1.23.5"))


def friends(index: Index, *older: str) -> None:
    index.add("friend", "2.0", "numpy>=2")
    for version in older:
        index.add("friend", version, "numpy>=1.20", "helper")
    index.add("helper", "1.0")


def mended(lock: Lock, *own: Installed, numpy: str = "2.2.6", make=smallest) -> Plan:
    """The plan that brings the set's NumPy, where these are installed besides."""
    installed = (Installed(name="tensorflow-cpu", version="2.10.1"), Installed(name="numpy", version=numpy), *own)
    site = Site(state=STATE, distributions=tuple(replace(item, metadata=f"{item.name}.dist-info") for item in installed), leftovers=())
    members = frozenset(file.name for file in lock.files)
    inputs = repair_inputs(site, lock, installed=installed, markers=markers_of(f"{PYTHON}.1"), members=members)
    return along.with_neighbours(Session(LocalHost()), inputs, lambda made_from: make(made_from, NUMPY))


def coming(plan: Plan) -> dict[str, str]:
    return {item.name: item.version for item in plan.packages}


def test_an_older_version_comes_with_what_that_needs_and_the_rest_stays(index: Index) -> None:
    lock = a_set(index)
    friends(index, "1.0")
    index.add("other", "9.0")
    plan = mended(lock, FRIEND, Installed(name="other", version="1.0", requires=("numpy",)))
    assert coming(plan) == {"numpy": "1.23.5", "friend": "1.0", "helper": "1.0"}
    assert [(item.name, item.fate) for item in plan.neighbours] == [("friend", "resolved"), ("other", "whole")]
    assert (plan.breaking, plan.ways) == ((), ())
    assert [(item.name, item.reason) for item in plan.removals if item.name == "friend"] == [("friend", "1.0 goes with the set")]


def test_so_it_does_where_the_whole_set_comes(index: Index) -> None:
    lock = a_set(index)
    friends(index, "1.0")
    assert coming(mended(lock, FRIEND, make=whole)) == {"tensorflow-cpu": "2.10.1", "numpy": "1.23.5", "friend": "1.0", "helper": "1.0"}


def test_what_goes_with_it_in_no_version_breaks_and_the_ways_around_it_are_told(index: Index) -> None:
    lock = a_set(index)
    friends(index)
    plan = mended(lock, FRIEND)
    assert (coming(plan), plan.breaking) == ({"numpy": "1.23.5"}, ("friend",))
    assert "--keep" in plan.ways[0].command


def test_what_lacked_something_of_a_package_that_changes_is_made_whole_with_it(index: Index) -> None:
    """NumPy 1.21 beside a friend that asks for 2: the set's own 1.23 alone would leave it as it was, and the repair would be taken back."""
    lock = a_set(index)
    friends(index, "1.0")
    stranger = Installed(name="stranger", version="1.0", requires=("elsewhere>=3",))
    plan = mended(lock, FRIEND, stranger, numpy="1.21.6")
    assert coming(plan) == {"numpy": "1.23.5", "friend": "1.0", "helper": "1.0"}
    assert [(item.name, item.fate) for item in plan.neighbours] == [("friend", "resolved"), ("stranger", "was broken")]


def test_what_comes_takes_along_what_it_does_not_go_with(index: Index) -> None:
    lock = a_set(index)
    index.add("friend", "1.0", "numpy>=1.20", "helper<2", "other")
    for version in ("1.0", "2.0"):
        index.add("helper", version)
    index.add("other", "9.0")
    plan = mended(lock, FRIEND, Installed(name="helper", version="2.0"), Installed(name="other", version="8.0"))
    assert coming(plan) == {"numpy": "1.23.5", "friend": "1.0", "helper": "1.0"}
    assert [(item.name, item.fate) for item in plan.neighbours] == [("friend", "resolved"), ("helper", "resolved"), ("other", "whole")]


def test_nothing_is_asked_where_nothing_breaks(index: Index) -> None:
    lock = a_set(index)
    assert coming(mended(lock, Installed(name="other", version="1.0", requires=("numpy",)))) == {"numpy": "1.23.5"}
    assert index.seen == []
