"""Where nobody says a floor, wheels for a newer glibc than the set needs are taken before source, and before a refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.errors import OperationError
from provisioner.lock.building import NeedsBuildError
from provisioner.lock.wheelless import elsewhere
from tests.lock.conftest import LINUX, Team
from tests.lock.index import Index


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Because scann==1.2.10 has no wheels with a matching platform tag (e.g., `manylinux_2_17_x86_64`)", {"scann"}),
        (
            "Because all versions of waymo-open-dataset-tf-2-11-0 have no wheels with a matching platform tag",
            {"waymo-open-dataset-tf-2-11-0"},
        ),
        ("And because a[x]>=1.2 has no wheels with a matching platform tag", {"a"}),
        ("Because old==1.0 has no wheels with a matching Python ABI tag", set()),
        ("a" * 20_000 + " has no wheels", set()),
    ],
)
def test_what_uv_says_of_wheels_for_other_systems(said: str, names: set[str]) -> None:
    assert elsewhere(said) == names


@pytest.mark.parametrize("tag", ["manylinux_2_27_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64"])
@pytest.mark.parametrize("source", [False, True])
def test_a_wheel_for_a_newer_glibc_is_taken_and_told(team: Team, index: Index, tag: str, source: bool) -> None:
    """waymo-open-dataset and scann have no others; NumPy 2.3.5 and pandas 3 have their source, which nobody wants to build."""
    index.add("new", "1.0", "older", tag=f"py3-none-{tag}")
    index.add("older", "1.0", tag="py3-none-manylinux_2_17_x86_64")
    if source:
        index.add_source("new", "1.0", "raise SystemExit\n")
    team.requirements = ("new", "pandas")
    done = team.lock()
    (locked,) = done.lock.targets
    glibc = tag.removeprefix("manylinux_").removesuffix("_x86_64").replace("_", ".")
    assert (locked.needs.glibc, locked.target.floor) == (glibc, "")
    assert any("linux: new has no wheel for glibc 2.17" in text for text in done.warnings)


def test_what_has_wheels_for_all_stays_on_the_oldest(team: Team, index: Index) -> None:
    """A newer version for newer machines alone is no reason to leave the others out."""
    index.add("new", "1.0", tag="py3-none-manylinux_2_17_x86_64")
    index.add("new", "2.0", tag="py3-none-manylinux_2_28_x86_64")
    team.requirements = ("new",)
    done = team.lock()
    assert team.versions(done)["new"] == "1.0"
    assert not any("glibc" in text for text in done.warnings)


@pytest.mark.slow
def test_a_floor_of_the_teams_is_kept(team: Team, index: Index) -> None:
    index.add("new", "1.0", tag="py3-none-manylinux_2_28_x86_64")
    team.targets = (replace(LINUX, floor="2.17"),)
    team.requirements = ("new",)
    with pytest.raises(OperationError, match="neither a wheel nor source of new") as caught:
        team.lock()
    assert '`floor: "2.28"`' in caught.value.hint


@pytest.mark.slow
def test_source_alone_is_asked_for_as_before(team: Team, index: Index) -> None:
    index.add_source("old", "1.0", "raise SystemExit\n")
    index.add("new", "1.0", tag="py3-none-manylinux_2_28_x86_64")
    team.requirements = ("old", "new")
    with pytest.raises(NeedsBuildError) as caught:
        team.lock()
    assert caught.value.names == ("old",)
