"""From a choice to a plan: what stays, goes and comes; the seal; and when a saved plan still holds."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest

from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.errors import InputError, StalePlanError
from provisioner.model import codec
from provisioner.model.catalogue import Link, Lock, LockedFile, Proof
from provisioner.model.conda_package import CondaPackage, CondaPart, CondaRemoval, Present
from provisioner.model.facts import Interpreter, known
from provisioner.model.plan import Choice, Edit, EnvState, Plan
from provisioner.model.request import Request
from provisioner.plan import make as planning
from provisioner.plan.parts import PlanInputs
from provisioner.plan.saved import check_fresh, load_plan
from provisioner.plan.seal import CONDA_GROWTH, SCHEMA, seal
from tests.support import machine

VENV = EnvState(
    path="/e", kind="venv", digest="d", python="/e/bin/python", python_version="3.11.7", site_packages="lib/python3.11/site-packages"
)
ABSENT = EnvState(path="/e", kind="absent", digest="absent")
PYTHON = Interpreter(path="/usr/bin/python3.11", version="3.11.7", bits=64, architecture="x86_64", implementation="cpython", origin="path")
FACTS = replace(machine(), interpreters=known((PYTHON,), "t"))
LINK = Link(path="nvidia/lib/x.so", target="../y.so", reason="the loader does not look there")


def file(name: str, version: str, **changes: object) -> LockedFile:
    values = {"filename": f"{name}-{version}-py3-none-any.whl", "sha256": "a" * 64, "size": 10, "unpacked": 100, **changes}
    return LockedFile(name=name, version=version, **values)


LOCK = Lock(
    release="2.20.0", python="3.11", platform="linux-x86_64", device="cpu", glibc="2.17", digest="lock",
    files=(file("six", "2.0"), file("tensorflow", "2.20.0"), file("termcolor", "1.1.0", source=True)),
)  # fmt: skip
EVERYTHING = ("six==2.0", "tensorflow==2.20.0", "termcolor==1.1.0")


def site(*installed: str, state: EnvState = VENV, **changes: object) -> Site:
    pairs = [item.split("==") for item in installed]
    found = tuple(Installed(name=name, version=version, metadata=f"{name}-{version}.dist-info", recorded=True) for name, version in pairs)
    return Site(state=state, distributions=found, **{"leftovers": (), **changes})


def common(here: Site, **changes: object) -> PlanInputs:
    choice = Choice(
        release="2.20.0",
        python="3.11",
        interpreter=PYTHON,
        device="cpu",
        platform="linux-x86_64",
        reasons=("r",),
        refusals=(),
        warnings=(),
        gpus=(),
    )
    values = {
        "tool": "t", "made": "m", "machine": "x", "request": Request(env="/e"), "facts": FACTS, "choice": choice, "lock": LOCK,
        "proof": planning.proof_words(Proof(lock="lock", level="resolved")), "catalogue": "c", "cache": "/cache", "site": here,
    }  # fmt: skip
    return PlanInputs(**{**values, **changes})


def plan_of(here: Site, **changes: object) -> Plan:
    own = {field.name for field in dataclasses.fields(planning.ApplyInputs)} & set(changes)
    values = {"links": (), "linked": frozenset(), **{name: changes.pop(name) for name in own}}
    return planning.make_plan(planning.ApplyInputs(common=common(here, **changes), **values))


def make(*installed: str, links: tuple[Link, ...] = (), linked: tuple[str, ...] = (), **changes: object) -> Plan:
    return plan_of(site(*installed, **changes), links=links, linked=frozenset(linked))


def needed(plan: Plan) -> list[str]:
    return [step.kind for step in plan.steps if step.needed]


def going(plan: Plan) -> dict[str, str]:
    return {f"{item.name} {item.version}".strip(): item.reason for item in plan.removals}


def test_a_new_environment_gets_everything() -> None:
    plan = make(state=ABSENT)
    assert needed(plan) == ["create", "install", "verify", "receipt"]
    assert (plan.download, plan.disk, plan.unchanged, plan.removals) == (30, 300, {}, ())
    assert plan.expected == {"six": "2.0", "tensorflow": "2.20.0", "termcolor": "1.1.0"}
    assert plan.outside == ("downloads are kept in uv's cache, /cache",)
    assert "built from source, because there is no wheel that would do: termcolor" in plan.steps[2].reason
    assert plan.changes


def test_a_source_distribution_is_built_with_packages_of_the_set() -> None:
    lock = replace(LOCK, files=(*LOCK.files, file("setuptools", "41.0"), file("wheel", "0.33")))
    there = [f"{item.name}=={item.version}" for item in lock.files if item.name != "termcolor"]
    plan = plan_of(site(*there), lock=lock)
    assert [item.name for item in plan.packages] == ["termcolor"]
    assert [(item.name, item.version, item.sha256) for item in plan.builders] == [
        ("setuptools", "41.0", "a" * 64),
        ("wheel", "0.33", "a" * 64),
    ]
    assert plan_of(site(*there, "termcolor==1.1.0"), lock=lock).builders == ()


def test_one_that_is_as_planned_gets_nothing_and_each_step_says_why() -> None:
    plan = make(*EVERYTHING, "my-own==1.0")
    assert needed(plan) == []
    assert not plan.changes
    assert all(step.reason for step in plan.steps)
    assert (plan.removals, plan.packages, plan.outside) == ((), (), ())
    assert list(plan.unchanged) == ["six", "tensorflow", "termcolor"]


def test_another_version_is_replaced_and_the_rest_stays() -> None:
    plan = make("six==1.0", *EVERYTHING[1:], "my-own==1.0")
    assert going(plan) == {"six 1.0": "the known-good set has 2.0"}
    assert [item.name for item in plan.packages] == ["six"]
    assert needed(plan) == ["remove", "install", "verify", "receipt"]


@pytest.mark.parametrize("rival", ["tensorflow-cpu", "tf-nightly", "intel-tensorflow"])
def test_a_rival_goes_and_takes_tensorflow_with_it(rival: str) -> None:
    """Two distributions in one folder: neither's files can be trusted."""
    plan = make(*EVERYTHING, f"{rival}==2.19.0", shared=("s/tensorflow",))
    assert set(going(plan)) == {f"{rival} 2.19.0", "tensorflow 2.20.0", "TensorFlow's folder"}
    assert "owns the same folder" in going(plan)[f"{rival} 2.19.0"]
    assert "mixed" in going(plan)["tensorflow 2.20.0"]
    assert [item.name for item in plan.packages] == ["tensorflow"]


