"""Folders that the system renames as little as a mount: they are taken apart into renames of what is in them, and put together again.

A folder of a lower layer of a container's file system is such a one (overlayfs without ``redirect_dir``; Linux,
Documentation/filesystems/overlayfs.rst, "renaming directories"). Its files can be renamed, and each is one step as ever, so the list of renames
and all that rests on it stay what they are. The folder itself is removed when it is empty, and made anew, with its mode, times and owner, on the
way back.
"""

from __future__ import annotations

import errno
import posixpath
import shlex
from collections.abc import Callable, Iterable
from dataclasses import replace

from provisioner.base.paths import is_below
from provisioner.environment.workspace import STATE, STATE_MODE, TRIAL
from provisioner.errors import OperationError
from provisioner.facts.disk import read_mounts
from provisioner.host import Entry, Host, Reader, files
from provisioner.host.files import make_folders
from provisioner.model.record import record


@record
class Folder:
    """A folder that cannot be renamed, and what it is to be when it is made anew: ``mode``, ``mtime`` in nanoseconds, ``owner`` and ``group``."""

    path: str
    mode: int
    mtime: int
    owner: int = -1
    group: int = -1


@record
class Parted:
    """A folder outside of what is listed, whose entries move one by one: ``path`` is absolute, ``folders`` as ``tree_of_folders`` says."""

    path: str
    folders: tuple[Folder, ...]


