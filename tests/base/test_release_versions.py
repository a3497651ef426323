"""The order of versions is that of PEP 440, checked against ``packaging``."""

from __future__ import annotations

import itertools

import pytest
from packaging.version import Version

from provisioner.base.versions import is_prerelease, is_version, minor_of, version_key

KNOWN = ["1.15.0", "2.2.0", "2.10.0", "2.15.0rc0", "2.15.0rc1", "2.15.0b2", "2.15.0", "2.15.0.post1", "2.15.1", "2.22.0rc0"]


@pytest.mark.parametrize(("left", "right"), list(itertools.combinations(KNOWN, 2)))
def test_order_is_that_of_packaging(left: str, right: str) -> None:
    assert (version_key(left) < version_key(right)) == (Version(left) < Version(right))


@pytest.mark.parametrize("version", KNOWN)
def test_prerelease_and_minor_are_those_of_packaging(version: str) -> None:
    assert is_prerelease(version) == Version(version).is_prerelease
    assert minor_of(version) == f"{Version(version).major}.{Version(version).minor}"


@pytest.mark.parametrize("text", ["", "2.x", "v2.15", "2.15.0 ", "2.15.0-1", "2.15.0+cpu", "2.15\n"])
def test_other_forms_are_refused(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(ValueError, match="not a release version"):
        version_key(text)