def test_a_name_that_stands_for_another_distribution_is_no_rival_of_it() -> None:
    """On Windows `tensorflow` 2.16 holds no file and requires tensorflow-intel; both are in the set when --with names the first."""
    lock = replace(LOCK, files=(*LOCK.files, file("tensorflow-intel", "2.20.0")))
    plan = plan_of(site(*EVERYTHING, "tensorflow-intel==2.20.0", shared=("s/tensorflow",)), lock=lock)
    assert not plan.changes
    plan = plan_of(site(*EVERYTHING, "tensorflow-intel==2.20.0", "tensorflow-cpu==2.20.0"), lock=lock)
    assert "the same folder as tensorflow and tensorflow-intel" in going(plan)["tensorflow-cpu 2.20.0"]
    assert {item.name for item in plan.packages} == {"tensorflow", "tensorflow-intel"}


def test_metadata_that_is_there_twice_is_not_trusted() -> None:
    plan = make(*EVERYTHING, "six==1.0")
    assert set(going(plan)) == {"six 1.0", "six 2.0"}
    assert "six" in {item.name for item in plan.packages}


def test_leftovers_go_and_tensorflow_is_installed_anew() -> None:
    plan = make(*EVERYTHING, leftovers=("s/~ensorflow",), shared=("s/tensorflow",))
    assert set(going(plan)) == {"leftovers", "tensorflow 2.20.0", "TensorFlow's folder"}
    assert next(item.paths for item in plan.removals if item.name == "leftovers") == ("s/~ensorflow",)


