"""Packages that would write one file, each another one: refused when planning, by the lists of files of what is installed and of what comes.

The lists are those of the environment, of uv's cache where it holds a wheel unpacked, else of the wheels' ends on the index. Where none of these
tells, the proof judges when it has come: a change that ends with such a file is taken back.
"""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from provisioner.engines._central import commands, installed_path
from provisioner.environment.metadata import Row, name_of_folder
from provisioner.environment.owners import read_rows
from provisioner.errors import UsageError
from provisioner.host import Reader, files
from provisioner.judge.comparing import BESIDE
from provisioner.model.record import record

# Where uv keeps wheels unpacked ("Caching" in its documentation tells the folder; the layout is that of uv 0.9 and before).
UNPACKED = "archive-v0/*/*.dist-info"
SHOWN = 3
ENTRIES = "entry_points.txt"
PIECE_BYTES = 1 << 22
# What a wheel's directory tells in the place of RECORD's hash.
CRC = "crc32="


@record
class Package:
    """A package with its files: ``metadata`` is its folder where it lies unpacked (absolute), else ``rows`` tell them."""

    name: str
    version: str
    metadata: str = ""
    rows: tuple[Row, ...] = ()


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


def listed(name: str, version: str, rows: Iterable[tuple[str, int, int]]) -> Package:
    """Return a package by its wheel's directory: path, size, CRC-32 of each file."""
    told = tuple(Row(path, f"{CRC}{crc:08x}", size) for path, size, crc in rows)
    return Package(name=name, version=version, rows=told)


def collisions(reader: Reader, packages: Iterable[Package], added: Collection[str]) -> tuple[Collision, ...]:
    """Return what the packages ``added`` (names) would write over others, or these over them."""
    owners: dict[str, tuple[Package, Row]] = {}
    found: dict[tuple[str, str], list[str]] = {}
    # What is added comes last, so that each of its files meets those of all others.
    for package in sorted(packages, key=lambda item: (item.name in added, item.name)):
        for row in _rows(reader, package):
            other, its = owners.setdefault(row.path, (package, row))
            if other.name == package.name or not {other.name, package.name} & set(added):
                continue
            if not _same(reader, (other, its), (package, row)):
                found.setdefault((other.name, package.name), []).append(row.path)
    return tuple(Collision(first=first, second=second, paths=tuple(paths)) for (first, second), paths in found.items())


def _rows(reader: Reader, package: Package) -> Iterator[Row]:
    """The files that count: whose content is told, and that somebody imports or calls. Commands are told by what they call."""
    for row in package.rows or (read_rows(reader, package.metadata) if package.metadata else None) or ():
        path = installed_path(row.path)
        if row.digest and ".dist-info/" not in path and not path.startswith("../") and not BESIDE.match(path):
            yield row._replace(path=path)
    text = files.read(reader, posixpath.join(package.metadata, ENTRIES)).text if package.metadata else ""
    yield from (Row(path, f"{CRC}{crc:08x}", size) for path, size, crc in commands(text or ""))


def _same(reader: Reader, one: tuple[Package, Row], other: tuple[Package, Row]) -> bool:
    """True where two have the same file, or nobody can tell."""
    rows = one[1], other[1]
    if min(row.size for row in rows) >= 0 and rows[0].size != rows[1].size:
        return False
    if len({row.digest.startswith(CRC) for row in rows}) == 1:
        return rows[0].digest == rows[1].digest
    told = [row.digest if row.digest.startswith(CRC) else _crc(reader, package, row) for package, row in (one, other)]
    return "" in told or told[0] == told[1]


def _crc(reader: Reader, package: Package, row: Row) -> str:
    """Return what a wheel's directory would tell of a file that lies unpacked; "" where it cannot be read."""
    path, found, read = posixpath.join(posixpath.dirname(package.metadata), row.path), 0, 0
    try:
        while data := reader.read_bytes(path, PIECE_BYTES, read):
            found, read = zlib.crc32(data, found), read + len(data)
    except files.FAULTS:
        return ""
    return f"{CRC}{found:08x}"


def unpacked(reader: Reader, cache: str) -> Mapping[tuple[str, str], str]:
    """The metadata folders of the wheels that uv's ``cache`` holds, by name and version."""
    folders = files.matches(reader, posixpath.join(files.glob_escape(cache), UNPACKED))
    return {name_of_folder(posixpath.basename(folder)): folder for folder in folders}


def refuse(found: Sequence[Collision], place: str) -> None:
    """Raise ``UsageError`` with every collision, both names in each; ``place`` is the option that brings them together."""
    if found:
        hint = "have one of them only: the last one wins, and the other one is broken"
        raise UsageError("; ".join(item.sentence for item in found), place=place, hint=hint)
