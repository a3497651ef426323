"""Reading a machine's files without raising: the text, or why there is none."""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import re
from collections.abc import Iterator

from provisioner.base.paths import above
from provisioner.host import Entry, Host, Reader
from provisioner.model.record import record

# What a port call may raise for a path taken from the machine itself: the system's errors, and a path with a NUL in it.
FAULTS = (OSError, ValueError)
LIMIT = 1 << 18
# The start of a file's name while it is written (``LocalHost.write``); 16 hexadecimal digits follow.
UNWRITTEN = ".tfsetup-"
# Of files that are read piece by piece: bytes of a piece, and of what is kept of a line that is longer than one.
PIECE = 1 << 18
LINE = 1 << 16
# What a run that was killed left is taken away after this time: longer than any run takes.
STALE_SECONDS = 86400.0


@record
class Text:
    """What reading gave: ``text`` is ``None`` when there is none, ``missing`` tells "not there" from "could not be read"."""

    path: str
    text: str | None = None
    missing: bool = False
    why: str = ""


def reason(error: Exception) -> str:
    """The system's own words for an error, in lower case, without the path: ``permission denied``."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return words[0].lower() + words[1:]


def read(host: Reader, path: str, limit: int = LIMIT) -> Text:
    """Read a small text file of the machine."""
    try:
        return Text(path=path, text=host.read_text(path, limit))
    except (FileNotFoundError, NotADirectoryError):
        return Text(path=path, missing=True, why=f"{path} is not there")
    except FAULTS as error:
        return Text(path=path, why=f"{path} cannot be read: {reason(error)}")


def blocks(host: Reader, path: str, limit: int) -> Iterator[str] | None:
    """The text of a file in pieces that end with a line, for files of which nobody wants to hold the whole; None where it cannot be read.

    Of a line longer than ``LINE`` bytes the middle is left out. What can no longer be read after the first piece is its end.
    """
    try:
        first = host.read_bytes(path, min(PIECE, limit))
    except FAULTS:
        return None
    return _blocks(host, path, limit, first)


def _blocks(host: Reader, path: str, limit: int, piece: bytes) -> Iterator[str]:
    begun, offset = b"", 0
    while piece:
        offset += len(piece)
        whole, end, rest = piece.rpartition(b"\n")
        if end:
            yield (begun + whole + end).decode("utf-8", "surrogateescape")
            begun = b""
        begun = begun[:LINE] + rest
        try:
            piece = host.read_bytes(path, min(PIECE, limit - offset), offset) if offset < limit else b""
        except FAULTS:
            piece = b""
    if begun:
        yield begun.decode("utf-8", "surrogateescape")


def line(host: Reader, path: str) -> str:
    """The first line of a file, stripped; empty when there is none to be had."""
    text = read(host, path, 4096).text or ""
    return text.split("\n", 1)[0].strip(" \t\r\0")


def there(host: Reader, path: str) -> bool:
    """True for anything at ``path``."""
    try:
        return host.exists(path)
    except FAULTS:
        return False


def entry(host: Reader, path: str) -> Entry | None:
    """What is at ``path`` (a link is not followed), or nothing."""
    try:
        return host.entry(path)
    except FAULTS:
        return None


def real(host: Reader, path: str) -> str:
    """The path with every link followed; the path itself when that cannot be told."""
    try:
        return host.real(path)
    except FAULTS:
        return path


def matches(host: Reader, pattern: str) -> tuple[str, ...]:
    """Paths that match a shell pattern, sorted; none when the folder cannot be read."""
    try:
        return host.glob(pattern)
    except FAULTS:
        return ()


def identity(host: Reader, path: str) -> str:
    """A text that changes when the file behind ``path`` does: real path, size, time, inode. Empty when there is none."""
    where = real(host, path)
    found = entry(host, where)
    return f"{where}|{found.size}|{found.mtime}|{found.inode}" if found else ""


def glob_escape(path: str) -> str:
    """Return a path in which nothing is a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def is_foreign(host: Reader, entry: Entry) -> bool:
    """True for what belongs to another user than this one or root; never on a system without such."""
    return host.user >= 0 and entry.owner not in {0, host.user}


def anybody_writes(host: Reader, entry: Entry) -> bool:
    """True for what every user of the machine may write, by its mode; a link has none of its own."""
    return host.user >= 0 and entry.kind != "link" and bool(entry.mode & 0o002)


def is_unwritten(path: str) -> bool:
    """True for the name of a file whose writing was cut short."""
    return re.fullmatch(re.escape(UNWRITTEN) + "[0-9a-f]{16}", posixpath.basename(path)) is not None


def sweep(host: Host, folder: str, prefix: str) -> None:
    """Remove what runs of this user that were killed left in ``folder``: folders of that prefix which are older than any run takes."""
    oldest = (host.now().timestamp() - STALE_SECONDS) * 1e9
    try:
        entries = host.list(folder)
    except OSError:
        return
    for entry in entries:
        named = posixpath.basename(entry.path).startswith(prefix) and entry.kind == "directory"
        if named and entry.owner == host.user and entry.mtime < oldest:
            # Another run may be taking it away, too.
            with contextlib.suppress(OSError):
                host.remove_tree(entry.path)


def ground(reader: Reader, path: str) -> tuple[str, tuple[str, ...]]:
    """Return the nearest of ``path`` (absolute) and the folders above it that is there, and those that are not, the innermost first.

    Raises ``FileNotFoundError`` where not even the root is: on Windows a drive or a share that this machine does not have.
    """
    missing: list[str] = []
    for place in (path, *above(path)):
        if reader.exists(place):
            return place, tuple(missing)
        missing.append(place)
    # Of //server/share/folder the first two are one, and neither is a folder by itself.
    root = "/".join(path.split("/")[:4]) if path.startswith("//") else missing[-1]
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), root)


def make_folders(host: Host, path: str, *, mode: int = 0o777) -> tuple[str, ...]:
    """Create ``path`` and what is missing above it; return what was created, outermost first."""
    _, missing = ground(host, path)
    made: list[str] = []
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            host.make_folder(folder, mode=mode)
            made.append(folder)
    return tuple(made)
