"""From findings to plans, without an environment: what is done, in which order of size, and what becomes of the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.diagnose.judgement import Judgement
from provisioner.diagnose.rank import ranked
from provisioner.environment.distributions import Installed
from provisioner.environment.read import Site
from provisioner.model.finding import Check, Evidence, Finding, Repair, Verification
from provisioner.model.mark import Mark
from provisioner.model.plan import EnvState
from provisioner.plan.seal import seal
from provisioner.repair import doable
from tests.choose.values import shipped_order
from tests.fixing import VERSION, finding, locked, rebuild, repair_inputs, smallest, whole
from tests.support import PYTHON, SITE, make_lock, verification

ROOT = "/work/env"


def site(*names: str, leftovers: tuple[str, ...] = (), version: str = VERSION, packages: str = SITE) -> Site:
    distributions = tuple(
        Installed(name=name, version=number, metadata=f"{SITE}/{name}-{number}.dist-info", recorded=True)
        for name, number in (text.split("==") for text in names)
    )
    state = EnvState(path=ROOT, kind="venv", digest="d", python=f"{ROOT}/bin/python", python_version=version, site_packages=packages)
    shared = (f"{SITE}/tensorflow",) if any(item.name.startswith("tensorflow") for item in distributions) else ()
    return Site(state=state, distributions=distributions, leftovers=leftovers, shared=shared)


LOCK = make_lock(locked("tensorflow", "2.15.1"), locked("numpy", "1.26.4"), locked("six", "1.16.0"))
WHOLE = ("tensorflow==2.15.1", "numpy==1.26.4", "six==1.16.0")


def restore(name: str, version: str = "") -> Repair:
    return Repair(kind="restore", name=name, version=version, reason=f"{name} does not fit")


def remove(name: str, version: str = "") -> Repair:
    return Repair(kind="remove", name=name, version=version, reason=f"{name} is in the way")


def installed(name: str, version: str, *requires: str) -> Installed:
    return Installed(name=name, version=version, metadata="", site="", requires=requires)


def order(findings, inputs, *, answers: bool):
    return doable.order_of(findings, inputs, doable.sort(doable.repairs_of(findings), inputs).doable, answers=answers)


def names(plan) -> list[str]:
    return [f"{item.name}=={item.version}" for item in plan.packages]


def going(plan) -> list[str]:
    return [f"{item.name}=={item.version}" for item in plan.removals]


def test_one_version_that_does_not_fit_is_one_package() -> None:
    plan = smallest(repair_inputs(site("tensorflow==2.15.1", "numpy==2.1.0", "six==1.17.0", "pandas==2.2.0"), LOCK), (restore("NumPy"),))
    assert names(plan) == ["numpy==1.26.4"]
    assert going(plan) == ["numpy==2.1.0"]
    assert plan.expected == {"numpy": "1.26.4", "tensorflow": "2.15.1"}, "a version that is healthy need not be the lock's"
    assert plan.kind == "repair"
    assert plan.seal == seal(plan)
    assert [step.kind for step in plan.steps] == ["remove", "install", "verify", "receipt"]


def test_both_of_two_metadata_folders_go_and_one_comes() -> None:
    plan = smallest(repair_inputs(site(*WHOLE, "six==1.15.0"), LOCK), (remove("six", "1.15.0"),))
    assert names(plan) == ["six==1.16.0"]
    assert going(plan) == ["six==1.15.0", "six==1.16.0"]


def test_what_is_not_of_the_set_comes_with_what_it_requires_and_is_not_there() -> None:
    """ipykernel without its comm: the index was asked for both (``with_restored``), and one alone mends nothing."""
    more = make_lock(*LOCK.files, locked("ipykernel", "6.29.5"), locked("comm", "0.2.3"), locked("psutil", "7.0"))
    members = frozenset(file.name for file in LOCK.files)
    inputs = repair_inputs(site(*WHOLE, "ipykernel==6.29.5", "psutil==6.0"), more, members=members)
    assert names(smallest(inputs, (restore("ipykernel", "6.29.5"),))) == ["ipykernel==6.29.5", "comm==0.2.3"]
    assert names(smallest(inputs, (restore("numpy"),))) == ["numpy==1.26.4"]


def test_a_rival_that_goes_takes_the_one_that_stays_along() -> None:
    plan = smallest(repair_inputs(site(*WHOLE, "tensorflow-cpu==2.16.1"), LOCK), (remove("tensorflow-cpu"),))
    assert names(plan) == ["tensorflow==2.15.1"]
    assert going(plan) == ["TensorFlow's folder==", "tensorflow==2.15.1", "tensorflow-cpu==2.16.1"]


def test_a_rival_by_another_name_is_restored_under_the_name_that_is_installed() -> None:
    plan = smallest(repair_inputs(site(*WHOLE), LOCK), (restore("tensorflow-cpu"),))
    assert names(plan) == ["tensorflow==2.15.1"]


def test_what_else_is_there_stays_and_is_named_when_it_stops_working() -> None:
    there = (
        installed("tensorflow", "2.15.1"), installed("numpy", "2.1.0"), installed("needs-two", "1.0", "numpy>=2"),
        installed("needs-any", "1.0", "numpy"), installed("broken-before", "1.0", "nothing"),
    )  # fmt: skip
    inputs = repair_inputs(site("tensorflow==2.15.1", "numpy==2.1.0", "needs-two==1.0", "needs-any==1.0"), LOCK, installed=there)
    plan = smallest(inputs, (restore("numpy"),))
    assert plan.conflicts == ("needs-two 1.0 requires numpy>=2, but numpy 1.26.4 is installed",)
    assert going(plan) == ["numpy==2.1.0"]


def test_what_a_removed_package_was_needed_for_is_named() -> None:
    there = (installed("helper", "1.0"), installed("mine", "1.0", "helper"))
    plan = smallest(repair_inputs(site(*WHOLE, "helper==1.0", "mine==1.0"), LOCK, installed=there), (remove("helper"),))
    assert plan.conflicts == ("mine 1.0 requires helper, but helper is not installed",)


def test_own_files_are_renamed_and_others_inside_go_out() -> None:
    own, leak, inside = "/home/me/numpy.py", f"{ROOT}/{SITE}/leak.pth", f"{ROOT}/{SITE}/numpy.py"
    repairs = (
        Repair(kind="move away", path=own, own=True, reason="it hides NumPy"),
        Repair(kind="move away", path=leak, reason="it leaks"),
        Repair(kind="move away", path=inside, own=True, reason="it hides NumPy, too"),
    )
    asides = {own: own + ".moved-by-tfsetup", inside: inside + ".moved-by-tfsetup-2"}
    plan = smallest(repair_inputs(site(*WHOLE), LOCK, asides=asides), repairs)
    assert [(move.path, move.target) for move in plan.moves] == list(asides.items())
    assert plan.outside == (f"{own} is renamed to numpy.py.moved-by-tfsetup",)
    assert [item.paths for item in plan.removals] == [(f"{SITE}/leak.pth",)]
    assert plan.changes


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Repair(kind="write", path="/etc/profile", target="x", reason="r"), "outside the environment"),
        (Repair(kind="link", path="/usr/lib/libcudart.so", target="x", reason="r"), "outside the environment"),
        (Repair(kind="link", path=f"{ROOT}/../other/x", target="x", reason="r"), "outside the environment"),
        (Repair(kind="write", path=f"{ROOT}/.tfsetup/journal.json", target="x", reason="r"), "outside the environment"),
        (Repair(kind="move away", path="/home/other/numpy.py", own=True, reason="r"), "cannot be renamed"),
        (restore("pandas"), "not part of the known-good set"),
    ],
)  # fmt: skip
def test_what_no_plan_does_is_said(wish: Repair, words: str) -> None:
    found = doable.sort((wish,), repair_inputs(site(*WHOLE), LOCK))
    assert found.doable == ()
    assert words in found.left[0]
    assert not smallest(repair_inputs(site(*WHOLE), LOCK), (wish,)).changes


def test_another_python_is_written_where_each_tool_names_it() -> None:
    config = "home = /gone/bin\nimplementation = CPython\nversion_info = 3.11.1.final.0\ninclude-system-site-packages = true\nbase-prefix = /gone\n"
    wish = Repair(kind="interpreter", target="/usr/bin/python3", reason="its Python is gone")
    plan = smallest(repair_inputs(site(*WHOLE), LOCK, config=config), (wish,))
    text = next(edit.text for edit in plan.edits if edit.path == "pyvenv.cfg")
    assert f"version_info = {VERSION}\n" in text
    assert "include-system-site-packages = true\n" in text
    assert "/gone" not in text
    assert "version = " not in text.replace("version_info = ", "")
    assert {edit.path for edit in plan.edits} == {"bin/python", "bin/python3", f"bin/python{PYTHON}", "pyvenv.cfg"}
    assert plan.base


def test_the_whole_set_comes_and_nothing_else_goes() -> None:
    plan = whole(repair_inputs(site("tensorflow==2.15.1", "numpy==2.1.0", "pandas==2.2.0", leftovers=(f"{SITE}/~umpy",)), LOCK), ())
    assert sorted(names(plan)) == sorted(WHOLE)
    assert "pandas==2.2.0" not in going(plan)
    assert "leftovers==" in going(plan)


def test_an_environment_made_anew_says_what_is_lost() -> None:
    plan = rebuild(repair_inputs(site(*WHOLE, "odd==1.0"), LOCK), (), ("odd 1.0 is left out",))
    assert plan.kind == "rebuild"
    assert plan.conflicts == ("odd 1.0 is left out",)
    assert plan.expected == {"numpy": "1.26.4", "six": "1.16.0", "tensorflow": "2.15.1"}
    assert plan.steps[0].kind == "create"


ERROR, WARNING = finding(restore("numpy")), finding(restore("six"), severity="warning", cause="dependency-incompatible")
DRIVER = finding(cause="driver-missing")
UNKNOWN = finding(cause="unknown")


@pytest.mark.parametrize(
    ("findings", "kinds"),
    [
        ((ERROR,), ("repair", "set", "rebuild")),
        ((ERROR, WARNING, DRIVER), ("repair", "set", "rebuild")),
        ((WARNING,), ("repair",)),
        ((DRIVER,), ()),
        ((DRIVER, WARNING), ("repair",)),
        ((UNKNOWN,), ("set", "rebuild")),
        ((finding(Repair(kind="rebuild", reason="r")),), ("rebuild",)),
        ((finding(Repair(kind="rebuild", reason="r")), finding(restore("six"))), ("rebuild",)),
        (
            (finding(Repair(kind="rebuild", reason="r")), finding(Repair(kind="interpreter", target="/p", reason="r"))),
            ("repair", "rebuild"),
        ),
        ((), ()),
        ((finding(restore("numpy"), severity="info"),), ()),
    ],
)
def test_attempts_by_size(findings: tuple[Finding, ...], kinds: tuple[str, ...]) -> None:
    assert order(findings, repair_inputs(site(*WHOLE), LOCK), answers=True) == kinds


def test_without_a_python_that_fits_only_a_new_environment_helps() -> None:
    assert order((ERROR,), repair_inputs(site(*WHOLE), LOCK), answers=False) == ("rebuild",)
    assert order((ERROR,), repair_inputs(site(*WHOLE, version="3.4.1"), LOCK), answers=True) == ("rebuild",)
    assert order((ERROR,), repair_inputs(site(*WHOLE, packages=""), LOCK), answers=True) == ("rebuild",)


def test_without_a_set_only_what_needs_none_is_done() -> None:
    away = Repair(kind="move away", path=f"{ROOT}/{SITE}/x.pth", reason="it leaks")
    inputs = repair_inputs(site(*WHOLE), None)
    assert order((finding(away, restore("numpy")),), inputs, answers=True) == ("repair",)
    assert names(smallest(inputs, (away, restore("numpy")))) == []


def failed(*findings: Finding) -> Verification:
    return replace(verification("", passed=False), findings=findings)


def passed(*findings: Finding) -> Verification:
    return replace(verification("", passed=True), findings=findings)


PLAN = replace(smallest(repair_inputs(site(*WHOLE), LOCK), ERROR.repairs), repairs=ERROR.repairs)
MARK = Mark(
    kind="requirement", distribution="matplotlib", where="", words="matplotlib 3.9 requires numpy>=1.23, but numpy 1.22.4 is installed"
)


@pytest.mark.parametrize(
    ("before", "after", "proof", "mended"),
    [
        ((ERROR,), (), passed(), True),
        ((ERROR,), (ERROR,), passed(), False),
        ((ERROR,), (WARNING,), passed(WARNING), True),
        ((ERROR,), (), failed(), False),
        ((ERROR, DRIVER), (DRIVER,), failed(DRIVER), True),
        ((ERROR, DRIVER), (DRIVER,), failed(UNKNOWN), False),
        # It was there before, hidden behind what was mended.
        ((ERROR,), (DRIVER,), failed(DRIVER), True),
        ((UNKNOWN,), (), failed(UNKNOWN), False),
    ],
)
def test_what_this_environment_cannot_mend_does_not_count_against_an_attempt(before, after, proof, mended: bool) -> None:
    judged = Judgement(verification=proof, computes=proof.passed)
    assert doable.is_mended(before, after, judged, PLAN, shipped_order()) == mended


@pytest.mark.parametrize(("before", "agreed", "mended"), [((), (), False), ((MARK,), (), True), ((), (MARK.words,), True)])
def test_what_was_wrong_before_does_not_take_a_repair_back_and_what_is_new_does(before, agreed, mended: bool) -> None:
    judged = Judgement(verification=failed(finding(cause="dependency-incompatible")), computes=True, marks=frozenset({MARK}))
    plan = replace(PLAN, conflicts=agreed)
    assert doable.is_mended((ERROR,), (), judged, plan, shipped_order(), marks=before) == mended


def test_what_lies_around_the_environment_is_told_and_does_not_take_a_repair_back() -> None:
    leak = finding(cause="environment-leak")
    judged = Judgement(verification=passed(), computes=True)
    assert doable.is_mended((ERROR,), (leak,), judged, PLAN, shipped_order())


@pytest.mark.parametrize("mended", [True, False])
def test_a_repair_that_a_finding_has_of_its_symptom_is_judged_by_the_symptom(mended: bool) -> None:
    """What lies in the way and no repair is about may stay as it was, before as after."""
    lower = replace(finding(restore("h5py"), cause="dependency-incompatible"), evidence=(Evidence(seen="h5py 3", where=""),))
    (root,) = ranked((finding(), lower), shipped_order())
    assert (root.cause, root.repairs) == ("install-corrupt", lower.repairs)
    after = replace(root, symptoms=() if mended else root.symptoms)
    judged = Judgement(verification=passed(), computes=True)
    assert doable.is_mended((root,), (after,), judged, replace(PLAN, repairs=lower.repairs), shipped_order()) == mended


def test_a_check_without_a_finding_that_failed_is_no_success() -> None:
    proof = replace(passed(DRIVER), checks=(Check(name="import", status="timed out"),))
    judged = Judgement(verification=replace(proof, findings=()), computes=False)
    assert not doable.is_mended((ERROR,), (), judged, PLAN, shipped_order())
