"""What a repair would break comes along in a version that goes with it: resolved by real uv from tiny wheels, everything else as it is."""

from __future__ import annotations

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
from tests.support import PYTHON, make_lock, make_wheel, only_from

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
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    only_from(monkeypatch, folder, tmp_path / "uv")
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def a_set(index: Path) -> Lock:
    make_wheel(index, "numpy", "2.2.6", {"numpy.py": ""})
    own = make_wheel(index, "tensorflow-cpu", "2.10.1", {"tensorflow/__init__.py": ""}, requires=("numpy>=1.20",))
    return make_lock(own, make_wheel(index, "numpy", "1.23.5", {"numpy.py": ""}))


def friends(index: Path, *older: str) -> None:
    make_wheel(index, "friend", "2.0", {"friend.py": ""}, requires=("numpy>=2",))
    for version in older:
        make_wheel(index, "friend", version, {"friend.py": ""}, requires=("numpy>=1.20", "helper"))
    make_wheel(index, "helper", "1.0", {"helper.py": ""})


def mended(lock: Lock, *own: Installed, numpy: str = "2.2.6", make=smallest) -> Plan:
    """The plan that brings the set's NumPy, where these are installed besides."""
    installed = (Installed(name="tensorflow-cpu", version="2.10.1"), Installed(name="numpy", version=numpy), *own)
    site = Site(state=STATE, distributions=tuple(replace(item, metadata=f"{item.name}.dist-info") for item in installed), leftovers=())
    members = frozenset(file.name for file in lock.files)
    inputs = repair_inputs(site, lock, installed=installed, markers=markers_of(f"{PYTHON}.1"), members=members)
    return along.with_neighbours(Session(LocalHost()), inputs, lambda made_from: make(made_from, NUMPY))


def coming(plan: Plan) -> dict[str, str]:
    return {item.name: item.version for item in plan.packages}


def test_an_older_version_comes_with_what_that_needs_and_the_rest_stays(index: Path) -> None:
    lock = a_set(index)
    friends(index, "1.0")
    make_wheel(index, "other", "9.0", {"other.py": ""})
    plan = mended(lock, FRIEND, Installed(name="other", version="1.0", requires=("numpy",)))
    assert coming(plan) == {"numpy": "1.23.5", "friend": "1.0", "helper": "1.0"}
    assert [(item.name, item.fate) for item in plan.neighbours] == [("friend", "resolved"), ("other", "whole")]
    assert (plan.breaking, plan.ways) == ((), ())
    assert [(item.name, item.reason) for item in plan.removals if item.name == "friend"] == [("friend", "1.0 goes with the set")]


def test_so_it_does_where_the_whole_set_comes(index: Path) -> None:
    lock = a_set(index)
    friends(index, "1.0")
    assert coming(mended(lock, FRIEND, make=whole)) == {"tensorflow-cpu": "2.10.1", "numpy": "1.23.5", "friend": "1.0", "helper": "1.0"}


def test_what_goes_with_it_in_no_version_breaks_and_the_ways_around_it_are_told(index: Path) -> None:
    lock = a_set(index)
    friends(index)
    plan = mended(lock, FRIEND)
    assert (coming(plan), plan.breaking) == ({"numpy": "1.23.5"}, ("friend",))
    assert "--keep" in plan.ways[0].command


def test_what_lacked_something_of_a_package_that_changes_is_made_whole_with_it(index: Path) -> None:
    """NumPy 1.21 beside a friend that asks for 2: the set's own 1.23 alone would leave it as it was, and the repair would be taken back."""
    lock = a_set(index)
    friends(index, "1.0")
    stranger = Installed(name="stranger", version="1.0", requires=("elsewhere>=3",))
    plan = mended(lock, FRIEND, stranger, numpy="1.21.6")
    assert coming(plan) == {"numpy": "1.23.5", "friend": "1.0", "helper": "1.0"}
    assert [(item.name, item.fate) for item in plan.neighbours] == [("friend", "resolved"), ("stranger", "was broken")]


def test_nothing_is_asked_where_nothing_breaks(index: Path) -> None:
    lock = a_set(index)
    assert coming(mended(lock, Installed(name="other", version="1.0", requires=("numpy",)))) == {"numpy": "1.23.5"}
    assert not list(index.parent.glob("cache/*"))
