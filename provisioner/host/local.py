"""This machine: the only file that starts processes, reads the environment, or changes files."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from provisioner.host import Completed, Entry, EntryKind, Space
from provisioner.host.processes import communicate, end, what_it_said

if sys.platform != "win32":
    import fcntl

LOCK_POLL_SECONDS = 0.1
# The open lock files of this process.
_LOCKS: list[int] = []


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
    )


class LocalHost:
    """The real implementation of ``host.Host``."""

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
        with subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if env is None else dict(env),
            cwd=cwd,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            start_new_session=True,
            # Whatever works for us keeps our locks: should we be killed, nobody may begin before it has ended, too.
            pass_fds=tuple(_LOCKS),
        ) as process:
            timed_out = False
            try:
                out, err = communicate(process, stdin, started + timeout, watch)
            except subprocess.TimeoutExpired:
                timed_out = True
                end(process)
                out, err = what_it_said(process)
            except BaseException:
                end(process)
                raise
        return Completed(
            argv=tuple(argv),
            code=process.returncode,
            out=out,
            err=err,
            seconds=time.monotonic() - started,
            timed_out=timed_out,
        )

    def ask(
        self, argv: Sequence[str], request: str, *, env: Mapping[str, str], timeout: float, watch: Callable[[int], None] | None = None
    ) -> Completed:
        """See ``host.Host``."""
        if sys.platform == "win32":  # pragma: no cover - no select on pipes there
            return self.run(argv, env=env, cwd="/", stdin=f"{request}\n", timeout=timeout, watch=watch)
        from provisioner.host import helper  # noqa: PLC0415 - brings `socket`, 4 ms

        return helper.ask(argv, request, env=env, timeout=timeout, watch=watch, locks=_LOCKS)

    def which(self, name: str) -> str | None:
        """See ``host.Reader``."""
        return shutil.which(name)

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

    def list(self, path: str) -> tuple[Entry, ...]:
        """See ``host.Reader``."""
        with os.scandir(path) as entries:
            return tuple(sorted((_entry(item.path, item.stat(follow_symlinks=False)) for item in entries), key=lambda entry: entry.path))

    def walk(self, path: str) -> Iterator[Entry]:
        """See ``host.Reader``."""
        for entry in self.list(path):
            yield entry
            if entry.kind == "directory":
                yield from self.walk(entry.path)

    def sizes(self, path: str) -> dict[str, int]:
        """See ``host.Reader``; without an ``Entry`` for each of tens of thousands of files, which takes four times as long."""
        found: dict[str, int] = {}
        folders = [path]
        while folders:
            with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
                for item in entries:
                    if item.is_dir(follow_symlinks=False):
                        folders.append(item.path)
                        continue
                    with contextlib.suppress(OSError):
                        status = item.stat()
                        if stat.S_ISREG(status.st_mode):
                            found[item.path] = status.st_size
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
        """See ``host.Reader``."""
        return os.access(path, os.W_OK | (os.X_OK if os.path.isdir(path) else 0))

    def space(self, path: str) -> Space:
        """See ``host.Reader``."""
        device = os.stat(path).st_dev
        if not hasattr(os, "statvfs"):  # pragma: no cover - Windows
            return Space(free=shutil.disk_usage(path).free, inodes=-1, device=device, filesystem="")
        status = os.statvfs(path)
        # A file system that counts no inodes (btrfs, many network ones) reports none at all.
        inodes = status.f_favail if status.f_files else -1
        return Space(free=status.f_bavail * status.f_frsize, inodes=inodes, device=device, filesystem="")

    def sha256(self, path: str) -> str:
        """See ``host.Reader``."""
        digest = hashlib.sha256()
        with open(path, "rb", opener=_opener) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()

    def write(self, path: str, text: str, *, durable: bool = False, mode: int | None = None) -> None:
        """See ``host.Host``."""
        folder = os.path.dirname(path)
        beside = os.path.join(folder, f".tfsetup-{os.urandom(8).hex()}")
        if mode is None:
            with contextlib.suppress(OSError):
                found = os.lstat(path)
                mode = stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() else None
        # What is to be private is so from its first byte on; without a mode the system applies the umask.
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 if mode is None else 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                if mode is not None:
                    os.fchmod(handle, mode)
                file.write(text)
                if durable:
                    file.flush()
                    os.fsync(handle)
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(beside)
            raise
        if durable:
            self.sync(folder)

    def make_folder(self, path: str) -> None:
        """See ``host.Host``."""
        os.mkdir(path)

    def rename(self, source: str, target: str) -> None:
        """See ``host.Host``."""
        os.replace(source, target)

    def link(self, path: str, target: str) -> None:
        """See ``host.Host``."""
        os.symlink(target, path)

    def remove(self, path: str) -> None:
        """See ``host.Host``."""
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)

    def remove_tree(self, path: str) -> None:
        """See ``host.Host``."""
        if os.path.lexists(path):
            shutil.rmtree(path)

    def sync(self, path: str) -> None:
        """See ``host.Host``."""
        if sys.platform == "win32":  # pragma: no cover - folders cannot be opened there
            return
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """See ``host.Host``; a signal that came meanwhile is delivered afterwards."""
        pending: list[int] = []
        numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        before = {number: signal.signal(number, lambda received, _frame: pending.append(received)) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            for number in pending:
                signal.raise_signal(number)

    @contextlib.contextmanager
    def lock(self, path: str, *, wait: float) -> Iterator[None]:
        """See ``host.Host``; a lock on a file that was removed meanwhile is taken anew, so two holders cannot exist."""
        if sys.platform == "win32":  # pragma: no cover
            yield
            return
        deadline = time.monotonic() + wait
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _same_file(handle, path):
                    break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(handle)
                    raise
                time.sleep(LOCK_POLL_SECONDS)
            os.close(handle)
        _LOCKS.append(handle)
        try:
            yield
        finally:
            _LOCKS.remove(handle)
            os.close(handle)


def _opener(path: str, flags: int) -> int:
    """Open without waiting for the other end of a named pipe: one that nobody writes to reads as empty."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if sys.platform != "win32":
        os.set_blocking(handle, True)
    return handle


def _same_file(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
