"""What is known of packages beyond their metadata counts for all that a lock brings, whoever needs it."""

from __future__ import annotations

import pytest

from provisioner.catalogue.companions import limits_around
from provisioner.catalogue.fits import Companion, Fits, Unsaid, read_fits
from provisioner.errors import InputError
from provisioner.model.catalogue import Release
from tests.lock.conftest import Team
from tests.lock.index import Index

FITS = Fits(
    companions=(Companion(package="addons", versions=">=2", tensorflow=">=2.21", cause="x", breaks="use", reason="x", reference="x"),),
    unsaid=(
        Unsaid(package="flow", needs="setuptools<82", reason="x", reference="x"),
        Unsaid(package="ipython", versions="==8.23.0", instead="!=8.23.0", needs="typing-extensions>=4.6", reason="x", reference="x"),
    ),
)
RELEASE = Release(version="2.20.0", released="", cutoff="", builds=(), addons={"addons": "<2"})


@pytest.mark.parametrize(
    ("offered", "found"),
    [
        ({"addons": "2.0"}, ("addons<2",)),
        ({"addons": "1.0"}, ()),
        ({"flow": "2.9", "setuptools": "82.0.1"}, ("setuptools<82",)),
        ({"flow": "2.9"}, ("setuptools<82",)),
        ({"flow": "2.9", "setuptools": "81.0"}, ()),
        ({"ipython": "8.23.0", "typing-extensions": "4.3"}, ("ipython!=8.23.0",)),
        ({"ipython": "8.22.2", "typing-extensions": "4.3"}, ()),
        ({"setuptools": "82.0.1"}, ()),
    ],
)
def test_what_an_answer_does_not_meet(offered: dict[str, str], found: tuple[str, ...]) -> None:
    assert limits_around(RELEASE, FITS, offered) == found


def test_the_other_way_round() -> None:
    offered = {"flow": "2.9", "ipython": "8.23.0"}
    assert limits_around(RELEASE, FITS, offered, other=True) == ("setuptools<82", "typing-extensions>=4.6")


def test_a_need_that_is_no_requirement_is_refused() -> None:
    item = {"package": "flow", "needs": "setuptools <", "reason": "x", "reference": "x"}
    with pytest.raises(InputError) as caught:
        read_fits({"schema": "tfsetup/fits/1", "unsaid": [item]}, file="fits.yaml")
    assert caught.value.faults == ("unsaid[0]: not a requirement: 'setuptools <'",)


def test_what_a_package_needs_and_does_not_say_is_locked(team: Team, index: Index) -> None:
    """gpflow's list: it imports pkg_resources, which the set's setuptools has no more."""
    team.files = (*team.files, index.add("setuptools", "82.0.1"))
    index.add("setuptools", "81.0")
    index.add("gpflow", "2.9.2")
    index.add("trieste", "1.0", "gpflow")
    team.requirements = ("trieste",)
    done = team.lock()
    assert team.versions(done)["setuptools"] == "81.0"
    assert any("setuptools 82.0.1 -> 81.0 (`setuptools<82`)" in text for text in done.warnings)


def test_where_the_set_does_not_have_it_another_version_is_locked(team: Team, index: Index) -> None:
    """DeepLabCut's list: IPython 8.23.0 needs a newer typing-extensions than TensorFlow 2.10 takes, and was the newest that did not say so."""
    team.files = (index.add("tensorflow-cpu", "2.20.0", "typing-extensions<4.6"), index.add("typing-extensions", "4.3.0"))
    index.add("typing-extensions", "4.6.0")
    index.add("ipython", "8.24.0", "typing-extensions>=4.6")
    index.add("ipython", "8.23.0", "typing-extensions")
    index.add("ipython", "8.22.2")
    team.requirements = ("ipython",)
    assert team.versions(team.lock())["ipython"] == "8.22.2"


def test_one_that_is_asked_for_gets_what_it_needs(team: Team, index: Index) -> None:
    team.files = (*team.files, index.add("typing-extensions", "4.3.0"))
    index.add("typing-extensions", "4.6.0")
    index.add("ipython", "8.23.0", "typing-extensions")
    team.requirements = ("ipython==8.23.0",)
    assert team.versions(team.lock())["typing-extensions"] == "4.6.0"


def test_an_add_on_that_somebody_else_needs_is_the_release_s(team: Team, index: Index) -> None:
    """waymo-open-dataset needs tensorflow-addons of any version, and the newest is for other releases."""
    index.add("tensorflow-text", "2.20.1")
    index.add("tensorflow-text", "2.21.0")
    index.add("waymo", "1.0", "tensorflow-text")
    team.requirements = ("waymo",)
    done = team.lock()
    assert (team.versions(done)["tensorflow-text"], done.warnings) == ("2.20.1", ())


def test_what_is_known_is_no_reason_to_refuse(team: Team, index: Index) -> None:
    index.add("tensorflow-text", "2.20.1")
    index.add("tensorflow-text", "2.21.0")
    index.add("waymo", "1.0", "tensorflow-text>=2.21")
    team.requirements = ("waymo",)
    done = team.lock()
    assert team.versions(done)["tensorflow-text"] == "2.21.0"
    assert any("tensorflow-text 2.21.0 goes with TensorFlow 2.21, and 2.20.0 is locked" in text for text in done.warnings)
