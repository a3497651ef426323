r"""This machine where it is Windows: the second real implementation of the port.

Paths come in from the system with ``\`` and are turned here, and are turned back where a program is given them (``base.paths``). What differs from
POSIX, by Microsoft's documentation and as measured (docs/windows.md): a file that is open can be neither replaced nor removed, and a scanner opens
new ones for moments; a folder is not renamed onto another; a read-only file is not removed; links need a privilege; children outlive their
parent unless a job holds them.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import msvcrt
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from provisioner.base.paths import parent, slashed, spelt
from provisioner.host import Completed, InUse, Space
from provisioner.host.files import UNWRITTEN
from provisioner.host.local import LOCK_POLL_SECONDS, LocalHost
from provisioner.host.processes import listened

# For the type checker, which knows what is there alone: `machine` imports this module on no other system.
assert sys.platform == "win32"  # noqa: S101

from provisioner.host import in_use, programs  # noqa: E402 - as above
from provisioner.host.jobs import Job  # noqa: E402 - as above

# Far behind whatever a lock file may hold: a locked region cannot be read by others.
_LOCKED_AT = 1 << 30


class WindowsHost(LocalHost):
    """The implementation of ``host.Host`` for ``sys.platform == "win32"``."""

    @property
    def env(self) -> Mapping[str, str]:
        """See ``host.Reader``; paths among the values are turned, each of a list that ``;`` parts as well."""
        return {name: programs.each(value, slashed) for name, value in os.environ.items()}

    @property
    def python(self) -> str:
        """See ``host.Reader``."""
        return slashed(sys.executable)

    @property
    def cwd(self) -> str:
        """See ``host.Reader``."""
        try:
            return slashed(os.getcwd())
        except FileNotFoundError:
            return slashed(self._system_drive())

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
        """See ``host.Reader``; ``/`` as working folder is the root of the system's drive."""
        turned = [spelt(word) for word in argv]
        variables = None if env is None else programs.variables_of(env)
        folder = self._system_drive() if cwd == "/" else cwd
        done = super().run(turned, env=variables, cwd=folder, timeout=timeout, stdin=stdin, watch=watch)
        return Completed(argv=tuple(argv), code=done.code, out=done.out, err=done.err, seconds=done.seconds, timed_out=done.timed_out)

    @contextlib.contextmanager
    def begin(self, argv: Sequence[str], env: Mapping[str, str] | None, cwd: str | None) -> Iterator[subprocess.Popen[str]]:
        """Start a program in a job of its own, which ends with us: nothing that worked for us goes on when we were killed."""
        with (
            contextlib.closing(Job()) as job,
            listened(argv, env, cwd, creationflags=subprocess.CREATE_NO_WINDOW) as process,
        ):
            job.hold(process)
            self._jobs[process.pid] = job
            try:
                yield process
            finally:
                del self._jobs[process.pid]

    def stop(self, process: subprocess.Popen[str]) -> None:
        """End a program and all that it started; there is no polite way but for consoles."""
        self._jobs[process.pid].end()
        with contextlib.suppress(OSError):
            process.kill()

    # The jobs of the programs that run now, by the number of the process.
    _jobs: dict[int, Job] = {}  # noqa: RUF012 - a host holds nothing else, and there is one

    def which(self, name: str) -> str | None:
        """See ``host.Reader``; PATHEXT says which endings are programs."""
        return programs.found(name, os.environ)

    def shell(self) -> str:
        """See ``host.Host``."""
        return programs.shell()

    def glob(self, pattern: str) -> tuple[str, ...]:
        """See ``host.Reader``."""
        return tuple(sorted(slashed(path) for path in glob.glob(pattern)))

    def real(self, path: str) -> str:
        """See ``host.Reader``."""
        return slashed(os.path.realpath(path))

    def read_link(self, path: str) -> str:
        """See ``host.Reader``."""
        return slashed(os.readlink(path))

    def in_use(self, paths: Iterable[str]) -> InUse:
        """See ``host.Reader``."""
        held = tuple(path for path in paths if in_use.is_held(path))
        return InUse(paths=held, programs=in_use.programs(held) if held else ())

    def space(self, path: str) -> Space:
        """See ``host.Reader``; no file system of Windows counts inodes."""
        return Space(free=shutil.disk_usage(path).free, inodes=-1, device=os.stat(path).st_dev, filesystem="")

    def ask(
        self, argv: Sequence[str], request: str, *, env: Mapping[str, str], timeout: float, watch: Callable[[int], None] | None = None
    ) -> Completed:
        """See ``host.Host``; a process for each request, for there is no waiting for a pipe."""
        return self.run(argv, env=env, cwd="/", stdin=f"{request}\n", timeout=timeout, watch=watch)

    def become(self, argv: Sequence[str], env: Mapping[str, str]) -> int:
        """See ``host.Host``; a new process, of which nobody would wait for the end were it put in our place."""
        sys.stdout.flush()
        sys.stderr.flush()
        return programs.become(argv, env)

    def attend(self, argv: Sequence[str], *, env: Mapping[str, str], keep: int) -> tuple[int, bytes]:
        """See ``host.Host``."""
        return programs.attend(argv, env, keep)

    def write(self, path: str, text: str, *, durable: bool = False, mode: int | None = None) -> None:  # noqa: ARG002
        """See ``host.Host``; bytes as they are given, for in text mode each line end would become two. Modes are not known there."""
        beside = f"{parent(path)}/{UNWRITTEN}{os.urandom(8).hex()}"
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_BINARY | os.O_NOINHERIT, 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
                if durable:
                    file.flush()
                    os.fsync(handle)
            in_use.patiently(lambda: os.replace(beside, path), path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise

    def open_up(self, path: str) -> None:
        """See ``host.Host``; a folder follows the one that it lies in."""

    def rename(self, source: str, target: str, *, inside: str = "") -> None:
        """See ``host.Host``; an empty folder in the way is removed first, for nothing is renamed onto a folder."""
        for path in (source, target) if inside else ():
            _check_no_links(inside, parent(path))
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(os.lstat(target).st_mode):
                os.rmdir(target)
        in_use.patiently(lambda: os.replace(source, target), source)

    def would_rename(self, source: str, onto: str) -> bool:
        """See ``host.Host``; Windows refuses another drive with another number than a folder that is in the way."""
        try:
            in_use.patiently(lambda: os.rename(source, onto), source)
        except FileExistsError:
            return True
        except OSError as error:
            if error.errno == errno.EXDEV:
                return False
            raise
        os.rename(onto, source)
        return True

    def settle(self, path: str, *, mode: int, mtime: int, owner: int, group: int, inside: str) -> None:
        """See ``host.Host``; there are no modes, and owners follow the folder."""

    def link(self, path: str, target: str) -> None:
        """See ``host.Host``; a link needs a privilege, and nothing the tool installs there needs one."""
        raise OSError(errno.EPERM, f"links are not made on Windows: {target}", path)

    def remove(self, path: str) -> None:
        """See ``host.Host``; what is read-only is made writable first."""
        in_use.patiently(lambda: _remove(path), path)

    def remove_tree(self, path: str) -> None:
        """See ``host.Host``."""
        if not os.path.lexists(path):
            return

        def again(_function: object, failed: str, error: Any) -> None:
            if isinstance(error[1], FileNotFoundError):
                return
            in_use.patiently(lambda: _remove(failed), failed)

        shutil.rmtree(path, onerror=again)

    def hand_over(self, path: str, owner: int, group: int) -> None:
        """See ``host.Host``; there are no such numbers."""

    def sync(self, path: str) -> None:
        """See ``host.Host``; folders cannot be opened, and NTFS keeps its own journal of names."""

    def flush(self, path: str) -> None:
        """See ``host.Host``; a volume is flushed by administrators alone: the files that we write are flushed one by one."""

    @contextlib.contextmanager
    def lock(self, path: str, *, wait: float, passing: bool = False) -> Iterator[None]:
        """See ``host.Host``; a file that anybody has open cannot be removed, so two holders cannot exist."""
        deadline = time.monotonic() + wait
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_BINARY | os.O_NOINHERIT, 0o666)
        try:
            while not _locked(handle):
                if time.monotonic() >= deadline:
                    raise BlockingIOError(errno.EAGAIN, "another process keeps it", path)
                time.sleep(LOCK_POLL_SECONDS)
            yield
        finally:
            # Closing lets go of it; one that somebody else has open by now stays.
            os.close(handle)
            if passing:
                _let_go(path)

    def held(self, path: str) -> bool:
        """See ``host.Host``; Windows has no lock here that several may share, so whoever asks has it for a moment, and asks again."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_BINARY | os.O_NOINHERIT)
        except OSError:
            return False
        try:
            if _locked(handle):
                return False
            time.sleep(LOCK_POLL_SECONDS)
            return not _locked(handle)
        finally:
            os.close(handle)

    @staticmethod
    def _system_drive() -> str:
        return os.environ.get("SYSTEMDRIVE", "C:") + "\\"


def _remove(path: str) -> None:
    found = os.lstat(path)
    if not found.st_mode & stat.S_IWRITE:
        os.chmod(path, stat.S_IWRITE)
    # A junction is a folder to ``unlink``, and ``rmdir`` takes the junction alone.
    if stat.S_ISDIR(found.st_mode):
        os.rmdir(path)
    else:
        os.unlink(path)


def _check_no_links(top: str, folder: str) -> None:
    """Raise ``OSError`` where a folder from ``top`` down to ``folder`` is a link, a junction or a mount."""
    while folder != top and parent(folder) != folder:
        if os.lstat(folder).st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT:
            raise OSError(errno.ELOOP, "a link is in the way", folder)
        folder = parent(folder)


def _let_go(path: str) -> None:
    """Remove a lock's file: where somebody waits for it, it stays theirs; whoever only asks has it open for a moment."""
    for _ in range(3):
        if _unlinked(path):
            return
        time.sleep(LOCK_POLL_SECONDS)


def _unlinked(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _locked(handle: int) -> bool:
    os.lseek(handle, _LOCKED_AT, os.SEEK_SET)
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True
