"""A repair keeps what else is installed whole: NumPy comes in the version that both TensorFlow and Matplotlib are content with."""

from __future__ import annotations

from dataclasses import replace

from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.host.local import LocalHost
from provisioner.judge.markers import markers_of
from provisioner.model.finding import Repair
from provisioner.model.plan import EnvState, Moved
from provisioner.repair import beside
from provisioner.session import Session
from tests.fixing import repair_inputs, smallest, whole

SESSION = Session(LocalHost())
LOCK = SESSION.catalogue.lock("2.9.1", "3.10", "linux-x86_64", "cpu")
PINS = {file.name: file.version for file in LOCK.files}
STATE = EnvState(
    path="/e", kind="venv", digest="", python="/e/bin/python", python_version="3.10.13", site_packages="lib/python3.10/site-packages"
)


def inputs(*own: Installed, numpy: str = "2.0.2"):
    there = {**PINS, "numpy": numpy}
    installed = (*(Installed(name=name, version=version) for name, version in there.items()), *own)
    found = tuple(Installed(name=item.name, version=item.version, metadata=f"{item.name}.dist-info") for item in installed)
    made = repair_inputs(
        Site(state=STATE, distributions=found, leftovers=()),
        LOCK,
        installed=installed,
        markers=markers_of("3.10.13"),
        members=frozenset(PINS),
    )
    choice = replace(made.common.choice, release="2.9.1", python="3.10")
    return replace(made, common=replace(made.common, choice=choice))


MATPLOTLIB = Installed(name="matplotlib", version="3.9.4", requires=("numpy>=1.23",))
NUMPY = (Repair(kind="restore", reason="it does not fit", name="numpy"),)


def test_the_pin_is_taken_where_nobody_minds() -> None:
    made_from = inputs(Installed(name="mine", version="1.0", requires=("numpy",)))
    assert beside.settled(SESSION, made_from, {"numpy"}) == made_from


def test_numpy_comes_in_a_version_that_both_are_content_with() -> None:
    assert PINS["numpy"].startswith("1.22")
    plan = smallest(beside.settled(SESSION, inputs(MATPLOTLIB), {"numpy"}), NUMPY)
    (package,) = plan.packages
    assert (package.name, package.version) == ("numpy", "1.23.3")
    assert len(package.sha256) == 64
    assert [(item.name, item.pin, item.keeps) for item in plan.moved] == [("numpy", PINS["numpy"], ("matplotlib",))]
    assert f"this very set was not run: it has numpy 1.23.3 in place of {PINS['numpy']}" in plan.proof
    assert [item.fate for item in plan.neighbours] == ["whole"]
    assert plan.conflicts == ()


def test_what_moves_twice_is_told_once_and_by_the_sets_own_version() -> None:
    """An add-on makes room first, and then the user's own packages: said twice over, with a pin that no set has."""
    made_from = beside.settled(SESSION, inputs(MATPLOTLIB), {"numpy"})
    again = made_from.with_moved(made_from.lock, (Moved(name="numpy", pin="1.23.3", version="1.24.3", keeps=("an-addon",)),))
    assert again.common.moved == (Moved(name="numpy", pin=PINS["numpy"], version="1.24.3", keeps=("an-addon", "matplotlib")),)
    assert smallest(again, NUMPY).proof.count("this very set was not run") == 1
    back = again.with_moved(made_from.lock, (Moved(name="numpy", pin="1.24.3", version=PINS["numpy"], keeps=("mine",)),))
    assert back.common.moved == ()


def test_the_whole_set_gives_way_in_the_same_way() -> None:
    made_from = inputs(MATPLOTLIB)
    plan = whole(beside.settled(SESSION, made_from, made_from.locked), NUMPY)
    assert {item.name: item.version for item in plan.packages}["numpy"] == "1.23.3"


def test_what_no_version_meets_breaks_and_the_ways_around_it_are_told() -> None:
    made_from = beside.settled(SESSION, inputs(Installed(name="new", version="1.0", requires=("numpy>=2",))), {"numpy"})
    plan = beside.with_ways(SESSION, made_from, lambda found: smallest(found, NUMPY))
    assert plan.breaking == ("new",)
    commands = [way.command for way in plan.ways]
    assert commands[0] == "tfsetup apply --tensorflow 2.9.1 --env /e --keep"
    assert commands[-1].startswith("tfsetup apply --tensorflow 2.9.1 --python 3.10")
