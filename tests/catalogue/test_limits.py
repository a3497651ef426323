"""How far the packages of a set may go, as the real catalogue knows it."""

from __future__ import annotations

import pytest

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.limits import outside
from provisioner.host.local import LocalHost


@pytest.mark.parametrize(
    ("spec", "version", "clause"),
    [
        (">=2", "1.26.4", "<2"),
        ("<3.20", "4.25.1", ">=3.20"),
        (">=1.16,<1.17", "1.15.0", "<1.16"),
        (">=1.16,<1.17", "2.0", ">=1.17"),
        (">=1.16,<1.17", "", ""),
        (">=2", "", "<2"),
        ("==2.0.3", "2.0.2", "!=2.0.3"),
        (">=2", "2.1", ""),
        ("~=1.2", "1.1", ""),
    ],
)
def test_one_clause_keeps_out_of_a_bad_range(spec: str, version: str, clause: str) -> None:
    assert outside(spec, version) == clause


@pytest.mark.parametrize(
    ("release", "python", "expected"),
    [
        ("2.15.1", "3.11", {"numpy<2", "protobuf>=3.20"}),
        ("2.17.1", "3.12", {"numpy<2", "wrapt<1.16", "keras>=3"}),
        ("2.10.1", "3.9", {"numpy<2", "protobuf<4"}),
        ("2.4.4", "3.8", {"numpy<1.24", "numpy<2", "h5py<3"}),
    ],
)
def test_the_limits_of_real_sets(release: str, python: str, expected: set[str]) -> None:
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    lock = catalogue.lock(release, python, "linux-x86_64", "cpu")
    assert lock is not None
    assert expected <= set(catalogue.limits(lock))
