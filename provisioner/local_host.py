"""This machine: the only file that starts processes, reads the environment, or changes files."""

from __future__ import annotations

import atexit
import contextlib
import glob
import hashlib
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from provisioner.host import Completed, Entry, EntryKind, Space

if sys.platform != "win32":
    import fcntl

LOCK_POLL_SECONDS = 0.1
KILL_GRACE_SECONDS = 5.0
WATCH_SECONDS = 0.2
# The open lock files of this process.
_LOCKS: list[int] = []
# The program that waits for its next question: one at a time is enough.
_KEPT: list[_Kept] = []


class _Kept:
    """A program that answers one line with one line, until its input ends."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.key = (tuple(argv), dict(env))
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``end``
        self.control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [*argv, str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env=dict(env),
                cwd="/",
                bufsize=0,
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
            )

    def answer(self, request: str, deadline: float, watch: Callable[[int], None] | None) -> bytes:
        """Return the answer, which has no line end where the program ended with it, or instead of it; raises ``TimeoutExpired``."""
        process = self.process
        asked, told = process.stdin, process.stdout
        if asked is None or told is None:  # pragma: no cover - both were asked for
            return b""
        before = _bytes_written(process.pid)
        given, out = memoryview(f"{request}\n".encode("utf-8", "surrogateescape")), b""
        try:
            # Whatever works for us keeps our locks: should we be killed, nobody may begin before it has ended, too.
            socket.send_fds(self.control, [b"."], list(_LOCKS)) if _LOCKS else self.control.send(b".")
            while given:
                given = given[asked.write(given) or 0 :]
        except BrokenPipeError:
            return b""
        while not out.endswith(b"\n"):
            ready, _, _ = select.select([told.fileno()], [], [], min(WATCH_SECONDS, max(0.0, deadline - time.monotonic())))
            if ready:
                piece = told.read(1 << 20)
                if not piece:
                    return out
                out += piece
            elif time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(process.args, 0)
            elif watch is not None:
                written = _bytes_written(process.pid)
                watch(written - before if written >= 0 else written)
        return out

    def end(self, *, at_once: bool) -> tuple[int, str]:
        """End the program, and return its code and what it said of errors."""
        self.control.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        if not at_once:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(KILL_GRACE_SECONDS)
        if self.process.poll() is None:
            _end(self.process)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.errors.seek(0)
        said = self.errors.read().decode("utf-8", "backslashreplace")
        self.errors.close()
        return self.process.returncode, said


def _let_go() -> None:
    """End the program that waits for its next question, if there is one."""
    while _KEPT:
        _KEPT.pop().end(at_once=False)


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
                out, err = _communicate(process, stdin, started + timeout, watch)
            except subprocess.TimeoutExpired:
                timed_out = True
                _end(process)
                out, err = _what_it_said(process)
            except BaseException:
                _end(process)
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
        started = time.monotonic()
        if not _KEPT or _KEPT[0].key != (tuple(argv), dict(env)):
            _let_go()
            atexit.register(_let_go)
            _KEPT.append(_Kept(argv, env))
        kept = _KEPT.pop()
        timed_out = False
        try:
            out = kept.answer(request, started + timeout, watch)
        except subprocess.TimeoutExpired:
            timed_out, out = True, b""
        except BaseException:
            kept.end(at_once=True)
            raise
        code, err = 0, ""
        if out.endswith(b"\n"):
            _KEPT.append(kept)
        else:
            code, err = kept.end(at_once=timed_out)
        return Completed(
            argv=tuple(argv),
            code=code,
            out=out.decode("utf-8", "backslashreplace"),
            err=err,
            seconds=time.monotonic() - started,
            timed_out=timed_out,
        )

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

    def write(self, path: str, text: str, *, durable: bool = False, mode: int = 0o644) -> None:
        """See ``host.Host``."""
        import tempfile  # noqa: PLC0415 - brings `random`, 3 ms

        folder = os.path.dirname(path)
        handle, beside = tempfile.mkstemp(prefix=".tfsetup-", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
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


def _communicate(process: subprocess.Popen[str], stdin: str, deadline: float, watch: Callable[[int], None] | None) -> tuple[str, str]:
    if watch is None:
        return process.communicate(stdin, timeout=deadline - time.monotonic())
    given: str | None = stdin
    while True:
        try:
            return process.communicate(given, timeout=min(WATCH_SECONDS, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                raise
        given = None
        watch(_bytes_written(process.pid))


def _what_it_said(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return the output of a process that was ended; one of its children that got away may still hold the pipes, and is not waited for."""
    try:
        return process.communicate(timeout=KILL_GRACE_SECONDS)
    except subprocess.TimeoutExpired as expired:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        parts = (expired.stdout, expired.stderr)
        out, err = (part.decode("utf-8", "backslashreplace") if isinstance(part, bytes) else part or "" for part in parts)
        return out, err


def _bytes_written(pid: int) -> int:
    """Return the ``wchar`` line of Linux' ``/proc/PID/io``, or -1."""
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("wchar:"))
    except (OSError, StopIteration):
        return -1


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End a process and its children: politely, then for good; a child may live on when its parent has obeyed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILL_GRACE_SECONDS)
