"""What lies in uv's cache, by its folders alone: enough to say how much of a set will not be downloaded, and how files come out of it."""

from __future__ import annotations

import importlib
import posixpath
from collections.abc import Iterable
from typing import Any

from provisioner.host import Reader, files
from provisioner.model.plan import Package

# The parts of the cache that an install writes to (uv's documentation, "Caching"; each has a version of its own at its end).
_PARTS = ("archive-v", "builds-v", "interpreter-v", "sdists-v", "simple-v", "wheels-v")
# Fields of what is kept of a wheel's metadata that are read.
_FIELDS = 4


def in_cache(reader: Reader, cache: str, packages: Iterable[Package]) -> frozenset[str]:
    """Return the names of those packages that some index has given before.

    uv keeps a wheel as ``wheels-v8/pypi/NAME/VERSION-TAGS``, or below ``index/DIGEST`` in place of ``pypi`` (seen with uv 0.13). Where it has
    pruned what that leads to, too many are taken to be there: nobody is refused for want of room that is not needed.
    """
    homes = wheel_homes(reader, cache)
    return frozenset(package.name for package in packages if any(_has(reader, home, package) for home in homes))


def wheel_homes(reader: Reader, cache: str) -> tuple[str, ...]:
    """Return the folders in which wheels lie by the names of their packages, one for each index."""
    return tuple(home for part in _parts(reader, cache) if posixpath.basename(part).startswith("wheels-v") for home in _homes(reader, part))


def requires_python(reader: Reader, homes: Iterable[str], name: str, version: str) -> str:
    """Return the Pythons that a version of a package asks for, as its metadata was kept when it was resolved; "" where nothing is known."""
    said = _said(reader, homes, name, version)
    return str(said[3]) if said and isinstance(said[3], str) else ""


def requires(reader: Reader, homes: Iterable[str], name: str, version: str) -> tuple[str, ...]:
    """Return what it requires (PEP 508), from there, too; () where nothing is known."""
    said = _said(reader, homes, name, version)
    return tuple(text for text in said[2] if isinstance(text, str)) if said and isinstance(said[2], list) else ()


def _said(reader: Reader, homes: Iterable[str], name: str, version: str) -> list[object]:
    """Return what is kept of a version's metadata, [] where nothing is.

    uv keeps it as MessagePack, in ``VERSION-TAGS.msgpack``: name, version, requirements, Pythons (seen with uv 0.13).
    """
    for home in homes:
        folder = files.glob_escape(posixpath.join(home, name, f"{version}-"))
        for path in files.matches(reader, f"{folder}*.msgpack"):
            said = _unpacked(_content(reader, path))
            if said[:2] == [name, version]:
                return said
    return []


def _content(reader: Reader, path: str) -> bytes:
    """Return what lies there; nothing where somebody cleans the cache meanwhile."""
    try:
        return reader.read_bytes(path, 1 << 20)
    except OSError:
        return b""


def _unpacked(data: bytes) -> list[object]:
    """Return the first value of a MessagePack file, [] where it is no list of the form that is known."""
    # 3 ms, and only where something is resolved; pip says nothing of its types.
    msgpack: Any = importlib.import_module("pip._vendor.msgpack")
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
    unpacker.feed(data)
    try:
        said = unpacker.unpack()
    except (ValueError, msgpack.exceptions.UnpackException):
        return []
    return said if isinstance(said, list) and len(said) >= _FIELDS else []


def foreign(reader: Reader, cache: str) -> tuple[str, ...]:
    """Return the parts of the cache that this user may not write: one run of uv as root leaves such."""
    return tuple(part for part in _parts(reader, cache) if not reader.writable(part))


def copies(reader: Reader, *, hard_links: bool | None) -> bool | None:
    """Whether files are copied out of the cache, and so take their room again; None where nobody can tell.

    ``hard_links``: whether they can be made. uv shares blocks (``clone``) or makes hard links where it can, unless UV_LINK_MODE says otherwise.
    """
    mode = reader.env.get("UV_LINK_MODE", "")
    if mode in {"copy", "symlink"}:
        return mode == "copy"
    return None if hard_links is None else not hard_links


def _parts(reader: Reader, cache: str) -> tuple[str, ...]:
    try:
        entries = reader.list(cache)
    except OSError:
        return ()
    return tuple(entry.path for entry in entries if entry.kind == "directory" and posixpath.basename(entry.path).startswith(_PARTS))


def _homes(reader: Reader, part: str) -> list[str]:
    try:
        return [posixpath.join(part, "pypi"), *(entry.path for entry in reader.list(posixpath.join(part, "index")))]
    except OSError:
        return [posixpath.join(part, "pypi")]


def _has(reader: Reader, home: str, package: Package) -> bool:
    folder = posixpath.join(home, package.name)
    if not files.there(reader, folder):
        return False
    tags = package.filename.removesuffix(".whl").partition("-")[2]
    if tags and files.there(reader, posixpath.join(folder, f"{tags}.http")):
        return True
    # Long names are cut, and files from elsewhere have other endings.
    found = files.matches(reader, files.glob_escape(posixpath.join(folder, f"{package.version}-")) + "*")
    # The lock stays of a download that came to nothing.
    return any(not path.endswith(".lock") for path in found)
