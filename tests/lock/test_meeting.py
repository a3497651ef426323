"""The walk to an older release: which one the requirements bring by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.engines.resolving import Job, NoSolutionError
from provisioner.host.local import LocalHost
from provisioner.lock.choosing import ChosenSet
from provisioner.lock.meeting import Brought, meet, release_below
from provisioner.lock.resolve import Locked, UnmetError
from provisioner.model.catalogue import Proof
from provisioner.model.team import Index as TeamIndex
from provisioner.model.team import Inputs, Target, TeamLock
from tests.lock.index import CUTOFF, Index

TARGET = Target(name="linux", platform="linux-x86_64", device="cpu", python="3.11")


def below(index: Index, tmp_path: Path, *requirements: str, limit: str = "<2.20.0") -> str:
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    lock = catalogue.lock("2.20.0", "3.11", "linux-x86_64", "cpu")
    assert lock is not None
    tmp_path.joinpath("ask").mkdir(exist_ok=True)
    job = Job(
        name="linux",
        requirements=(),
        constraints=(),
        python="3.11",
        platform="linux-x86_64",
        floor="2.28",
        cutoff=CUTOFF,
        folder=str(tmp_path / "ask"),
        indexes=(TeamIndex(url=index.url),),
    )
    chosen = (TARGET, lock, Proof(lock=lock.digest, level="resolved"))
    return release_below(LocalHost(), catalogue, Inputs(requirements=requirements), chosen, job, limit).release


def test_a_package_that_is_source_alone_does_not_end_the_walk(index: Index, tmp_path: Path) -> None:
    """kashgari's list: NumPy 1.18 needs TensorFlow 2.7, and bert4keras has no wheel at all."""
    for version, numpy in (("2.20.0", ">=2"), ("2.19.1", ">=2"), ("2.15.1", "<2")):
        index.add("tensorflow-cpu", version, f"numpy{numpy}")
    index.add("numpy", "1.26")
    index.add("numpy", "2.0")
    index.add_source("old", "1.0", "raise SystemExit\n")
    assert below(index, tmp_path, "numpy==1.26", "old") == "2.15.1"
    assert below(index, tmp_path, "numpy==2.0", "old") == "2.19.1"
    assert below(index, tmp_path, "numpy==3.0") == ""


def test_what_add_ons_say_of_tensorflow_counts_for_the_set_s_name_of_it(index: Index, tmp_path: Path) -> None:
    """tfx's list: tensorflow-transform wants `tensorflow<2.7`, which tensorflow-cpu 2.7 stood beside, release after release."""
    for version in ("2.19.1", "2.15.1"):
        index.add("tensorflow-cpu", version)
        index.add("tensorflow", version)
    index.add("transform", "1.0", "tensorflow<2.16")
    assert below(index, tmp_path, "transform") == "2.15.1"


def test_wheels_for_newer_machines_bring_a_release_where_others_do_not(index: Index, tmp_path: Path) -> None:
    index.add("tensorflow-cpu", "2.15.1")
    index.add("scann", "1.0", tag="py3-none-manylinux_2_34_x86_64")
    assert below(index, tmp_path, "scann") == "2.15.1"


def test_a_minor_is_passed_over_where_two_of_its_patches_failed(index: Index, tmp_path: Path) -> None:
    """The limit of the third look is below the whole minor."""
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    limits: list[str] = []

    def locks(sets: Sequence[ChosenSet], _deep: bool) -> Locked:
        job = Job(name="linux", requirements=(), constraints=(), python="", platform="", floor="", cutoff="", folder="")
        raise UnmetError([(sets[0], NoSolutionError(job, "so"))], Inputs(requirements=()))

    def chosen(below: Mapping[str, str]) -> tuple[ChosenSet, ...]:
        lock = catalogue.lock(below["linux"].removeprefix("<="), "3.11", "linux-x86_64", "cpu")
        assert lock is not None
        return ((TARGET, lock, Proof(lock=lock.digest, level="resolved")),)

    def bring(_chosen: ChosenSet, _job: Job, limit: str) -> Brought:
        limits.append(limit)
        return Brought(release={"<2.15.1": "2.15.0", "<2.15": "2.14.1"}.get(limit, ""))

    with pytest.raises(UnmetError) as caught:
        meet(chosen({"linux": "<=2.15.1"}), locks, chosen, bring)
    assert limits == ["<2.15.1", "<2.15", "<2.14.1"]
    assert caught.value.tried == ("2.15.1", "2.15.0", "2.14.1")


def test_what_is_known_of_a_package_is_no_reason_to_refuse(tmp_path: Path) -> None:
    """object-detection's list: tensorflow-io ends at 2.16, with which the models of the list do not go; with 2.20 they do."""
    catalogue = Catalogue.open(LocalHost(), find_profiles())

    def sets(release: str) -> tuple[ChosenSet, ...]:
        lock = catalogue.lock(release, "3.11", "linux-x86_64", "cpu")
        assert lock is not None
        return ((TARGET, lock, Proof(lock=lock.digest, level="resolved")),)

    def locks(found: Sequence[ChosenSet], deep: bool) -> Locked:
        job = Job(name="linux", requirements=(), constraints=(), python="", platform="", floor="", cutoff="", folder=str(tmp_path))
        if found[0][1].release != "2.20.0":
            raise UnmetError([(found[0], NoSolutionError(job, "so", unbuilt=frozenset({"models"})))], Inputs(requirements=()))
        assert not deep
        return Locked(lock=TeamLock(tool="", engine="uv", cutoff="", catalogue="", inputs=(), targets=()))

    def bring(_chosen: ChosenSet, _job: Job, _limit: str) -> Brought:
        return Brought(release="2.15.1", sources=frozenset({"models"}))

    found = meet(sets("2.16.2"), locks, lambda _: sets("2.15.1"), bring, lambda _: sets("2.20.0"))
    assert found.warnings == ()
