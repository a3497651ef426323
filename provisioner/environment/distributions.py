"""What is installed: the record of a distribution, and reading it from its metadata folder."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from provisioner.environment.layout import SHAPES
from provisioner.environment.metadata import Metadata, name_of_folder, parse_metadata
from provisioner.host import Entry, Reader, files
from provisioner.model.record import record

_COMPILED = re.compile(r"cp3(\d+)-cp3\1m?-")
# The headers of METADATA, which stand before any description.
METADATA_LIMIT = 1 << 20
# Where a folder of packages comes from, seen from the interpreter that looks into it.
Origin = Literal["stdlib", "environment", "base", "user", "PYTHONPATH", "cwd", "pth", "other"]


@record
class Installed:
    """A distribution as its metadata folder tells; what was not asked for is empty.

    ``metadata`` is that folder (a file for the oldest eggs): relative to the environment as part of one (``read_distributions``), else absolute.
    ``site`` is the folder of packages (absolute) that its files are relative to, and ``origin`` what that folder is. ``recorded`` is false when
    RECORD (of an egg: installed-files.txt) is missing. From METADATA: ``requires`` (PEP 508) and ``requires_python``; from the files beside it:
    ``wheel_tags``, ``installer``, and ``direct``, true where it came from no index (PEP 610); ``requested`` is true where a person named it to pip
    (PEP 376; uv says so of everything). ``damaged`` says what is wrong with the folder; name and version are then those of its name.
    """

    name: str
    version: str
    metadata: str = ""
    recorded: bool = True
    site: str = ""
    origin: Origin = "environment"
    requires: tuple[str, ...] = ()
    requires_python: str = ""
    wheel_tags: tuple[str, ...] = ()
    installer: str = ""
    direct: bool = False
    requested: bool = False
    damaged: str = ""


def is_metadata(base: str) -> bool:
    """True for the name of a metadata folder; pip puts a tilde before it while it removes one (``AdjacentTempDirectory``)."""
    return base.endswith((".dist-info", ".egg-info")) and not is_leftover(base)


def is_leftover(base: str) -> bool:
    """True for what pip renamed before it failed to remove it (``AdjacentTempDirectory``)."""
    return base.startswith("~")


def read_distributions(reader: Reader, root: str, site_packages: str) -> tuple[Installed, ...]:
    """Return the distributions of the folder ``site_packages`` (absolute) of the environment at ``root``, in order; no file of theirs is read."""
    found: list[Installed] = []
    for entry in reader.list(site_packages, named=is_metadata):
        name, version = name_of_folder(posixpath.basename(entry.path))
        if not version:
            continue
        recorded = entry.kind == "directory" and reader.exists(record_of(entry.path))
        metadata = posixpath.relpath(entry.path, root)
        found.append(Installed(name=name, version=version, metadata=metadata, site=site_packages, recorded=recorded))
    return tuple(sorted(found, key=lambda item: (item.name, item.version)))


def record_of(metadata: str) -> str:
    """Return the file that lists the files of the distribution with that metadata folder."""
    return posixpath.join(metadata, "RECORD" if metadata.endswith(".dist-info") else "installed-files.txt")


def described(path: str, told: Metadata) -> Installed:
    """Return what METADATA tells of the metadata folder ``path`` (absolute); its own name where METADATA names no distribution and version. Pure."""
    name, version = (told.name, told.version) if told.name and told.version else name_of_folder(posixpath.basename(path))
    return Installed(
        name=name,
        version=version,
        metadata=path,
        site=posixpath.dirname(path),
        requires=told.requires,
        requires_python=told.requires_python,
    )


def installed(reader: Reader, env: str) -> tuple[Installed, ...]:
    """Return the wheels in ``env`` with what they require; their files are not looked at, and one without METADATA is left out."""
    entries = [entry for site in sites(reader, env) for entry in reader.list(site, named=is_metadata) if entry.path.endswith(".dist-info")]
    read = [(entry.path, *read_metadata(reader, entry)) for entry in entries]
    return tuple(
        replace(described(path, told), requested=_is_requested(reader, path)) for path, text, told in read if text.text is not None
    )


def _is_requested(reader: Reader, path: str) -> bool:
    named = files.there(reader, posixpath.join(path, "REQUESTED"))
    return named and files.line(reader, posixpath.join(path, "INSTALLER")) == "pip"


def read_installed(reader: Reader, entry: Entry, origin: Origin = "environment") -> Installed:
    """Return all that the metadata folder (or file) ``entry`` tells."""
    path, base = entry.path, posixpath.basename(entry.path)
    wheel = base.endswith(".dist-info")
    text, told = read_metadata(reader, entry)
    recorded = entry.kind == "directory" and files.there(reader, record_of(path))
    damaged = ""
    if text.text is None:
        damaged = f"{posixpath.basename(text.path)} is missing" if text.missing else text.why
    elif not told.name or not told.version or "\0" in text.text:
        damaged = f"{posixpath.basename(text.path)} is no metadata"
    if damaged:
        told = told._replace(name="", version="")
    return replace(
        described(path, told),
        recorded=recorded,
        origin=origin,
        wheel_tags=_tags(reader, path) if wheel else (),
        installer=files.line(reader, posixpath.join(path, "INSTALLER")) if wheel else "",
        direct=files.there(reader, posixpath.join(path, "direct_url.json")),
        damaged=damaged or ("RECORD is missing" if wheel and not recorded else ""),
    )


def read_metadata(reader: Reader, entry: Entry) -> tuple[files.Text, Metadata]:
    """Read METADATA of a wheel's metadata folder, PKG-INFO of an egg's, or the egg's single file; the text says where, or why there is none."""
    name = "METADATA" if entry.path.endswith(".dist-info") else "PKG-INFO"
    place = posixpath.join(entry.path, name) if entry.kind == "directory" else entry.path
    text = files.read(reader, place, METADATA_LIMIT)
    return text, parse_metadata(text.text or "")


def _tags(reader: Reader, path: str) -> tuple[str, ...]:
    """The ``Tag`` lines of WHEEL (binary distribution format); none for what was not installed from a wheel."""
    text = files.read(reader, posixpath.join(path, "WHEEL"), 1 << 14).text or ""
    return tuple(re.findall(r"^Tag:[ \t]*([A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+)[ \t]*\r?$", text, re.MULTILINE))


def tagged(reader: Reader, root: str, items: Iterable[Installed]) -> tuple[Installed, ...]:
    """Return distributions whose metadata folders are relative to the environment at ``root`` with the tags of their wheels."""
    return tuple(replace(item, wheel_tags=_tags(reader, posixpath.join(root, item.metadata))) for item in items)


def compiled_for(items: Iterable[Installed]) -> str:
    """Return the Python (``3.10``) that wheels are compiled for (PEP 425: ``cp310-cp310-win_amd64``); "" where none is, or some for another. Pure."""
    found = {tag[1] for item in items for text in item.wheel_tags if (tag := _COMPILED.match(text))}
    return f"3.{found.pop()}" if len(found) == 1 else ""


def leftovers(reader: Reader, root: str, site_packages: str) -> tuple[str, ...]:
    """Folders that pip renamed before it failed to remove them."""
    return tuple(posixpath.relpath(entry.path, root) for entry in reader.list(site_packages, named=is_leftover))


def sites(reader: Reader, env: str) -> tuple[str, ...]:
    """Return the site-packages folders of an environment, of Unix and of Windows layout; links followed, each once."""
    root = files.glob_escape(env)
    found = [path for shape in SHAPES for path in reader.glob(posixpath.join(root, shape.packages))]
    return tuple(dict.fromkeys(reader.real(path) for path in found))
