"""The conda half of repair plans, from values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.model.conda_package import CondaPackage
from provisioner.model.finding import Repair
from provisioner.model.plan import EnvState
from provisioner.repair import conda_plans, doable
from provisioner.repair.model import CondaInputs
from tests.fixing import locked, rebuild, repair_inputs, smallest, whole
from tests.support import SITE, make_lock

ROOT = "/work/env"
THERE = ("cudnn-8.0-0", "numpy-1.19.5-0", "python-3.8.18-0", "tensorflow-2.4.1-0", "tensorflow-base-2.4.1-0")
LOCK = make_lock(locked("tensorflow", "2.4.4"), locked("numpy", "1.19.5"), locked("six", "1.15.0"), locked("pip", "21.3"))


def linkable(identity: str) -> CondaPackage:
    name, version, build = identity.rsplit("-", 2)
    return CondaPackage(
        name=name, version=version, build=build, build_number=0, subdir="linux-64", filename=f"{identity}.conda",
        url=f"file:///channel/linux-64/{identity}.conda", channel="", sha256="a" * 64, size=10,
    )  # fmt: skip


def info(name: str, version: str) -> Installed:
    return Installed(name=name, version=version, metadata=f"{SITE}/{name}-{version}.dist-info", recorded=True)


def site(*items: Installed) -> Site:
    state = EnvState(path=ROOT, kind="conda", digest="d", python=f"{ROOT}/bin/python", python_version="3.8.18", site_packages=SITE)
    return Site(state=state, distributions=items, leftovers=(), conda=THERE)


def conda(**changes: object) -> CondaInputs:
    values = {
        "source": "libraries", "there": THERE, "linkable": {name: linkable(name) for name in THERE},
        "own": {f"{SITE}/numpy-1.19.5.dist-info": "numpy-1.19.5-0"}, "depends": {"tensorflow-2.4.1-0": ("tensorflow-base 2.4.1 0",)},
        "specs": ("python 3.8.*",), "virtual": (), "channels": ("file:///channel",), "cache": "/cache",
    }  # fmt: skip
    return CondaInputs(**{**values, **changes})


def relink(name: str) -> Repair:
    return Repair(kind="relink", name=name, reason="damaged")


def restore(name: str, version: str = "") -> Repair:
    return Repair(kind="restore", name=name, version=version, reason="does not fit")


def remove(name: str, version: str = "") -> Repair:
    return Repair(kind="remove", name=name, version=version, reason="in the way")


def plan_of(here: Site, *repairs: Repair, **changes: object):
    known = conda(**changes)
    return smallest(repair_inputs(here, conda_plans.without_owned(LOCK, known, here), conda=known), repairs)


def parts(plan) -> tuple[list[str], list[str], list[str]]:
    return (
        [item.identity for item in plan.conda.packages],
        [item.identity for item in plan.conda.removals],
        [f"{item.name}=={item.version}" for item in plan.packages],
    )


def test_one_damaged_package_is_linked_anew_and_nothing_else() -> None:
    plan = plan_of(site(info("numpy", "1.19.5")), relink("cudnn-8.0-0"))
    assert parts(plan) == (["cudnn-8.0-0"], ["cudnn-8.0-0"], [])
    assert plan.conda.unchanged == {"numpy": "1.19.5 0", "python": "3.8.18 0", "tensorflow": "2.4.1 0", "tensorflow-base": "2.4.1 0"}
    assert [step.kind for step in plan.steps] == ["conda", "verify", "receipt"]
    assert plan.outside == ("conda packages are kept in /cache",)


@pytest.mark.parametrize(
    ("asked", "version", "source", "wanted"),
    [
        # conda's own is of the set's version: damaged, so it is linked anew.
        (restore("numpy", "1.19.5"), "1.19.5", "libraries", (["numpy-1.19.5-0"], ["numpy-1.19.5-0"], [])),
        (restore("numpy"), "1.19.5", "conda", (["numpy-1.19.5-0"], ["numpy-1.19.5-0"], [])),
        # The set's version is another one: the wheel comes, and conda's package makes room.
        (restore("numpy", "1.19.5"), "1.18.0", "libraries", ([], ["numpy-1.19.5-0"], ["numpy==1.19.5"])),
        (restore("numpy", "1.19.5"), "1.18.0", "conda", (["numpy-1.19.5-0"], ["numpy-1.19.5-0"], [])),
        (remove("numpy"), "1.19.5", "libraries", ([], ["numpy-1.19.5-0"], [])),
        (remove("numpy", "2.0"), "1.19.5", "libraries", ([], [], [])),
        (restore("six", "1.15.0"), "1.19.5", "libraries", ([], [], ["six==1.15.0"])),
    ],
)
def test_what_is_condas_is_mended_as_condas(asked: Repair, version: str, source: str, wanted) -> None:
    own = {f"{SITE}/numpy-{version}.dist-info": "numpy-1.19.5-0"}
    assert parts(plan_of(site(info("numpy", version)), asked, own=own, source=source)) == wanted


def test_the_tensorflow_of_conda_leaves_with_what_is_nothing_without_it() -> None:
    own = {f"{SITE}/tensorflow-2.4.1.dist-info": "tensorflow-base-2.4.1-0"}
    plan = plan_of(site(info("tensorflow", "2.4.1"), info("tensorflow-cpu", "2.4.4")), remove("tensorflow", "2.4.1"), own=own)
    assert [item.identity for item in plan.conda.removals] == ["tensorflow-2.4.1-0", "tensorflow-base-2.4.1-0"]


def test_another_interpreter_is_condas_own() -> None:
    plan = plan_of(site(), Repair(kind="interpreter", target="/usr/bin/python3", reason="gone"))
    assert parts(plan)[0] == ["python-3.8.18-0"]
    assert plan.edits == ()


def test_the_whole_set_links_everything_anew_and_leaves_condas_tools_alone() -> None:
    here = site(info("numpy", "1.19.5"), info("pip", "20.0"))
    known = conda(own={f"{SITE}/numpy-1.19.5.dist-info": "numpy-1.19.5-0", f"{SITE}/pip-20.0.dist-info": "pip-20.0-0"})
    lock = conda_plans.without_owned(LOCK, known, here)
    plan = whole(repair_inputs(here, lock, conda=known), ())
    assert parts(plan)[0] == sorted(THERE)
    assert parts(plan)[2] == ["tensorflow==2.4.4", "six==1.15.0"]


def test_made_anew_from_what_the_solver_found() -> None:
    found = (linkable("python-3.8.19-0"),)
    plan = rebuild(repair_inputs(site(), LOCK, conda=replace(conda(), solved=found)), (), ())
    assert [item.identity for item in plan.conda.packages] == ["python-3.8.19-0"]
    assert plan.conda.unchanged == {}
    assert {item.identity for item in plan.conda.removals} == set(THERE)


def test_what_cannot_be_had_again_is_named() -> None:
    left = doable.sort((relink("cudnn-8.0-0"), relink("nobody-1-0")), repair_inputs(site(), LOCK, conda=conda(linkable={}))).left
    assert left == (
        "cudnn-8.0-0 cannot be put back: nothing tells its address and its SHA-256",
        "the conda package nobody-1-0 is not there",
    )


def test_one_that_is_gone_comes_back() -> None:
    plan = plan_of(site(), relink("libgcc-9-0"), linkable={"libgcc-9-0": linkable("libgcc-9-0")})
    assert parts(plan) == (["libgcc-9-0"], [], [])