def test_links_that_are_there_stay_and_new_ones_are_a_change() -> None:
    assert needed(make(*EVERYTHING, links=(LINK,), linked=(LINK.path,))) == []
    plan = make(*EVERYTHING, links=(LINK,))
    assert needed(plan) == ["link", "verify", "receipt"]
    # When packages change, every link is made anew.
    assert make("six==1.0", links=(LINK,), linked=(LINK.path,)).links == (LINK,)


def test_folders_above_are_announced() -> None:
    plan = plan_of(site(state=ABSENT), parents=("/a", "/a/b"))
    assert plan.outside[:2] == ("the folder /a is made", "the folder /a/b is made")


def test_what_was_run_is_told() -> None:
    proof = Proof(lock="lock", level="run", date="2026-01-01", machine="a machine", checks=12, gpu="an A100")
    assert planning.proof_words(proof) == "run on 2026-01-01: installed and verified (12 checks) on a machine, on an A100"
    assert planning.proof_words(proof, beside="--with").endswith("on an A100; what --with adds was not part of that")
    assert make().proof.startswith("resolved, not run")


def test_what_was_run_under_an_emulator_alone_is_no_run_on_a_machine_and_what_failed_there_is_told() -> None:
    where = "Windows build 10.0.18362 as wine 8.0 gives it, on Linux"
    proof = Proof(lock="lock", level="emulated", date="2026-01-01", machine=where, checks=11, emulator="wine 8.0")
    told = f"run on 2026-01-01 under wine 8.0, on no real machine: installed and verified (11 checks) on {where}, without a GPU"
    assert planning.proof_words(proof) == told
    failed = Proof(lock="lock", level="resolved", date="2026-01-01", machine=where, fault="kernels: it ended by itself")
    assert planning.proof_words(failed) == f"resolved, not run: on {where} it failed on 2026-01-01: kernels: it ended by itself"


def test_the_same_inputs_give_the_same_plan_and_seal() -> None:
    assert make(*EVERYTHING) == make(*EVERYTHING)
    assert make().seal == seal(make())


def another(value: object) -> object:
    """Return something else that can be written down as well."""
    if isinstance(value, (str, tuple)):
        return value + value if value else ("x" if isinstance(value, str) else ("x",))
    if isinstance(value, int):
        return value + 1
    if value is None or isinstance(value, dict):
        return {"x": "y"}
    name = value.__slots__[0]
    return replace(value, **{name: another(getattr(value, name))})


def test_any_change_breaks_the_seal() -> None:
    plan = make("six==1.0", links=(LINK,))
    names = codec.to_data(plan).keys() - {"seal"}
    assert {"env", "choice", "packages", "conda"} <= names
    for name in names:
        assert seal(replace(plan, **{name: another(getattr(plan, name))})) != plan.seal, name


def saved(plan: Plan) -> str:
    return json.dumps(codec.document(SCHEMA, plan))


def test_a_saved_plan_is_the_same_plan() -> None:
    plan = make("six==1.0", links=(LINK,), leftovers=("s/~x",))
    assert load_plan(saved(plan), file="p") == plan


@pytest.mark.parametrize("change", [{"tool": "u"}, {"packages": ()}, {"env": replace(VENV, path="/f")}, {"seal": ""}])
def test_an_altered_one_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(StalePlanError, match="altered"):
        load_plan(saved(replace(make(), **change)), file="p")


def test_another_generation_is_refused_and_another_document_is_no_plan() -> None:
    with pytest.raises(StalePlanError, match="another generation"):
        load_plan('{"schema": "tfsetup/plan/9"}', file="p")
    with pytest.raises(InputError, match="not a `tfsetup/plan/1` document"):
        load_plan('{"schema": "tfsetup/facts/1"}', file="p")