@record
class Apart:
    """``names`` is what is to be renamed, ``folders`` are those whose entries are among them, each after the one that it lies in."""

    names: tuple[str, ...] = ()
    folders: tuple[Folder, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The folders' paths."""
        return tuple(folder.path for folder in self.folders)

    def and_then(self, other: Apart) -> Apart:
        """Both, this one first."""
        return Apart(names=(*self.names, *other.names), folders=(*self.folders, *other.folders))


@record
class Where:
    """Where names are: ``at`` gives the path of one now, ``state`` the tool's own folder on its mount, into which it would be renamed."""

    at: Callable[[str], str]
    state: Callable[[str], str]
    mounted: tuple[str, ...] = ()


def taken_apart(host: Host, where: Where, names: Iterable[str]) -> Apart:
    """Return the moves of ``names`` with what is in each folder that cannot be renamed in the place of that folder.

    A mount point, and a folder with one in it, cannot; they are none of ``folders`` either, for they stay where they are. Nothing moves. Raises
    ``OSError`` where the system refuses a rename for another reason, ``OperationError`` for a file that is a mount point.
    """
    found: list[str] = []
    folders: list[Folder] = []

    def enter(name: str, entry: Entry | None) -> None:
        held = any(is_below(mount, {name}) for mount in where.mounted)
        if entry is None or entry.kind != "directory":
            if held:
                raise mount_point(where.at(name))
            found.append(name)
            return
        if not held and asking.would_rename(name, entry.path):
            found.append(name)
            return
        if not held:
            folders.append(folder_of(entry, name))
        for inner in host.list(entry.path):
            # What earlier changes have on a mount is none of its content.
            if posixpath.basename(inner.path) != STATE or name not in where.mounted:
                enter(f"{name}/{posixpath.basename(inner.path)}", inner)

    asking = _Asking(host, where)
    try:
        for name in names:
            enter(name, files.entry(host, where.at(name)))
    finally:
        asking.end()
    return Apart(names=tuple(found), folders=tuple(folders))


class _Asking:
    """Whether the system would rename a folder into the tool's own on its mount.

    It is asked for what it never does (``Host.would_rename``), so nothing moves, whenever the process is killed.
    """

    def __init__(self, host: Host, where: Where) -> None:
        self._host = host
        self._where = where
        self._made: dict[str, str] = {}

    def would_rename(self, name: str, path: str) -> bool:
        """Whether the folder at ``path`` would be."""
        state = self._where.state(name)
        if state not in self._made:
            made = make_folders(self._host, posixpath.join(state, TRIAL, "held"), mode=STATE_MODE)
            self._made[state] = made[0] if made else posixpath.join(state, TRIAL)
        return self._host.would_rename(path, posixpath.join(state, TRIAL))

    def end(self) -> None:
        """Leave nothing of it behind."""
        for folder in self._made.values():
            self._host.remove_tree(folder)


def mount_point(place: str) -> OperationError:
    """Return the error for a mount point that is in the way."""
    hint = f"unmount it (`umount {shlex.quote(place)}`), then run the same command again"
    return OperationError("is a mount point, which can be neither moved nor removed; nothing was changed", place=place, hint=hint)


def mounts_below(reader: Reader, base: str) -> tuple[str, ...]:
    """Return the mount points below a folder, relative to it, innermost first."""
    return tuple(
        sorted({mount.folder[len(base) + 1 :] for mount in read_mounts(reader) if mount.folder.startswith(f"{base}/")}, reverse=True)
    )


def folder_of(entry: Entry, path: str) -> Folder:
    """Return what a folder is, by the name ``path``."""
    return Folder(path=path, mode=entry.mode, mtime=entry.mtime, owner=entry.owner, group=entry.group)


def check_folders(reader: Reader, root: str, path: str) -> None:
    """Raise ``OperationError`` where a folder between ``root`` and ``path`` is none: what is moved was recorded as lying in real ones."""
    place = root
    for part in posixpath.relpath(path, root).split("/")[:-1]:
        place = posixpath.join(place, part)
        if not reader.exists(place):
            return
        if reader.entry(place).kind != "directory":
            hint = (
                f"look at it with `ls -la {shlex.quote(place)}`; put the folder back, then run `tfsetup undo` (or the same command again)"
            )
            raise OperationError(
                "something else has taken the place of a folder, and nothing outside is ever changed", place=place, hint=hint
            )


def remove_emptied(host: Host, root: str, name: str) -> None:
    """Remove a folder that was taken apart, unless something is in it, or it is gone."""
    path = posixpath.join(root, name)
    check_folders(host, root, path)
    entry = files.entry(host, path)
    if entry is not None and entry.kind == "directory" and not host.list(path):
        host.remove_folder(path)


def put_together(host: Host, root: str, folders: Iterable[Folder]) -> None:
    """Make those folders that are not there, and make all what they were; their entries are there, so that the time stays."""
    kept = tuple(folders)
    for folder in kept:
        path = posixpath.join(root, folder.path)
        check_folders(host, root, path)
        make_folders(host, path)
    for folder in reversed(kept):
        path = posixpath.join(root, folder.path)
        if host.entry(path).kind == "directory":
            host.settle(path, mode=folder.mode, mtime=folder.mtime, owner=folder.owner, group=folder.group, inside=root)


def tree_of_folders(reader: Reader, top: str) -> tuple[Folder, ...]:
    """Return a folder and those below it, each after the one that it lies in, by their paths from where ``top`` lies."""
    above = posixpath.dirname(top)
    entries = (reader.entry(top), *(entry for entry in reader.walk(top) if entry.kind == "directory"))
    return tuple(folder_of(entry, posixpath.relpath(entry.path, above)) for entry in entries)


def move_tree(host: Host, source: str, target: str, folders: Iterable[Folder]) -> None:
    """Move a folder entry by entry, or go on with it where that was begun; ``folders`` is what ``tree_of_folders`` said of it before.

    Both places must be the tool's alone, for what is in ``target`` already is taken for a part of it. Raises ``FileExistsError`` where both hold
    a file of one name.
    """
    _move_entries(host, source, target)
    above, name = posixpath.split(target)
    there = tuple(replace(folder, path=posixpath.normpath(posixpath.join(name, *folder.path.split("/")[1:]))) for folder in folders)
    put_together(host, above, there)


def _move_entries(host: Host, source: str, target: str) -> None:
    folder = host.entry(source).kind == "directory"
    if not host.exists(target):
        try:
            host.rename(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV or not folder:
                raise
            host.make_folder(target, mode=0o700)
        else:
            return
    if not folder or host.entry(target).kind != "directory":
        raise FileExistsError(errno.EEXIST, "File exists", target)
    for inner in host.list(source):
        _move_entries(host, inner.path, posixpath.join(target, posixpath.basename(inner.path)))
    host.remove_folder(source)
