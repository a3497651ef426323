"""The short road through simple specifiers must end where ``packaging`` ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from provisioner.base.versions import contains, readable

NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
VERSIONS = st.builds(lambda base, tail: base + tail, NUMBERS, st.sampled_from(["", "rc0", "rc1", "a2", ".post1", "rc1.post2"]))
SPECS = st.builds(lambda base, tail: f"=={base}{tail}", NUMBERS, st.sampled_from(["", ".*"]))


@given(SPECS, VERSIONS, st.sampled_from([True, False]))
def test_simple_specifiers_agree_with_packaging(spec: str, version: str, prereleases: bool) -> None:
    assert contains(spec, version, prereleases=prereleases) == SpecifierSet(spec).contains(version, prereleases=prereleases)


@pytest.mark.parametrize(
    ("spec", "version", "expected"),
    [
        ("==2.15.*", "2.15.0.post1", True),
        ("==2.15.0", "2.15.0.post1", False),
        ("==2.15", "2.15.0", True),
        ("==2.1.*", "2.15.0", False),
        (">=2.16,<2.19", "2.18.1", True),
        (">=2.16,<2.19", "2.19.0", False),
        ("==2.22.*", "2.22.0rc0", False),
        (">=2.16", "not a version", False),
    ],
)
def test_contains(spec: str, version: str, expected: bool) -> None:
    assert contains(spec, version) is expected


@pytest.mark.parametrize(
    ("spec", "expected"), [("==2.15.*", True), (">=2,<3", True), ("~=2.15", True), ("=> 2.15", False), ("newest", False)]
)
def test_readable(spec: str, expected: bool) -> None:
    assert readable(spec) is expected
