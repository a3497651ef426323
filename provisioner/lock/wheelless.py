"""What uv says of packages that have no wheel that would do, read out of its explanations. Pure."""

from __future__ import annotations

import re

from provisioner.base.names import is_rival, normalise

# What uv says (0.9 to 0.13) of a package that it may not build, in its hint or in the reasons themselves.
_LACKING = re.compile(
    r"(?:Wheels are (?:available|required) for|only found wheels for) `([A-Za-z0-9._-]+)`"
    r"|(?<![A-Za-z0-9._=<>!~,-])([A-Za-z0-9][A-Za-z0-9._-]{0,100}?)(?:\[[^\]\s]{0,100}\])?(?:[=<>!~]=?\S{0,100})?"
    r" (?:has|have) no (?:usable wheels|wheels with)"
)
_NOWHERE = re.compile(r"all versions of ([A-Za-z0-9._-]{1,100}) have no usable wheels")
# What uv says of a package that has wheels, and none for this Python.
OTHER_PYTHON = re.compile(r"no wheels with a matching Python")
NO_SOURCE = re.compile(r"no source distribution")
# What it says of one that has wheels for newer or other systems, and no source.
OTHER_PLATFORM = "no wheels with a matching platform tag"
_OF_PLATFORM = re.compile(
    rf"(?<![\w.-])([A-Za-z0-9][\w.-]{{0,100}}?)(?:\[[^\]\s]{{0,100}}\])?(?:[=<>!~]=?\S{{0,100}})? (?:has|have) {OTHER_PLATFORM}"
)
# What it says where wheels are there: "Wheels are available for `scann` (v1.4.2) on the following platforms: `manylinux_2_27_x86_64`, ...".
_THERE = re.compile(r"Wheels are available for `[^`]{1,100}`[^:]{0,200}:((?: `[a-z0-9_]{1,100}`,?){1,50})")


def lacking(said: str) -> frozenset[str]:
    """Return the packages without a usable wheel in the words of uv, normalised."""
    names = {normalise(first or second) for first, second in _LACKING.findall(said)}
    # What has no letter in it is the end of a range of versions.
    return frozenset(name for name in names if not is_rival(name) and any(map(str.isalpha, name)))


def nowhere(said: str) -> frozenset[str]:
    """Return the packages of which no version has a usable wheel, in the words of uv."""
    return frozenset(map(normalise, _NOWHERE.findall(said)))


def elsewhere(said: str) -> frozenset[str]:
    """Return the packages of which there are wheels for newer or other systems alone, and no source, in the words of uv."""
    return frozenset(map(normalise, _OF_PLATFORM.findall(said)))


def oldest_there(said: str, machine: str) -> str:
    """Return the oldest glibc for which wheels are there for a machine (``x86_64``), in the words of uv; "" where it names none."""
    found = [re.findall(rf"manylinux_(\d{{1,4}})_(\d{{1,4}})_{machine}`", text) for text in _THERE.findall(" ".join(said.split()))]
    oldest = [min((int(major), int(minor)) for major, minor in versions) for versions in found if versions]
    return "{}.{}".format(*max(oldest)) if oldest else ""
