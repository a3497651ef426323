"""This machine, looked at: the reading half of the port, and programs that are asked."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from provisioner.host import Completed, Entry, EntryKind, InUse, Mark, Space, Stamp
from provisioner.host.processes import communicate, end, listened, what_it_said

# The open lock files of this process.
LOCKS: list[int] = []
# Bytes of a file that are hashed in one go.
HASHED_AT_ONCE = 1 << 18
# Bytes, where there is a text mode as well.
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)


def _kind(mode: int) -> EntryKind:
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_ISDIR(mode):
        return "directory"
    return "file" if stat.S_ISREG(mode) else "other"


def _entry(path: str, status: os.stat_result) -> Entry:
    return Entry(
        path=path,
        kind=_kind(status.st_mode),
        size=status.st_size,
        mtime=status.st_mtime_ns,
        mode=stat.S_IMODE(status.st_mode),
        device=status.st_dev,
        inode=status.st_ino,
        owner=status.st_uid if sys.platform != "win32" else -1,
        group=status.st_gid if sys.platform != "win32" else -1,
    )


class LocalReader:
    """The real implementation of ``host.Reader``."""

    @property
    def env(self) -> Mapping[str, str]:
        """See ``host.Reader``."""
        return os.environ

    @property
    def platform(self) -> str:
        """See ``host.Reader``."""
        return sys.platform

    @property
    def python(self) -> str:
        """See ``host.Reader``."""
        return sys.executable

    @property
    def cwd(self) -> str:
        """See ``host.Reader``; falls back to the root when the folder was removed under us."""
        try:
            return str(Path.cwd())
        except FileNotFoundError:
            return "/"

    @property
    def user(self) -> int:
        """See ``host.Reader``."""
        return os.geteuid() if sys.platform != "win32" else -1

    @property
    def believed(self) -> frozenset[int]:
        """See ``host.Reader``; ``host.believing`` adds to it."""
        return frozenset()

    def shares(self, group: int) -> bool:
        """See ``host.Reader``; many systems give each user a group of the same name (Debian's ``USERGROUPS``, Red Hat's private groups)."""
        if sys.platform == "win32":
            return False
        import grp  # noqa: PLC0415 - only where a group may write
        import pwd  # noqa: PLC0415 - as above

        try:
            name, members = grp.getgrgid(group).gr_name, set(grp.getgrgid(group).gr_mem)
            own = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            # A container's made-up user: with its own group, or root's, it is alone.
            return group not in {0, os.getegid()}
        return bool(members - {own, "root"}) or name not in {own, "root"}

    def now(self) -> datetime:
        """See ``host.Reader``."""
        return datetime.now(timezone.utc)

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 30.0,
        stdin: str = "",
        watch: Callable[[int], None] | None = None,
    ) -> Completed:
        """See ``host.Reader``; the program leads a process group of its own, so that its children end with it."""
        started = time.monotonic()
        program = argv[0] if os.path.dirname(argv[0]) else self.which(argv[0])
        if program is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
        with self.begin([program, *argv[1:]], env, cwd) as process:
            timed_out = False
            try:
                out, err = communicate(process, stdin, started + timeout, watch)
            except subprocess.TimeoutExpired:
                timed_out = True
                self.stop(process)
                out, err = what_it_said(process)
            except BaseException:
                self.stop(process)
                raise
        return Completed(
            argv=tuple(argv),
            code=process.returncode,
            out=out,
            err=err,
            seconds=time.monotonic() - started,
            timed_out=timed_out,
        )

    def begin(
        self, argv: Sequence[str], env: Mapping[str, str] | None, cwd: str | None
    ) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
        """Start a program in a process group of its own; it is waited for at the end of the block."""
        # Whatever works for us keeps our locks: should we be killed, nobody may begin before it has ended, too.
        return listened(argv, env, cwd, start_new_session=True, pass_fds=tuple(LOCKS))

    def stop(self, process: subprocess.Popen[str]) -> None:
        """End a program and all that it started."""
        end(process)

    def which(self, name: str) -> str | None:
        """See ``host.Reader``."""
        # An empty entry, "." and a relative one mean the working folder, which may be somebody else's repository.
        folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder)]
        found = (shutil.which(os.path.join(folder, name)) for folder in folders)
        return next((path for path in found if path), None)

    def read_text(self, path: str, limit: int = 1 << 20) -> str:
        """See ``host.Reader``."""
        return self.read_bytes(path, limit).decode("utf-8", "surrogateescape")

    def read_bytes(self, path: str, limit: int = 1 << 26, offset: int = 0) -> bytes:
        """See ``host.Reader``."""
        with open(path, "rb", opener=_opener) as file:
            if offset:
                file.seek(offset)
            return file.read(limit)

    def exists(self, path: str) -> bool:
        """See ``host.Reader``."""
        return os.path.lexists(path)

    def entry(self, path: str) -> Entry:
        """See ``host.Reader``."""
        return _entry(path, os.lstat(path))

    def list(self, path: str, *, named: Callable[[str], bool] | None = None) -> tuple[Entry, ...]:
        """See ``host.Reader``."""
        folder = path if path.endswith("/") else f"{path}/"
        with os.scandir(path) as entries:
            chosen = (item for item in entries if named is None or named(item.name))
            found = (_entry(folder + item.name, item.stat(follow_symlinks=False)) for item in chosen)
            return tuple(sorted(found, key=lambda entry: entry.path))

    def walk(self, path: str) -> Iterator[Entry]:
        """See ``host.Reader``."""
        for entry in self.list(path):
            yield entry
            if entry.kind == "directory":
                yield from self.walk(entry.path)

    def size(self, path: str) -> int:
        """See ``host.Reader``; without an ``Entry`` for each of tens of thousands of files, which takes four times as long."""
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return -1
        return status.st_size if stat.S_ISREG(status.st_mode) else -1

    def stamp(self, path: str) -> Stamp | None:
        """See ``host.Reader``; lean for the same reason as ``size``."""
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return None
        return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino) if stat.S_ISREG(status.st_mode) else None

    def files_below(self, path: str) -> Iterator[str]:
        """See ``host.Reader``; lean for the same reason as ``size``."""
        folders = [path]
        while folders:
            folder = folders.pop().rstrip("/")
            with contextlib.suppress(OSError), os.scandir(folder or "/") as entries:
                for item in entries:
                    if item.is_dir(follow_symlinks=False):
                        folders.append(f"{folder}/{item.name}")
                    elif item.is_file(follow_symlinks=False):
                        yield f"{folder}/{item.name}"

    def marks(self, path: str, *, closed: bool = False) -> dict[str, Mark]:
        """See ``host.Reader``; fast for the same reason as ``size``, but what cannot be read is an error."""
        found: dict[str, Mark] = {}
        folders = [("", path)]
        while folders:
            name, folder = folders.pop()
            try:
                with os.scandir(folder) as entries:
                    inside = list(entries)
            except PermissionError:
                if not closed:
                    raise
                inside = []
            if not inside and name:
                found[name] = Mark("directory")
            for item in inside:
                inner = f"{name}/{item.name}" if name else item.name
                if item.is_symlink():
                    found[inner] = Mark("link", target=os.readlink(item.path))
                elif item.is_dir(follow_symlinks=False):
                    folders.append((inner, item.path))
                else:
                    status = item.stat(follow_symlinks=False)
                    kind = _kind(status.st_mode)
                    found[inner] = Mark(kind, status.st_size, status.st_mtime_ns) if kind == "file" else Mark(kind)
        return found

    def glob(self, pattern: str) -> tuple[str, ...]:
        """See ``host.Reader``."""
        return tuple(sorted(glob.glob(pattern)))

    def real(self, path: str) -> str:
        """See ``host.Reader``."""
        return os.path.realpath(path)

    def read_link(self, path: str) -> str:
        """See ``host.Reader``."""
        return os.readlink(path)

    def writable(self, path: str) -> bool:
        """See ``host.Reader``; by the rights that this process works with, which are not its real user's where it was given some."""
        effective = os.access in os.supports_effective_ids
        return os.access(path, os.W_OK | (os.X_OK if os.path.isdir(path) else 0), effective_ids=effective)

    def in_use(self, paths: Iterable[str]) -> InUse:  # noqa: ARG002
        """See ``host.Reader``."""
        return InUse()

    def space(self, path: str) -> Space:
        """See ``host.Reader``."""
        device = os.stat(path).st_dev
        status = os.statvfs(path)
        # A file system that counts no inodes (btrfs, many network ones) reports none at all.
        inodes = status.f_favail if status.f_files else -1
        return Space(free=status.f_bavail * status.f_frsize, inodes=inodes, device=device, filesystem="")

    def sha256(self, path: str) -> str:
        """See ``host.Reader``."""
        digest = hashlib.sha256()
        # Not by ``open``, which looks at each file once more than it reads it.
        handle = _opener(path, _READ)
        try:
            first = os.read(handle, HASHED_AT_ONCE)
            digest.update(first)
            # The many small files end here; of a large one each piece takes the place of the one before, for fresh memory has to be zeroed.
            if len(first) < HASHED_AT_ONCE:
                while more := os.read(handle, 1 << 12):
                    digest.update(more)
            else:
                with open(handle, "rb", buffering=0, closefd=False) as file:
                    piece = memoryview(bytearray(HASHED_AT_ONCE))
                    while count := file.readinto(piece):
                        digest.update(piece[:count])
        finally:
            os.close(handle)
        return digest.hexdigest()


def _opener(path: str, flags: int) -> int:
    """Open without waiting for the other end of a named pipe: one that nobody writes to reads as empty."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if sys.platform != "win32":
        os.set_blocking(handle, True)
    return handle
