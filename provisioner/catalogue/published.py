"""Wheels that contradict their own RECORD as published: the file ``profiles/published.json``, which ``tools/published.py`` writes from the wheels."""

from __future__ import annotations

from typing import Any

from provisioner.errors import InputError
from provisioner.model.codec import from_data
from provisioner.model.record import record

NAME = "published.json"
SCHEMA = "tfsetup/published/1"
# Path in the wheel, recorded SHA-256, and that of the file ("" for one that the wheel has not), both as RECORD writes them: base64 without padding.
Contradiction = tuple[str, str, str]


@record
class PublishedFile:
    """A file of a wheel that is not as the wheel's RECORD says: ``found`` is "" where the wheel has no such file."""

    path: str
    recorded: str
    found: str


@record
class PublishedWheel:
    """A wheel, by its hash, and its files that contradict its RECORD."""

    name: str
    version: str
    filename: str
    sha256: str
    files: tuple[PublishedFile, ...]


@record
class Published:
    """What was read: ``made`` is a date, ``read`` the number of wheels, ``how`` says in words what of each was compared."""

    made: str
    read: int
    how: str
    wheels: tuple[PublishedWheel, ...] = ()

    @property
    def contradictions(self) -> frozenset[Contradiction]:
        """Every such file, whichever wheel it is of."""
        return frozenset((file.path, file.recorded, file.found) for wheel in self.wheels for file in wheel.files)


def read_published(data: Any, *, file: str) -> Published:
    """Check and return the content of ``published.json``; raises ``InputError``."""
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise InputError(f"is not of the form {SCHEMA}", place=file)
    return from_data(Published, {key: value for key, value in data.items() if key != "schema"}, file=file)
