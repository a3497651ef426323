"""What the packages of the sets require: the file ``profiles/needs.json``, written by ``tools/needs.py`` from the METADATA of their wheels.

So a plan can tell, without the network, within which limits a package of a set may be exchanged for another version.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from provisioner.errors import InputError
from provisioner.model.json_text import read_json
from provisioner.model.record import record

NAME = "needs.json"
SCHEMA = "tfsetup/needs/1"


@record
class Needs:
    """Requirements (PEP 508, without those of extras) by name and version."""

    known: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def of(self, name: str, version: str) -> tuple[str, ...] | None:
        """Return what a distribution requires, None where nobody has looked."""
        return self.known.get((name, version))


def read_needs(text: str, *, file: str) -> Needs:
    """Read the file: under ``packages``, by name, lists of versions each with what they require; raises ``InputError`` for anything else."""
    try:
        data = read_json(text)
        packages = _packages(data)
        known = {
            (str(name), str(version)): tuple(map(str, group["requires"]))
            for name, groups in packages.items()
            for group in groups
            for version in group["versions"]
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"expected {SCHEMA}: {type(error).__name__}: {error}", place=file) from None
    return Needs(known=known)


def _packages(data: Any) -> dict[str, Any]:
    """Return what is under ``packages``; raises ``ValueError`` for a file of another generation."""
    if data["schema"] != SCHEMA:
        raise ValueError(data["schema"])
    found: dict[str, Any] = data["packages"]
    return found