def check(plan: Plan, *installed: str, **changes: object) -> None:
    facts = changes.pop("facts", FACTS)
    lock = changes.pop("lock", LOCK)
    links = changes.pop("links", ())
    check_fresh(plan, facts, site(*installed, **changes), lock, links)


def test_a_plan_that_still_holds() -> None:
    check(make("six==1.0"), "six==1.0")
    check(make(state=ABSENT), state=ABSENT)
    check(make(*EVERYTHING, links=(LINK,)), *EVERYTHING, links=(LINK,))


def test_facts_that_change_by_the_hour_do_not_make_a_plan_stale() -> None:
    facts = replace(FACTS, variables={"PATH": "/other"}, interpreters=known((PYTHON, replace(PYTHON, path="/other")), "t"))
    check(make(state=ABSENT), state=ABSENT, facts=facts)


GPU_HOST = replace(FACTS, cpu=replace(machine().cpu, features=known(("avx", "avx512f"), "t")))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"lock": None}, "catalogue has changed"),
        ({"lock": replace(LOCK, digest="other")}, "catalogue has changed"),
        ({"facts": GPU_HOST}, "another machine"),
        ({"facts": replace(FACTS, interpreters=known((), "t"))}, "not there any more"),
        ({"state": VENV}, "not what it was"),
        ({"state": replace(ABSENT, kind="empty")}, "not what it was"),
        ({"lock": replace(LOCK, files=LOCK.files[:1] + LOCK.files[1:2])}, "not what the environment needs"),
    ],
)
def test_a_plan_that_is_stale(changes: dict[str, object], told: str) -> None:
    with pytest.raises(StalePlanError, match=told):
        check(make(state=ABSENT), **{"state": ABSENT, **changes})


def test_leftovers_that_appeared_since_make_it_stale() -> None:
    with pytest.raises(StalePlanError, match="not what the environment needs"):
        check(make(*EVERYTHING), *EVERYTHING, leftovers=("s/~ensorflow",))


def test_a_link_that_the_catalogue_does_not_have_makes_it_stale() -> None:
    with pytest.raises(StalePlanError, match="catalogue has changed"):
        check(make(*EVERYTHING, links=(LINK,)), *EVERYTHING)


def test_packages_that_were_asked_for_are_the_plans_own() -> None:
    extra = replace(LOCK, files=(*LOCK.files, file("pandas", "2.0")))
    plan = plan_of(site(state=ABSENT), lock=extra, request=Request(env="/e", extra=("pandas",)))
    check(plan, state=ABSENT)


CONDA = EnvState(
    path="/e", kind="conda", digest="d", python="/e/bin/python", python_version="3.11.7", site_packages="lib/python3.11/site-packages"
)
PACKAGE = CondaPackage(
    name="python", version="3.11.7", build="h1_0", build_number=0, subdir="linux-64", filename="python-3.11.7-h1_0.conda", size=1000,
    url="https://packages.example/lab/linux-64/python-3.11.7-h1_0.conda", channel="https://packages.example/lab/", sha256="a" * 64,
)  # fmt: skip
PART = CondaPart(
    specs=("python 3.11.*",), virtual=("__unix=0=0",), channels=("https://packages.example/lab",), packages=(PACKAGE,), unchanged={},
    cache="/pkgs",
)  # fmt: skip
EDIT = Edit(path="bin/activate", reason="activation", text="x\n")


def make_conda(*installed: str, part: CondaPart = PART, state: EnvState = ABSENT, **changes: object) -> Plan:
    choice = replace(common(site()).choice, interpreter=None, road="wheels")
    values = {"choice": choice, "request": Request(env="/e", kind="conda"), "conda": part, "edits": (EDIT,), **changes}
    return plan_of(site(*installed, state=state), **values)


