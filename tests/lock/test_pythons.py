"""Which Python goes with the lists: the newest that has what they ask for, with the newest release that goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.lock.pythons import Going, Wanted, going, going_or_nothing, sets_for
from provisioner.model.team import Index as TeamIndex
from provisioner.model.team import Inputs, Target
from tests.lock.index import CUTOFF, NEW, Index

LINUX = Target(name="linux", platform="linux-x86_64", device="cpu", python="")


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return Catalogue.open(LocalHost(), find_profiles())


@pytest.fixture
def releases(index: Index) -> Index:
    for name in ("tensorflow", "tensorflow-cpu"):
        for version in ("2.11.1", "2.15.1", "2.18.1", "2.20.0"):
            index.add(name, version)
    return index


def wanted(index: Index, tmp_path: Path, *requirements: str, tensorflow: str = "", python: str = "") -> Wanted:
    return Wanted(
        target=LINUX,
        inputs=Inputs(requirements=requirements),
        tensorflow=tensorflow,
        python=python,
        cutoff=CUTOFF,
        folder=str(tmp_path / "ask"),
        indexes=(TeamIndex(url=index.url),),
    )


def test_the_newest_set_of_each_python_comes_first(shipped: Catalogue, index: Index, tmp_path: Path) -> None:
    found = [(lock.release, lock.python) for lock in sets_for(shipped, wanted(index, tmp_path, tensorflow="<2.13,>=2.10"))]
    assert found == [("2.12.1", "3.11"), ("2.12.1", "3.10"), ("2.12.1", "3.9"), ("2.12.1", "3.8"), ("2.11.0", "3.7")]
    (only,) = sets_for(shipped, wanted(index, tmp_path, python="==3.7.*"))
    assert (only.release, only.python) == ("2.11.0", "3.7")


@pytest.mark.parametrize(
    ("tag", "limits", "found"),
    [
        ("py3-none-any", {}, Going(release="2.20.0", python="3.13")),
        ("cp311-cp311-manylinux_2_17_x86_64", {}, Going(release="2.20.0", python="3.11")),
        pytest.param(
            "cp310-cp310-manylinux_2_17_x86_64",
            {"tensorflow": "<2.16"},
            Going(release="2.15.1", python="3.10"),
            marks=pytest.mark.slow,
        ),
        pytest.param("cp311-cp311-manylinux_2_17_x86_64", {"python": "<3.11"}, None, marks=pytest.mark.slow),
        pytest.param("cp35-cp35m-manylinux_2_17_x86_64", {}, None, marks=pytest.mark.slow),
    ],
)
def test_a_package_decides(
    shipped: Catalogue, releases: Index, tmp_path: Path, tag: str, limits: dict[str, str], found: Going | None
) -> None:
    releases.add("ours", "1.0", tag=tag)
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "ours", **limits)) == found


def test_requirements_on_tensorflow_itself_count(shipped: Catalogue, releases: Index, tmp_path: Path) -> None:
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "tensorflow-gpu==2.11.1")) == Going(release="2.11.1", python="3.10")


def test_what_is_source_alone_counts_as_met_and_is_not_run(shipped: Catalogue, releases: Index, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    releases.add_source("old", "1.0", f"open({str(mark)!r}, 'w').close()\n")
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "old")) == Going(release="2.20.0", python="3.13", sources=("old",))
    assert not mark.exists()


def test_a_python_with_wheels_goes_before_one_with_sources(shipped: Catalogue, releases: Index, tmp_path: Path) -> None:
    """kashgari's list: NumPy 1.18.1 has wheels up to Python 3.8, and its source."""
    releases.add("old", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    releases.add_source("old", "1.0", "raise SystemExit\n")
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "old")) == Going(release="2.20.0", python="3.11")


def test_a_wheel_for_a_newer_glibc_counts(shipped: Catalogue, releases: Index, tmp_path: Path) -> None:
    """waymo-open-dataset has wheels for glibc 2.28 alone; NumPy 2.3.5 has them, and its source."""
    releases.add("new", "1.0", tag="py3-none-manylinux_2_28_x86_64")
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "new")) == Going(release="2.20.0", python="3.13")
    releases.add_source("new", "1.0", "raise SystemExit\n")
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "new")) == Going(release="2.20.0", python="3.13")


def test_where_all_clash_it_is_a_python_that_has_each(shipped: Catalogue, releases: Index, tmp_path: Path) -> None:
    """tensorflow-privacy's list asks for pandas 1.x, built up to 3.11, and for two packages that clash everywhere."""
    releases.add("old", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    releases.add("one", "1.0", "other<1")
    releases.add("other", "1.0")
    releases.add("other", "0.1")
    found = going(LocalHost(), shipped, wanted(releases, tmp_path, "old", "one", "other>=1"))
    assert found == Going(release="2.20.0", python="3.11", together=False)


def test_a_package_that_refuses_newer_pythons_decides(shipped: Catalogue, releases: Index, tmp_path: Path) -> None:
    """scikeras 0.6.1 says `>=3.7.0,<3.10.0`, which uv passes over; pip would not have installed the lock."""
    releases.add("capped", "1.0", python=">=3.7,<3.12")
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "capped==1.0")) == Going(release="2.20.0", python="3.11")
    releases.add("capped", "0.9")
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "capped")) == Going(release="2.20.0", python="3.11")
    releases.add("needs", "1.0", "capped")
    # dataclasses 0.8 is for 3.6 alone: that is no reason to take Python 3.6 for what needs it.
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "needs")) == Going(release="2.20.0", python="3.13")


def test_what_is_known_to_break_a_release_counts(shipped: Catalogue, releases: Index, tmp_path: Path) -> None:
    """recommenders' list: TensorFlow 2.14.0 has no bound for NumPy, and the newest scann needs NumPy 2."""
    releases.add("numpy", "2.0")
    releases.add("numpy", "1.26")
    releases.add("scann", "2.0", "numpy>=2")
    releases.add("scann", "1.0", "tensorflow<2.12", "numpy<2")
    found = going(LocalHost(), shipped, wanted(releases, tmp_path, "scann", tensorflow="<2.16"))
    assert found == Going(release="2.11.1", python="3.10")


def test_an_index_that_fails_is_told_or_left(shipped: Catalogue, releases: Index, tmp_path: Path) -> None:
    releases.status = 500
    with pytest.raises(OperationError):
        going(LocalHost(), shipped, wanted(releases, tmp_path, "ours"))
    assert going_or_nothing(LocalHost(), shipped, wanted(releases, tmp_path, "ours")) is None


def test_what_was_uploaded_after_the_date_does_not_count(shipped: Catalogue, releases: Index, tmp_path: Path) -> None:
    releases.add("ours", "1.0", uploaded=NEW)
    assert going(LocalHost(), shipped, wanted(releases, tmp_path, "ours")) is None
