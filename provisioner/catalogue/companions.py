"""What goes with a release of the packages that are bound to some: add-ons of TensorFlow's, and what was seen to fail with others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from provisioner.base.requirement import admits, read_requirement
from provisioner.base.versions import contains
from provisioner.catalogue.fits import SAME_MINOR, Companion, Fits
from provisioner.model.catalogue import NO_ADDON, Release


def astray(fits: Fits, package: str, version: str, release: str) -> tuple[Companion, ...]:
    """Return the rules that a version of a package breaks beside a release."""
    rules = (rule for rule in fits.companions if rule.package == package)
    return tuple(rule for rule in rules if rule.judges(version, release) and not rule.goes_with(version, release))


def unfit(release: Release, fits: Fits, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Return which of the ``wanted`` packages (names, with the one version that is asked for, "" for any) do not go with a release."""
    return tuple(name for name, version in wanted.items() if _is_unfit(release, fits, name, version))


def _is_unfit(release: Release, fits: Fits, name: str, version: str) -> bool:
    if version:
        return bool(astray(fits, name, version, release.version))
    rules = (rule for rule in fits.companions if rule.package == name and not rule.versions and rule.tensorflow != SAME_MINOR)
    none = any(not contains(rule.tensorflow, release.version, prereleases=True) for rule in rules)
    return none or release.addons.get(name) == NO_ADDON


def limits_beside(release: Release | None, names: Iterable[str]) -> Iterator[str]:
    """Yield requirements that hold add-ons, of which any version would be taken, to those that are for a release."""
    for name in sorted(names):
        spec = release.addons.get(name, NO_ADDON) if release is not None else NO_ADDON
        if spec != NO_ADDON:
            yield f"{name}{spec}"


def limits_around(release: Release, fits: Fits, offered: Mapping[str, str], *, other: bool = False) -> tuple[str, ...]:
    """Return requirements that an answer (packages with their versions) does not meet, and that are known beyond what its metadata says.

    They hold add-ons to the versions for the release. Of packages that need what they do not say other versions are taken where there are some, else
    they get what they need; that first with ``other``.
    """
    found = [
        f"{name}{spec}"
        for name, version in sorted(offered.items())
        if (spec := release.addons.get(name, NO_ADDON)) != NO_ADDON and astray(fits, name, version, release.version)
    ]
    for rule in fits.unsaid:
        there = offered.get(rule.package)
        needed = read_requirement(rule.needs)
        version = offered.get(needed.name, "")
        if there is not None and contains(rule.versions, there, prereleases=True) and not (version and admits(needed.specifier, version)):
            found.append(rule.needs if other or not rule.instead else f"{rule.package}{rule.instead}")
    return tuple(found)
