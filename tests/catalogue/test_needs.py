"""What the packages of the sets require: the file that comes with the tool, and files that are none."""

from __future__ import annotations

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.needs import read_needs
from provisioner.errors import InputError
from provisioner.host.local import LocalHost
from tests.catalogue.profiles import make_profiles

GOOD = '{"schema": "tfsetup/needs/1", "packages": {"six": [{"versions": ["1.0", "2.0"], "requires": ["x>1"]}]}}'


def test_versions_that_require_the_same_stand_together() -> None:
    needs = read_needs(GOOD, file="needs.json")
    assert (needs.of("six", "1.0"), needs.of("six", "2.0"), needs.of("six", "3.0")) == (("x>1",), ("x>1",), None)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "tfsetup/needs/1"}', GOOD.replace("needs/1", "needs/2"), GOOD.replace('["x>1"]', "null")]
)
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"tfsetup/needs/1"):
        read_needs(text, file="needs.json")


def test_every_package_of_a_shipped_set_is_known() -> None:
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    needs = catalogue.needs()
    lock = catalogue.lock("2.15.1", "3.11", "linux-x86_64", "cuda")
    assert lock is not None
    assert [file.name for file in lock.files if needs.of(file.name, file.version) is None] == []
    assert "numpy (<2.0.0,>=1.23.5)" in (needs.of("tensorflow", "2.15.1") or ())
    # Of each name and version one file, for this Python.
    numpy = catalogue.pool("3.11", "linux-x86_64")["numpy"]
    assert len({file.version for file in numpy}) == len(numpy) > 3
    assert all("cp311" in file.filename for file in numpy)


def test_a_folder_without_it_knows_nothing(tmp_path) -> None:
    root = make_profiles(tmp_path, ("2.15", ("2.15.0",)))
    assert Catalogue.open(LocalHost(), str(root)).needs().known == {}
