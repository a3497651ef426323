r"""Paths: how they are spelt, what a person gives made absolute, and the one guard for paths that stand in files.

Inside the tool paths are spelt with ``/``, those of Windows too (``C:/Users``): they are turned once where they come in (``slashed``) and once where
they go out (``spelt``). Which system a path is of is told by the path, or by the working folder of whom it is relative to, never by the system that
the tool runs on, so that a Windows machine is planned for from Linux, and a file that was written on one is refused on every other for the same
reasons. What Windows adds: drives, shares, a backslash that separates ("Naming Files, Paths, and Namespaces" of its documentation).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from provisioner.errors import UsageError

# Linux' 255, less what the tool puts around the name while it builds (``workspace.Workspace.aside``).
NAME_MAX_BYTES = 240

_DRIVE = re.compile(r"[A-Za-z]:")
_ON_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
# "Naming Files, Paths, and Namespaces": what no name on Windows may have, and names that are devices with any ending.
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
# A variable of Windows in the way of cmd or of PowerShell, which takes the other's as it stands.
_VARIABLE = re.compile(r"%(\w+)%|\$env:(\w+)", re.IGNORECASE)
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(\..*)?", re.IGNORECASE)


def slashed(path: str) -> str:
    r"""Return a path of Windows as the tool spells it: ``C:\a\b`` and ``\\?\C:\a\b`` as ``C:/a/b``, ``\\server\share`` as ``//server/share``."""
    path = path.replace("\\", "/")
    if path.startswith("//?/"):
        path = f"//{path[8:]}" if path[4:8].upper() == "UNC/" else path[4:]
    return path


def separator(platform: str) -> str:
    """Return what stands between the paths of a list, of PATH or JUPYTER_PATH, on ``platform``: ``sys.platform``, or a set's (``windows-x86_64``)."""
    return ";" if platform.startswith("win") else ":"


def listed(value: str, platform: str) -> tuple[str, ...]:
    """Return the paths of such a list, in its order, without empty ones (which mean the working folder to some)."""
    return tuple(part for part in value.split(separator(platform)) if part)


def turned(value: Any, levels: int = 16) -> Any:
    """Return what a program wrote as JSON with every path on a drive in it ``slashed``; no answer has paths deeper than ``levels``."""
    if isinstance(value, str):
        return slashed(value) if _ON_DRIVE.match(value) else value
    if isinstance(value, list) and levels:
        return [turned(item, levels - 1) for item in value]
    return {key: turned(item, levels - 1) for key, item in value.items()} if isinstance(value, dict) and levels else value


def spelt(path: str) -> str:
    r"""Return a path as its own system spells it: ``C:/a`` as ``C:\a``, any other as it is."""
    return path.replace("/", "\\") if _ON_DRIVE.match(path) else path


def normal(path: str) -> str:
    """Return an absolute path without ``.``, ``..`` and doubled ``/``; nothing leads above a drive. Its links are not looked at."""
    if _ON_DRIVE.match(path):
        return path[:2] + posixpath.normpath("/" + path[2:].lstrip("/"))
    return posixpath.normpath(path)


def joined(folder: str, path: str) -> str:
    r"""Return ``path`` as it is meant in an absolute ``folder``, normal; one on a drive may have backslashes where the folder is on one."""
    if not _ON_DRIVE.match(folder):
        return posixpath.normpath(posixpath.join(folder, path))
    path = slashed(path)
    if path.startswith("/") and not path.startswith("//"):
        path = folder[:2] + path
    return normal(path if is_absolute(path) else posixpath.join(folder, path))


def parent(path: str) -> str:
    """Return the folder above an absolute path; a root (``/``, ``C:/``) is its own."""
    above = posixpath.dirname(path)
    return f"{above}/" if _DRIVE.fullmatch(above) else above or path


