"""What becomes of what else is installed: values in, fates out."""

from __future__ import annotations

import pytest

from provisioner.catalogue.fits import SAME_MINOR, Companion
from provisioner.environment.distributions import Installed
from provisioner.judge.markers import markers_of
from provisioner.plan.neighbours import Around, fates, lacking, look_around, stale

SET = {"tensorflow-cpu": "2.12.0", "numpy": "1.22.4", "typing-extensions": "4.5.0"}


def dist(name: str, version: str, *requires: str) -> Installed:
    return Installed(name=name, version=version, requires=requires)


def around(*installed: Installed, companions: tuple[Companion, ...] = ()) -> Around:
    return look_around(installed, markers_of("3.10"), frozenset(SET), companions)


THERE = (
    dist("tensorflow-cpu", "2.15.1", "numpy<2", "typing-extensions>=3.6", "ml-thing"),
    dist("numpy", "1.26.4"),
    dist("typing-extensions", "4.12.2"),
)


def fate(found, name: str):
    return next(item for item in found if item.name == name)


def test_what_loses_what_it_requires_breaks_and_says_why() -> None:
    found = fates(around(*THERE, dist("matplotlib", "3.9.0", "numpy>=1.23")), SET)
    assert [(item.name, item.fate) for item in found] == [("matplotlib", "breaks")]
    assert found[0].why == ("matplotlib 3.9.0 needs numpy>=1.23; the set has 1.22.4",)


def test_what_has_all_it_requires_stays_whole() -> None:
    assert [item.fate for item in fates(around(*THERE, dist("mine", "1.0", "numpy<2", "typing-extensions")), SET)] == ["whole"]


def test_what_lacked_it_before_is_as_it_was() -> None:
    found = fates(around(*THERE, dist("mine", "1.0", "numpy>=2")), SET)
    assert found[0].fate == "was broken"
    assert found[0].why == ("mine 1.0 requires numpy>=2, but numpy 1.26.4 is installed, now as before",)


def test_what_needs_something_that_breaks_breaks_with_it_and_needs_no_word_of_its_own() -> None:
    found = fates(around(*THERE, dist("pandas", "2.2", "numpy>=1.26"), dist("app", "1.0", "frame"), dist("frame", "1.0", "pandas")), SET)
    assert (fate(found, "app").fate, fate(found, "app").by) == ("breaks", ("pandas",))
    assert fate(found, "app").why == ("app 1.0 needs frame, which breaks",)
    assert fate(found, "pandas").by == ()


def test_what_comes_in_another_version_is_resolved_along() -> None:
    found = fates(around(*THERE, dist("pandas", "2.2", "numpy>=1.26")), {**SET, "pandas": "2.0"})
    assert (found[0].fate, found[0].becomes) == ("resolved", "2.0")


def test_an_extra_or_another_python_asks_for_nothing() -> None:
    asked = ("numpy>=2; extra == 'new'", "numpy>=2; python_version >= '3.13'", "not a requirement at all <<<")
    assert fates(around(*THERE, dist("mine", "1.0", *asked)), SET)[0].fate == "whole"


@pytest.mark.parametrize(("spec", "expected"), [(">=2.10", "whole"), (">=2.15", "breaks"), (">=2.16", "was broken"), ("<2.13", "whole")])
def test_tensorflow_counts_under_any_name(spec: str, expected: str) -> None:
    # 2.15.1 is there and 2.12.0 comes: what neither meets was lacking before, and what 2.12 meets lacks nothing any more.
    assert fates(around(*THERE, dist("addon", "1.0", f"tensorflow{spec}")), SET)[0].fate == expected


def test_tensorflow_is_of_the_set_by_every_name() -> None:
    (found,) = fates(around(*THERE, dist("addon", "1.0", "tensorflow>=2.15")), SET)
    assert found.why == ("addon 1.0 needs tensorflow>=2.15; the set has 2.12.0",)


def test_an_addon_of_another_release_breaks_though_it_says_nothing() -> None:
    rule = Companion(
        package="tensorflow-text", tensorflow=SAME_MINOR, cause="extension-abi-mismatch", breaks="use", reason="", reference=""
    )
    found = fates(around(*THERE, dist("tensorflow-text", "2.15.0"), companions=(rule,)), SET)
    assert found[0].why == ("tensorflow-text 2.15.0 goes with TensorFlow 2.15; the set has 2.12.0",)


def test_what_only_tensorflow_needed_is_not_the_users_and_goes_where_it_would_break() -> None:
    there = around(*THERE, dist("ml-thing", "0.3", "numpy>=1.26"), dist("ml-quiet", "1.0"))
    assert [item.name for item in fates(there, SET)] == ["ml-quiet"]
    assert stale(there, SET) == {"ml-thing"}
    # Where something of the user's needs it, it is the user's.
    assert "ml-thing" in {item.name for item in fates(around(*there.installed, dist("mine", "1.0", "ml-thing")), SET)}


def test_what_leaves_is_missed() -> None:
    assert [
        item.requirement for item in lacking(around(*THERE, dist("mine", "1.0", "helper"), dist("helper", "1")), {}, gone=["helper"])
    ] == ["helper"]
