"""The files of a metadata folder as texts: METADATA (or PKG-INFO) and RECORD, each with its one reader. Pure; neither ever raises.

Formats: PyPA's "Core metadata specifications", which are headers of an e-mail (``email.parser`` and ``packaging.metadata`` cost 12 and 38 ms to
import), and "Recording installed projects", which is CSV (``csv`` would end at the first row that is none, and a damaged record must still be
read to its end).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from provisioner.base.names import normalise

# Longer ones are no sizes of files; Python refuses to convert numbers of several thousand digits.
SIZE_DIGITS = 15
# Linux' PATH_MAX; no system has files with longer paths that a package could bring.
PATH_LONGEST = 4096


class Metadata(NamedTuple):
    """What METADATA says: normalised name, version, PEP 508 texts, and a specifier for Python; "" for what it does not say."""

    name: str
    version: str
    requires: tuple[str, ...]
    requires_python: str


class Row(NamedTuple):
    """One line of a RECORD: ``path`` as it stands there; ``digest`` is "" and ``size`` (bytes) -1 where the line has none.

    A tuple, because there are tens of thousands.
    """

    path: str
    digest: str
    size: int


def parse_metadata(text: str) -> Metadata:
    """Read the headers, up to the first empty line, whatever ends the lines. Of a name that is there twice the first counts, as in ``email``."""
    single = {"name": "", "version": "", "requires-python": ""}
    requires: list[str] = []
    last = ""
    for line in _headers(text):
        if line[0] in " \t":
            # The line before goes on (RFC 5322, "folding").
            if last == "requires-dist":
                requires[-1] = f"{requires[-1]} {line.strip()}"
            continue
        key, _, value = line.partition(":")
        last = key.lower()
        if last == "requires-dist":
            requires.append(value.strip())
        elif last in single:
            single[last] = single[last] or value.strip()
    return Metadata(normalise(single["name"]), single["version"], tuple(requires), single["requires-python"])


def _headers(text: str) -> Iterator[str]:
    # Not ``splitlines``, which takes form feeds and their like for the ends of lines, too.
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line:
            return
        yield line


def parse_record(text: str) -> Iterator[Row]:
    """Yield the rows of a RECORD. What is no row of a file is passed over: an open quote, a path that is empty, too long or has a NUL in it."""
    for line in text.split("\n"):
        fields = _quoted(line) if '"' in line else line.rstrip("\r").split(",")
        path = fields[0] if fields else ""
        if not path or len(path) > PATH_LONGEST or "\0" in path:
            continue
        told = fields[2] if len(fields) > 2 else ""  # noqa: PLR2004 - path, digest, size
        size = int(told) if told.isascii() and told.isdecimal() and len(told) <= SIZE_DIGITS else -1
        yield Row(path, fields[1] if len(fields) > 1 else "", size)


def _quoted(line: str) -> list[str]:
    import csv  # noqa: PLC0415 - only where a path has a comma in it

    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def name_of_folder(base: str) -> tuple[str, str]:
    """Return normalised name and version as a metadata folder's own name tells them (PEP 376)."""
    name, _, version = base.rsplit(".", 1)[0].partition("-")
    return normalise(name), version.split("-py")[0] if base.endswith(".egg-info") else version