def above(path: str) -> Iterator[str]:
    """Yield the folders above an absolute path, the nearest first, the root last."""
    while (folder := parent(path)) != path:
        yield folder
        path = folder


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
    drive = _ON_DRIVE.match(place.cwd) is not None
    path = slashed(path) if drive else path
    if path == "~" or path.startswith("~/"):
        path = (place.env.get("HOME") or (drive and place.env.get("USERPROFILE")) or "~") + path[1:]
    if drive and _DRIVE.match(path) and not is_absolute(path):
        whole = spelt(f"{path[:2]}/{path[2:] or 'tf-env'}")
        raise UsageError(f"{path} depends on the working folder of that drive", place=origin, hint=f"for example {whole}")
    if drive:
        _check_variables(path, place.env, origin)
    found = joined(place.cwd, path)
    if re.fullmatch(r"/+|[A-Za-z]:/", found):
        raise UsageError("cannot be the root of the file system", place=origin, hint="name a folder below it")
    if drive:
        _check_names(found, origin)
    if any(len(part.encode("utf-8", "surrogateescape")) > NAME_MAX_BYTES for part in found.split("/")):
        raise UsageError(f"a folder's name is too long (at most {NAME_MAX_BYTES} bytes)", place=origin)
    return found


def _check_variables(path: str, env: Mapping[str, str], origin: str) -> None:
    """Raise ``UsageError`` for a path with a variable of this machine in it: a folder of that very name is not what anybody means."""
    for found in _VARIABLE.finditer(path):
        value = env.get(found[1] or found[2], "")
        if value:
            why = f"{found[0]} stands in it as it is, no shell has put {spelt(value)} in its place"
            raise UsageError(why, place=origin, hint="give the path itself; cmd knows %NAME%, PowerShell $env:NAME")


def _check_names(path: str, origin: str) -> None:
    """Raise ``UsageError`` for a path with a name that Windows cannot give, or takes for another."""
    for name in path[2:].split("/"):
        if _FORBIDDEN.search(name) or _DEVICE.fullmatch(name) or name != name.rstrip(". "):
            raise UsageError(f"Windows has no folder of the name {name!r}", place=origin, hint=_instead(path))


def _instead(path: str) -> str:
    """Say what to do about a name that Windows cannot give (the C runtime's rules for command lines; cmd takes single quotes as they are)."""
    if '/"' in path:
        return "the quotes are a part of it: leave them out; cmd's `set NAME=C:\\my env` takes none"
    if '"' in path:
        return 'a backslash before the closing quote makes it a part of the name: leave the backslash out, "C:\\my env"'
    if "/'" in path:
        return "cmd takes single quotes for a part of the name: use double ones"
    return "choose another --env"


def is_absolute(path: str) -> bool:
    r"""True for ``/usr``, ``//server/share``, ``C:/Users`` and ``C:\\Users``: a path that no working directory changes."""
    return path.startswith(("/", "\\")) or _ON_DRIVE.match(path) is not None


def is_on_drive(path: str) -> bool:
    """True for an absolute path with a drive, which Windows alone has."""
    return _ON_DRIVE.match(path) is not None


def is_inside(path: str) -> bool:
    r"""True for a path out of a file that is relative, in its normal form, and stays where it is put: ``lib/python3.11/site.py``.

    Not so are an empty one, ``.``, ``a//b``, ``a/../b``, one with a NUL, one with a drive (``C:x``), and one that Windows would take to lead out
    (``a\..\..\x``). What a link on disk makes of it is another question.
    """
    if not path or "\0" in path or is_absolute(path) or _DRIVE.match(path):
        return False
    return {"", ".", ".."}.isdisjoint(path.split("/")) and ".." not in path.replace("\\", "/").split("/")


def is_whole(path: str) -> bool:
    """True for a path out of a file that is absolute and in its normal form, and not the root of a file system."""
    rooted = (path.startswith("/") and not path.startswith("//")) or (_ON_DRIVE.match(path) is not None and "\\" not in path)
    return rooted and normal(path) == path and parent(path) != path and "\0" not in path


def address_of(path: str) -> str:
    """Return an absolute path as an address (RFC 8089): ``file:///home/ada/a%20b``, ``file:///C:/a``."""
    drive = _ON_DRIVE.match(path) is not None
    return f"file://{'/' if drive else ''}{quote(path.encode('utf-8', 'surrogateescape'), safe='/:' if drive else '/')}"


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
