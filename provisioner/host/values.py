"""What the port gives and takes: a process that has ended, an entry of a folder, room on a disk, files in use."""

from __future__ import annotations

from typing import Literal, NamedTuple

from provisioner.model.record import record

EntryKind = Literal["file", "directory", "link", "other"]


@record
class Completed:
    """A finished process. ``code`` is its exit status, ``-N`` when signal N ended it; ``timed_out`` when the time limit did."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """True when the process ended by itself with status 0."""
        return self.code == 0 and not self.timed_out


@record
class Entry:
    """A file, folder or link: ``size`` in bytes, ``mtime`` in nanoseconds, ``device`` and ``inode`` identify it on its file system.

    ``owner`` and ``group`` are numbers, -1 on a system without such.
    """

    path: str
    kind: EntryKind
    size: int
    mtime: int
    mode: int
    device: int
    inode: int
    owner: int = -1
    group: int = -1


class Stamp(NamedTuple):
    """What changes when a file is changed or another one takes its place: nobody can set ``changed`` (nanoseconds, ``st_ctime``) back.

    A tuple, because there are tens of thousands.
    """

    size: int
    mtime: int
    changed: int
    inode: int


class Mark(NamedTuple):
    """What tells a file from what takes its place later: ``size`` in bytes and ``mtime`` in nanoseconds of a file, ``target`` of a link.

    A tuple, because there are tens of thousands.
    """

    kind: EntryKind
    size: int = 0
    mtime: int = 0
    target: str = ""


@record
class Space:
    """Free room of a file system: bytes and inodes (-1 where the file system does not count them)."""

    free: int
    inodes: int
    device: int
    filesystem: str


@record
class InUse:
    """Files that programs keep, and the programs in words (``python.exe, process 4321``), as far as the system tells."""

    paths: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
