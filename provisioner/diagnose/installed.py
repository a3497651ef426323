"""The distributions on a module path, read from their metadata folders; whatever is damaged about one is said in it."""

from __future__ import annotations

import posixpath
import re

from provisioner.diagnose.case import Distribution, PathEntry
from provisioner.environment.distributions import name_of_folder, parse_metadata
from provisioner.host import Reader, files

METADATA_LIMIT = 1 << 20


def distributions(reader: Reader, path: tuple[PathEntry, ...]) -> tuple[Distribution, ...]:
    """Every distribution of every folder on the path, in its order; a folder that is there twice (``lib64`` is a link) is read once."""
    found: list[Distribution] = []
    seen: set[str] = set()
    for entry in path:
        real = files.real(reader, entry.path)
        if real in seen or entry.origin == "stdlib":
            continue
        seen.add(real)
        try:
            children = reader.list(real)
        except files.FAULTS:
            continue
        for child in children:
            base = posixpath.basename(child.path)
            if base.endswith((".dist-info", ".egg-info")) and not base.startswith("~"):
                found.append(_read(reader, child.path, entry, folder=child.kind == "directory"))
    return tuple(found)


def _read(reader: Reader, path: str, entry: PathEntry, *, folder: bool) -> Distribution:
    base = posixpath.basename(path)
    wheel = base.endswith(".dist-info")
    place = posixpath.join(path, "METADATA" if wheel else "PKG-INFO") if folder else path
    text = files.read(reader, place, METADATA_LIMIT)
    name, version, requires, requires_python = parse_metadata(text.text or "")
    damaged = ""
    if text.text is None:
        damaged = f"{posixpath.basename(place)} is missing" if text.missing else text.why
    elif not name or not version or "\0" in text.text[:METADATA_LIMIT]:
        damaged = f"{posixpath.basename(place)} is no metadata"
    if damaged:
        name, version = name_of_folder(base)
    elif wheel and not files.there(reader, posixpath.join(path, "RECORD")):
        damaged = "RECORD is missing"
    return Distribution(
        name=name,
        version=version,
        metadata=path,
        site=posixpath.dirname(path),
        origin=entry.origin,
        requires=requires,
        requires_python=requires_python,
        wheel_tags=_tags(reader, path) if wheel else (),
        installer=files.line(reader, posixpath.join(path, "INSTALLER")) if wheel else "",
        damaged=damaged,
    )


def _tags(reader: Reader, path: str) -> tuple[str, ...]:
    """The ``Tag`` lines of WHEEL (binary distribution format); none for what was not installed from a wheel."""
    text = files.read(reader, posixpath.join(path, "WHEEL"), 1 << 14).text or ""
    return tuple(re.findall(r"^Tag:[ \t]*([A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+)[ \t]*\r?$", text, re.MULTILINE))
