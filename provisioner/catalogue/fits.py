"""What goes with which TensorFlow, beyond what the packages' metadata says: the file ``profiles/fits.yaml``."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from provisioner.base.requirement import read_requirement
from provisioner.base.versions import contains, minor_of, readable
from provisioner.errors import InputError
from provisioner.model.codec import from_data
from provisioner.model.record import record

SCHEMA = "tfsetup/fits/1"
SAME_MINOR = "same minor"
# What fails: the import of TensorFlow or of tf.keras, or something that is done later.
Breaks = Literal["import", "use"]


@record
class Misfit:
    """In TensorFlow ``releases``, ``versions`` of ``package`` do not work (PEP 440 specifiers); ``pythons`` empty means on all of them."""

    package: str
    releases: str
    versions: str
    breaks: Breaks
    reason: str
    reference: str
    pythons: tuple[str, ...] = ()


@record
class Companion:
    """``versions`` of ``package`` go with TensorFlow ``tensorflow`` only (a specifier, or ``SAME_MINOR``), judged in ``releases``.

    ``install`` names for each release (``2.15``) the version that goes with it.
    """

    package: str
    tensorflow: str
    cause: str
    breaks: Breaks
    reason: str
    reference: str
    versions: str = ""
    releases: str = ""
    install: dict[str, str] = field(default_factory=dict)

    def judges(self, version: str, release: str) -> bool:
        """True where the rule is about a version of its package, beside a release."""
        there = not self.releases or contains(self.releases, release, prereleases=True)
        return there and (not self.versions or contains(self.versions, version, prereleases=True))

    def goes_with(self, version: str, release: str) -> bool:
        """True where a version that the rule is about goes with a release."""
        if self.tensorflow == SAME_MINOR:
            return minor_of(version) == minor_of(release)
        return contains(self.tensorflow, release, prereleases=True)


@record
class Deprecated:
    """``versions`` of ``package`` (empty: all) no longer serve."""

    package: str
    versions: str
    instead: str
    reason: str
    reference: str


@record
class Built:
    """A package without wheels that add-ons need: its source distribution may be built without a further word."""

    package: str
    reason: str
    reference: str


@record
class Unsaid:
    """``versions`` of ``package`` (empty: all) need what their metadata does not say: ``needs``, a requirement (PEP 508); ``instead`` do not."""

    package: str
    needs: str
    reason: str
    reference: str
    versions: str = ""
    instead: str = ""


@record
class Fits:
    """The file. ``imported`` are distributions, ``modules`` and ``standard_library`` top-level names that ``import tensorflow`` imports.

    ``pip`` is the oldest that sees the wheels of every release.
    """

    sources: tuple[str, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    companions: tuple[Companion, ...] = ()
    deprecated: tuple[Deprecated, ...] = ()
    built: tuple[Built, ...] = ()
    unsaid: tuple[Unsaid, ...] = ()
    imported: tuple[str, ...] = ()
    not_always: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    standard_library: tuple[str, ...] = ()
    pip: str = ""

    @property
    def bound(self) -> frozenset[str]:
        """The packages that go with some releases only."""
        return frozenset(rule.package for rule in self.companions)

    def known_bad(self, package: str, version: str, release: str, python: str) -> tuple[Misfit, ...]:
        """The misfits that a version of a package is beside a TensorFlow ``release``, on a Python such as ``3.11``."""
        return tuple(
            rule
            for rule in self.misfits
            if rule.package == package
            and (not rule.pythons or python in rule.pythons)
            and contains(rule.releases, release, prereleases=True)
            and contains(rule.versions, version, prereleases=True)
        )


def read_fits(data: Any, *, file: str) -> Fits:
    """Return the parsed YAML as ``Fits``; raises ``InputError`` that lists every fault: fields, and texts that are no specifiers."""
    fits = from_data(Fits, data, file=file, schema=SCHEMA)
    faults = [
        f"{place}: not a version specifier: {spec!r}"
        for place, spec in [
            *((f"misfits[{number}]", text) for number, item in enumerate(fits.misfits) for text in (item.releases, item.versions)),
            *((f"companions[{number}]", text) for number, item in enumerate(fits.companions) for text in _specifiers(item)),
            *((f"deprecated[{number}]", item.versions) for number, item in enumerate(fits.deprecated)),
            *((f"unsaid[{number}]", text) for number, item in enumerate(fits.unsaid) for text in (item.versions, item.instead)),
        ]
        if spec and not readable(spec)
    ]
    faults += [
        f"unsaid[{number}]: not a requirement: {item.needs!r}" for number, item in enumerate(fits.unsaid) if not _is_requirement(item.needs)
    ]
    if faults:
        raise InputError("cannot be read", place=file, faults=tuple(faults))
    return fits


def _specifiers(item: Companion) -> tuple[str, ...]:
    return (item.versions, item.releases, "" if item.tensorflow == SAME_MINOR else item.tensorflow)


def _is_requirement(text: str) -> bool:
    try:
        return bool(read_requirement(text).name)
    except ValueError:
        return False
