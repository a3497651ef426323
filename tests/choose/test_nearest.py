"""What is offered in the place of a release: its own patches first, then of each other minor the newest, the nearest first."""

from __future__ import annotations

from provisioner.choose.nearest import instead
from provisioner.choose.versions import minor
from tests.choose.values import shipped_catalogue

CATALOGUE = shipped_catalogue()


def test_the_patches_of_the_same_minor_come_first_and_then_the_newest_of_the_nearest() -> None:
    versions = [item.version for item in instead("2.12.1", CATALOGUE)]
    assert versions[0] == "2.12.0"
    assert set(versions[1:3]) == {"2.11.1", "2.13.1"}
    others = [minor(version) for version in versions[1:]]
    assert len(others) == len(set(others))
    assert "2.12.1" not in versions
    assert not any(CATALOGUE.release(version).prerelease for version in versions)
