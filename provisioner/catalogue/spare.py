"""Wheels that are in no set and may come in a package's place or beside a set: ``profiles/spare.json``, written by ``tools/spare.py`` from the index.

Between the versions that sets have lie those that alone go with an old TensorFlow and a newer package of one's own: protobuf 3.20 loads the code that
TensorFlow up to 2.8 was generated with, and is what the libraries of Google have asked for since. And what Windows
lacks without Microsoft's redistributable, the Visual C++ runtime, is packed by a wheel, of which each Python has its own.
"""

from __future__ import annotations

from typing import Any

from provisioner.errors import InputError
from provisioner.model.catalogue import LockedFile
from provisioner.model.codec import from_data
from provisioner.model.record import record

NAME = "spare.json"
SCHEMA = "tfsetup/spare/1"


@record
class SpareWheels:
    """The wheels for one Python (``3.7``) and platform."""

    python: str
    platform: str
    files: tuple[LockedFile, ...]


@record
class Spare:
    """All of them; ``made`` is the date."""

    made: str
    wheels: tuple[SpareWheels, ...]

    def files(self, python: str, platform: str) -> tuple[LockedFile, ...]:
        """Return those for a Python and platform."""
        return tuple(file for item in self.wheels if (item.python, item.platform) == (python, platform) for file in item.files)


def read_spare(data: Any, *, file: str) -> Spare:
    """Check and return the content of ``spare.json``; raises ``InputError``."""
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise InputError(f"is not of the form {SCHEMA}", place=file)
    return from_data(Spare, {key: value for key, value in data.items() if key != "schema"}, file=file)