def test_a_new_conda_environment() -> None:
    plan = make_conda(registered=("a line in a list",))
    assert needed(plan) == ["create", "conda", "install", "write", "verify", "receipt"]
    assert plan.steps[0].title == "Make a conda environment with Python 3.11"
    assert plan.steps[1].reason == "they meet python 3.11.*"
    assert (plan.download, plan.disk) == (1030, 300 + CONDA_GROWTH * 1000)
    assert plan.outside == ("downloads are kept in uv's cache, /cache", "conda packages are kept in /pkgs", "a line in a list")


def test_one_that_is_as_planned_gets_nothing() -> None:
    part = replace(PART, packages=(), unchanged={"python": "3.11.7 h1_0"})
    plan = make_conda(*EVERYTHING, part=part, state=CONDA, written=frozenset({"bin/activate"}))
    assert (needed(plan), plan.edits, plan.outside) == ([], (), ())
    assert all(step.reason for step in plan.steps)


def test_conda_packages_that_only_leave_are_a_change() -> None:
    part = replace(PART, packages=(), unchanged={"python": "3.11.7 h1_0"}, removals=(CondaRemoval(identity="six-1-0", reason="r"),))
    assert "conda" in needed(make_conda(*EVERYTHING, part=part, state=CONDA, written=frozenset({"bin/activate"})))


def test_a_file_that_is_not_as_it_should_be_is_written() -> None:
    part = replace(PART, packages=(), unchanged={"python": "3.11.7 h1_0"})
    assert needed(make_conda(*EVERYTHING, part=part, state=CONDA)) == ["write", "verify", "receipt"]


def test_what_conda_holds_is_not_compared_as_wheels() -> None:
    """An older six of conda's own stays for conda to say of; a wheel's would be replaced."""
    plan = make_conda("six==1.0", *EVERYTHING[1:], state=CONDA, owned=frozenset({"six"}))
    assert (plan.removals, [item.name for item in plan.packages]) == ((), ["six"])


def test_a_saved_conda_plan_is_the_same_plan_and_may_not_be_another() -> None:
    plan = make_conda()
    assert load_plan(saved(plan), file="p") == plan
    for forged in (
        replace(plan, conda=None),
        replace(plan, request=Request(env="/e")),
        replace(plan, choice=replace(plan.choice, road="")),
    ):
        with pytest.raises(InputError) as caught:
            load_plan(saved(replace(forged, seal=seal(forged))), file="p")
        assert any(fault.startswith("conda: expected for a conda environment") for fault in caught.value.faults)


def test_all_faults_of_a_conda_half_at_once() -> None:
    package = replace(PACKAGE, name="..", sha256="", url="https://elsewhere.example/x.conda")
    plan = make_conda(part=replace(PART, packages=(package, package)), edits=(replace(EDIT, path="../x"),))
    with pytest.raises(InputError) as caught:
        load_plan(saved(plan), file="p")
    places = {fault.split(":")[0] for fault in caught.value.faults}
    assert places >= {
        "conda.packages[0].name", "conda.packages[0].filename", "conda.packages[1].sha256", "conda.packages[0].url", "conda.packages",
        "edits[0].path",
    }  # fmt: skip


def test_a_file_that_no_choice_writes_makes_a_plan_stale() -> None:
    plan = make_conda()
    check_fresh(plan, FACTS, site(state=ABSENT), LOCK, (), (EDIT,))
    with pytest.raises(StalePlanError, match="catalogue has changed"):
        check_fresh(plan, FACTS, site(state=ABSENT), LOCK, (), (replace(EDIT, text="y\n"),))


def test_a_distribution_that_conda_holds_is_not_taken_for_the_wheel_of_its_version() -> None:
    plan = make_conda(*EVERYTHING, state=replace(VENV, kind="conda"), owned=frozenset({"six"}))
    assert [package.name for package in plan.packages] == ["six"]
    assert sorted(plan.unchanged) == ["tensorflow", "termcolor"]
    assert plan.removals == ()


def test_the_distributions_of_packages_that_leave_count_as_those_of_conda_too() -> None:
    present = Present(packages=(PACKAGE,), owners={"six": "six", "own": "own"})
    assert present.distributions == {"six", "own"}
