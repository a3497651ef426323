"""Packages of a set exchanged for the sake of what else is installed, within all limits."""

from __future__ import annotations

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.needs import Needs
from provisioner.environment.distributions import Installed
from provisioner.host.local import LocalHost
from provisioner.judge.markers import markers_of
from provisioner.model.catalogue import LockedFile
from provisioner.plan.neighbours import look_around
from provisioner.plan.settle import Room, settle


def file(name: str, version: str) -> LockedFile:
    return LockedFile(name=name, version=version, filename=f"{name}-{version}-py3-none-any.whl", sha256="a" * 64, size=1, unpacked=1)


def dist(name: str, version: str, *requires: str) -> Installed:
    return Installed(name=name, version=version, requires=requires)


FILES = (file("tensorflow-cpu", "2.12.0"), file("numpy", "1.22.4"), file("scipy", "1.9"))
KNOWN = {
    ("tensorflow-cpu", "2.12.0"): ("numpy>=1.22,<2",),
    ("scipy", "1.9"): ("numpy<1.27",),
    **{("numpy", version): () for version in ("1.22.4", "1.23.5", "1.24.3", "1.26.4", "1.30", "2.1")},
}
POOL = {"numpy": tuple(file("numpy", version) for version in ("1.22.4", "1.23.5", "1.24.3", "1.26.4", "1.30", "2.1"))}


def room(**changes) -> Room:
    return Room(**{"needs": Needs(known=KNOWN), "pool": POOL, **changes})


def settled(*installed: Installed, files=FILES, **changes):
    there = look_around(installed, markers_of("3.10"), frozenset(item.name for item in files))
    found = settle(there, files, room(**changes))
    return {item.name: item.version for item in found.files}["numpy"], found.moved


def test_a_set_that_nobody_minds_stays() -> None:
    assert settled(dist("numpy", "1.26.4"), dist("mine", "1.0", "numpy")) == ("1.22.4", ())


def test_what_is_installed_stays_where_all_are_content() -> None:
    version, moved = settled(dist("numpy", "1.26.4"), dist("matplotlib", "3.9", "numpy>=1.23"))
    assert version == "1.26.4"
    assert [(item.name, item.pin, item.version, item.keeps) for item in moved] == [("numpy", "1.22.4", "1.26.4", ("matplotlib",))]


def test_what_is_installed_and_damaged_is_no_choice_and_the_nearest_is_taken() -> None:
    version, _ = settled(dist("numpy", "1.26.4"), dist("matplotlib", "3.9", "numpy>=1.23"), unfit=frozenset({"numpy"}))
    assert version == "1.23.5"


def test_a_version_that_the_catalogue_does_not_have_may_stay_installed() -> None:
    version, _ = settled(dist("numpy", "1.25.1"), dist("matplotlib", "3.9", "numpy>=1.23"))
    assert version == "1.25.1"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "1.22.4"),
        ({"needs": Needs(known={**KNOWN, ("scipy", "1.9"): ()})}, "1.30"),
        ({"needs": Needs(known={**KNOWN, ("scipy", "1.9"): ()}), "limits": ("numpy<1.28",)}, "1.22.4"),
        # Where nobody knows what a package of the set requires, nothing is exchanged.
        ({"needs": Needs(known={})}, "1.22.4"),
    ],
)
def test_limits(changes: dict, expected: str) -> None:
    assert settled(dist("numpy", "2.1"), dist("mine", "1.0", "numpy>=1.28"), **changes)[0] == expected


def test_the_most_are_kept_whole_where_not_all_can_be() -> None:
    asked = (dist("a", "1.0", "numpy>=1.24"), dist("b", "1.0", "numpy>=1.24,<1.26"), dist("c", "1.0", "numpy>=2"))
    version, moved = settled(dist("numpy", "1.30"), *asked)
    # The installed 1.30 is beyond what scipy allows.
    assert version == "1.24.3"
    assert moved[0].keeps == ("a",)


def test_one_that_asks_for_another_is_admitted_only_where_that_is_met() -> None:
    needs = Needs(known={**KNOWN, ("numpy", "1.23.5"): ("helper>=2",), ("helper", "1.0"): ()})
    files = (*FILES, file("helper", "1.0"))
    version, _ = settled(
        dist("numpy", "1.26.4"), dist("matplotlib", "3.9", "numpy>=1.23"), files=files, needs=needs, unfit=frozenset({"numpy"})
    )
    assert version == "1.24.3"


def test_what_is_matched_by_hand_is_moved_for_nobody() -> None:
    """torch asks for another cuDNN than TensorFlow was built with; no metadata of TensorFlow's says which it needs."""
    files = (FILES[0], file("nvidia-cudnn-cu12", "9.3.0.75"))
    known = {**KNOWN, ("nvidia-cudnn-cu12", "9.3.0.75"): (), ("nvidia-cudnn-cu12", "9.1.0.70"): ()}
    installed = (dist("torch", "2.5", "nvidia-cudnn-cu12==9.1.0.70"), dist("nvidia-cudnn-cu12", "9.1.0.70"))
    there = look_around(installed, markers_of("3.10"), frozenset(item.name for item in files))
    found = settle(there, files, room(needs=Needs(known=known), pool={"nvidia-cudnn-cu12": (file("nvidia-cudnn-cu12", "9.1.0.70"),)}))
    assert (found.files, found.moved) == (files, ())


def test_between_the_sets_lie_versions_that_alone_go_with_old_and_new() -> None:
    """googleapis-common-protos (t5, tensorflow-datasets) wants protobuf 3.20.2, TensorFlow 1.15 one before 4: no set has one of these."""
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    lock = catalogue.lock("1.15.3", "3.7", "linux-x86_64", "cpu")
    assert lock is not None
    installed = (dist("protobuf", "4.24.4"), dist("googleapis-common-protos", "1.73.0", "protobuf!=4.21.1,<7.0.0,>=3.20.2"))
    there = look_around(installed, markers_of("3.7"), frozenset(item.name for item in lock.files))
    real = Room(needs=catalogue.needs(), limits=catalogue.limits(lock), pool=catalogue.pool("3.7", "linux-x86_64"))
    (moved,) = settle(there, lock.files, real).moved
    assert (moved.name, moved.version, moved.keeps) == ("protobuf", "3.20.3", ("googleapis-common-protos",))
