"""Requirements (PEP 508) that stand in metadata and files of others: read by ``packaging``, whose import costs 10 ms, and fail in one way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from provisioner.base.names import normalise
from provisioner.base.numbers import DIGITS

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

LONGEST, DEEPEST = 16_000, 60
_DIGITS = re.compile(rf"\d{{{DIGITS + 1}}}")


def is_beyond(text: str) -> bool:
    """True for what no requirement or version is: ``packaging`` fails at it by errors that it does not announce."""
    return len(text) > LONGEST or text.count("(") > DEEPEST or _DIGITS.search(text) is not None


# An environment of two hundred packages has two thousand, and a plan asks about each of them many times.
@lru_cache(maxsize=1 << 13)
def read_requirement(text: str) -> Requirement:
    """Return the requirement, which nobody may change; raises ``ValueError`` for everything that is none."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - see above

    if is_beyond(text):
        raise ValueError("longer, deeper, or with more digits than any requirement")
    return Requirement(text)


def name_of(text: str) -> str:
    """Return whom a requirement is about, in the form in which names are compared (PEP 503); raises ``ValueError`` as ``read_requirement`` does."""
    return normalise(read_requirement(text).name)


def applies(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """True where the marker holds, or there is none; one that compares what cannot be compared holds nowhere."""
    try:
        return requirement.marker is None or requirement.marker.evaluate(dict(environment))
    except ValueError:
        return False


def admits(specifier: SpecifierSet, version: str) -> bool:
    """True where a version, a pre-release too, meets a specifier; one that is none meets nothing."""
    try:
        return not is_beyond(version) and specifier.contains(version, prereleases=True)
    except ValueError:
        return False


def bare(text: str) -> str:
    """Return a requirement without its versions; one with an address stays as it is."""
    requirement = read_requirement(text)
    if requirement.url:
        return text
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}" + (f"; {requirement.marker}" if requirement.marker else "")
