"""Versions and match specs as conda compares them; where rattler is there, it must agree."""

from __future__ import annotations

import itertools

import pytest

from provisioner.conda.specs import compare, meets, spec_name, version_meets

VERSIONS = [
    "1.0",
    "1.0.0",
    "1.0a",
    "1.0a1",
    "1.0.0a0",
    "1.0b1",
    "1.0rc1",
    "1.0.post1",
    "1.0.dev1",
    "1.1.1q",
    "1.1.1",
    "1.1.2a",
    "1.1.1w",
    "2",
    "10",
    "2.0a0",
    "2.0.0a0",
    "2.0.0",
    "2.0.1",
    "1.2.3",
    "1!1.0",
    "1.0+loc",
    "9e",
    "9f",
    "10a",
    "9",
    "2022.1",
    "20220623.0",
    "0.4.1",
    "0.5a1",
    "1.2.13",
    "1.2.1",
    "3.10.4",
    "3.1",
    "3.11",
    "3.8.18",
    "6.31.1",
    "2.0.1.dev0",
]
SPECS = [
    ">=1.0,<2.0a0",
    "1.1.*",
    "=1.1",
    "==1.0",
    "<1.1.2a",
    ">=1.1.1q,<1.1.2a",
    "3.1.*",
    "3.1*",
    "!=2.0.1",
    "!=1.1.*",
    "1.0|2.0.*",
    "~=1.0.0",
    ">9e",
    "20220623.*",
    "<2",
    ">=2.0a0",
    "1.2.1.*",
    "1.1*",
    "*",
]


def test_versions_are_ordered_as_conda_orders_them() -> None:
    ordered = [
        "0.4.1",
        "0.5a1",
        "1.0a",
        "1.0a1",
        "1.0rc1",
        "1.0.dev1",
        "1.0",
        "1.0.post1",
        "1.1.1q",
        "1.1.1",
        "1.1.2a",
        "1.2.1",
        "1.2.13",
        "2.0a0",
        "2",
        "3.1",
        "3.10.4",
        "9e",
        "9",
        "2022.1",
        "1!1.0",
    ]
    assert all(compare(one, other) == -1 for one, other in itertools.combinations(ordered, 2))
    assert compare("1.0", "1.0.0") == compare("1.1", "1.1") == 0
    assert (compare("1.0+1", "1.0"), compare("1.0+a", "1.0")) == (1, -1)


def test_rattler_orders_them_so_too() -> None:
    rattler = pytest.importorskip("rattler")
    for one, other in itertools.product(VERSIONS, VERSIONS):
        assert (compare(one, other) < 0) == (rattler.Version(one) < rattler.Version(other)), (one, other)


@pytest.mark.parametrize("spec", SPECS)
def test_rattler_matches_the_same(spec: str) -> None:
    rattler = pytest.importorskip("rattler")
    match = rattler.MatchSpec(f"x{spec}" if spec.startswith("=") else f"x {spec}", strict=False)
    for version in VERSIONS:
        record = rattler.PackageRecord(
            name="x", version=version, build=rattler.BuildString("b_0"), build_number=0, subdir="noarch", arch=None, platform=None
        )
        assert version_meets(spec, version) == match.matches(record), version


@pytest.mark.parametrize(
    ("spec", "version", "build", "answer"),
    [
        ("python", "3.8.18", "h_0", True),
        ("python >=3.8,<3.9.0a0", "3.8.18", "h_0", True),
        ("python>=3.9", "3.8.18", "h_0", False),
        ("python >=3.7, <4", "3.8.18", "h_0", True),
        ("libabseil * cxx17*", "2022", "cxx17_1", True),
        ("libabseil * cxx17*", "2022", "cxx11_1", False),
        ("python_abi 3.8.* *_cp38", "3.8", "2_cp38", True),
        ("cudatoolkit 11.0|11.0.*", "11.0.3", "h_0", True),
        ("conda-forge::numpy 1.19.*", "1.20", "h_0", False),
        ("libabseil =*=cxx17*", "2022", "x", None),
        ("a[version='1']", "2", "x", None),
        ("a ^1.*$", "2", "x", None),
        ("_x86_64 >=3 ^(a|b)$", "3", "x", None),
    ],
)
def test_specs(spec: str, version: str, build: str, answer: bool | None) -> None:
    assert meets(spec, version, build) is answer


def test_the_name_of_a_spec() -> None:
    assert [spec_name(text) for text in ("numpy>=1", "NumPy", "conda-forge::libabseil * cxx17*", "_openmp_mutex 4.5", "", ">=1")] == [
        "numpy", "numpy", "libabseil", "_openmp_mutex", "", "",
    ]  # fmt: skip
