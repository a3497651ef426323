"""Paths: what a person gives made absolute, and the one guard for paths that stand in files.

Inside the tool paths are spelt with ``/``; what Windows adds (drives, shares, a backslash that separates) is known here, so that a file that was
written on one system is refused on every other for the same reasons.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from typing import Protocol

from provisioner.errors import UsageError

# Linux' 255, less what the tool puts around the name while it builds (``workspace.Workspace.aside``).
NAME_MAX_BYTES = 240


class Place(Protocol):
    """Where a person stands: what a relative path and ``~`` are relative to."""

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables."""

    @property
    def cwd(self) -> str:
        """The working directory."""


def absolute(path: str, place: Place, origin: str) -> str:
    """Return ``path`` as an absolute path, a leading ``~`` replaced; raises ``UsageError`` for one that no folder can have."""
    if not path or "\0" in path:
        raise UsageError("a folder is needed", place=origin, hint="for example --env ./tf-env")
    if path == "~" or path.startswith("~/"):
        path = place.env.get("HOME", "~") + path[1:]
    found = posixpath.normpath(posixpath.join(place.cwd, path))
    if re.fullmatch(r"/+", found):
        raise UsageError("cannot be the root of the file system", place=origin, hint="name a folder below it")
    if any(len(part.encode("utf-8", "surrogateescape")) > NAME_MAX_BYTES for part in found.split("/")):
        raise UsageError(f"a folder's name is too long (at most {NAME_MAX_BYTES} bytes)", place=origin)
    return found


def is_absolute(path: str) -> bool:
    r"""True for ``/usr``, ``//server/share``, ``C:/Users`` and ``C:\\Users``: a path that no working directory changes."""
    return path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", path) is not None


def is_inside(path: str) -> bool:
    r"""True for a path out of a file that is relative, in its normal form, and stays where it is put: ``lib/python3.11/site.py``.

    Not so are an empty one, ``.``, ``a//b``, ``a/../b``, one with a NUL, one with a drive (``C:x``), and one that Windows would take to lead out
    (``a\..\..\x``). What a link on disk makes of it is another question.
    """
    if not path or "\0" in path or is_absolute(path) or re.match(r"[A-Za-z]:", path):
        return False
    return {"", ".", ".."}.isdisjoint(path.split("/")) and ".." not in path.replace("\\", "/").split("/")


def is_whole(path: str) -> bool:
    """True for a path out of a file that is absolute and in its normal form, and not the root of a file system."""
    normal = path.startswith("/") and not path.startswith("//") and posixpath.normpath(path) == path
    return normal and path != "/" and "\0" not in path


def is_for_everybody(path: str) -> bool:
    """True for a path that means the same on every machine that has the file it stands in: relative, with ``/`` between folders; it may lead up."""
    return bool(path) and not path.startswith("~") and "\\" not in path and "\0" not in path and re.match(r"/|[A-Za-z]:", path) is None


def is_below(path: str, folders: Collection[str]) -> bool:
    """True for a relative path that is one of ``folders``, or lies in one of them."""
    while path:
        if path in folders:
            return True
        path = posixpath.dirname(path)
    return False
