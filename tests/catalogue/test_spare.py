"""Wheels that are in no set: read, and in the pool."""

from __future__ import annotations

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.spare import SCHEMA, read_spare
from provisioner.errors import InputError
from provisioner.host.local import LocalHost

FILE = {"name": "a", "version": "1", "filename": "a-1-py3-none-any.whl", "sha256": "0" * 64, "size": 1, "unpacked": 1, "source": False}
GOOD = {"schema": SCHEMA, "made": "2026-11-29", "wheels": [{"python": "3.7", "platform": "linux-x86_64", "files": [FILE]}]}


def test_those_of_a_python_and_platform() -> None:
    spare = read_spare(GOOD, file="spare.json")
    assert [file.name for file in spare.files("3.7", "linux-x86_64")] == ["a"]
    assert spare.files("3.8", "linux-x86_64") == spare.files("3.7", "macos-aarch64") == ()


@pytest.mark.parametrize("data", [[], {**GOOD, "schema": "other/1"}, {**GOOD, "wheels": [{"python": "3.7"}]}, {**GOOD, "wheels": 1}])
def test_another_form_is_refused(data: object) -> None:
    with pytest.raises(InputError, match=r"spare\.json"):
        read_spare(data, file="spare.json")


def test_they_are_in_the_pool_beside_those_of_the_sets() -> None:
    pool = Catalogue.open(LocalHost(), find_profiles()).pool("3.7", "linux-x86_64")
    assert {"3.19.6", "3.20.3"} <= {file.version for file in pool["protobuf"]}


def test_what_each_wheel_that_may_take_anothers_place_requires_is_known() -> None:
    """Of one that was not, nothing could be moved any more as soon as it had taken its place (protobuf 3.20.3, then idna)."""
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    needs = catalogue.needs()
    pool = {(file.name, file.version) for python in ("3.7", "3.10", "3.12") for file in catalogue.spare(python, "linux-x86_64")}
    assert pool
    assert [pair for pair in sorted(pool) if needs.of(*pair) is None] == []
