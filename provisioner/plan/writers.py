"""Packages that would write one file, each another one: refused when planning, by the lists of files of the wheels that uv's cache holds unpacked.

A wheel that is not there yet is judged by the proof, when it has come: a change that ends with such a file is taken back.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping

from provisioner.base.names import normalise
from provisioner.environment.metadata import name_of_folder
from provisioner.environment.owners import read_rows
from provisioner.errors import UsageError
from provisioner.host import Reader, files
from provisioner.judge.integrity import BESIDE
from provisioner.model.catalogue import LockedFile
from provisioner.model.record import record

# Where uv keeps wheels unpacked ("Caching" in its documentation tells the folder; the layout is that of uv 0.9 and before).
UNPACKED = "archive-v0/*/*.dist-info"
SHOWN = 3


@record
class Collision:
    """Two packages, and the files (as the wheels have them) that both would write, each another one."""

    first: str
    second: str
    paths: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The collision in words."""
        more = f", and {len(self.paths) - SHOWN} more" if len(self.paths) > SHOWN else ""
        return f"{self.first} and {self.second} both write {', '.join(self.paths[:SHOWN])}{more}, and not the same"


def collisions(reader: Reader, cache: str, wheels: Iterable[LockedFile], added: Collection[str]) -> tuple[Collision, ...]:
    """Return what the packages ``added`` (names) would write over others of ``wheels``, or these over them; ``cache`` is uv's folder."""
    unpacked = _unpacked(reader, cache)
    wanted = {(normalise(wheel.name), wheel.version): wheel.name for wheel in wheels}
    owners: dict[str, tuple[str, str]] = {}
    found: dict[tuple[str, str], list[str]] = {}
    # What is added comes last, so that each of its files meets those of all others.
    for key in sorted(wanted, key=lambda item: (wanted[item] in added, item)):
        rows = read_rows(reader, unpacked[key]) if key in unpacked else None
        for row in rows or ():
            if not row.digest or ".dist-info/" in row.path or BESIDE.match(row.path):
                continue
            name, digest = owners.setdefault(row.path, (wanted[key], row.digest))
            if digest != row.digest and {name, wanted[key]} & set(added):
                found.setdefault((name, wanted[key]), []).append(row.path)
    return tuple(Collision(first=first, second=second, paths=tuple(paths)) for (first, second), paths in found.items())


def _unpacked(reader: Reader, cache: str) -> Mapping[tuple[str, str], str]:
    """The metadata folders of the wheels that the cache holds, by name and version."""
    folders = files.matches(reader, posixpath.join(files.glob_escape(cache), UNPACKED))
    return {name_of_folder(posixpath.basename(folder)): folder for folder in folders}


def check(reader: Reader, cache: str, wheels: Iterable[LockedFile], added: Collection[str]) -> None:
    """Raise ``UsageError`` with every collision, both names in each."""
    found = collisions(reader, cache, wheels, added)
    if found:
        hint = "ask for one of them only: the last one wins, and the other one is broken"
        raise UsageError("; ".join(item.sentence for item in found), place="--with", hint=hint)
