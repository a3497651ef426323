"""This machine, changed, where it is POSIX: with ``reading`` (and ``windows`` there) the only place of processes, variables and files."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from provisioner.host import Completed, removing
from provisioner.host.files import UNWRITTEN
from provisioner.host.reading import LOCKS, LocalReader

if sys.platform != "win32":
    import fcntl

LOCK_POLL_SECONDS = 0.1
# Not waiting: a named pipe in its place would keep whoever opens it until somebody writes. Windows has none of these, and another host.
_LOCK_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class LocalHost(LocalReader):
    """The implementation of ``host.Host`` for POSIX systems; ``host.machine`` says which one is taken."""

    def shell(self) -> str:
        """See ``host.Host``; what is printed is the same for all shells here."""
        return ""

    def ask(
        self, argv: Sequence[str], request: str, *, env: Mapping[str, str], timeout: float, watch: Callable[[int], None] | None = None
    ) -> Completed:
        """See ``host.Host``."""
        from provisioner.host import helper  # noqa: PLC0415 - brings `socket`, 4 ms

        return helper.ask(argv, request, env=env, timeout=timeout, watch=watch, locks=LOCKS)

    def become(self, argv: Sequence[str], env: Mapping[str, str]) -> int:
        """See ``host.Host``."""
        sys.stdout.flush()
        sys.stderr.flush()
        # What Python ignores for itself, a program expects to hear (``subprocess``, restore_signals).
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execve(argv[0], list(argv), dict(env))  # noqa: S606 - it does not come back

    def attend(self, argv: Sequence[str], *, env: Mapping[str, str], keep: int) -> tuple[int, bytes]:
        """See ``host.Host``."""
        from provisioner.host.attended import attend  # noqa: PLC0415 - one command alone

        sys.stdout.flush()
        sys.stderr.flush()
        return attend(argv, env=env, keep=keep)

    def write(self, path: str, text: str, *, durable: bool = False, mode: int | None = None) -> None:
        """See ``host.Host``."""
        folder = os.path.dirname(path)
        beside = os.path.join(folder, f"{UNWRITTEN}{os.urandom(8).hex()}")
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

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """See ``host.Host``."""
        os.mkdir(path, mode)

    def open_up(self, path: str) -> None:
        """See ``host.Host``."""
        mask = os.umask(0o077)
        os.umask(mask)
        os.chmod(path, 0o777 & ~mask, **({"follow_symlinks": False} if os.chmod in os.supports_follow_symlinks else {}))

    def rename(self, source: str, target: str, *, inside: str = "") -> None:
        """See ``host.Host``."""
        if not inside:
            os.replace(source, target)
            return
        with _opened(inside, os.path.dirname(source)) as from_folder, _opened(inside, os.path.dirname(target)) as to_folder:
            os.rename(os.path.basename(source), os.path.basename(target), src_dir_fd=from_folder, dst_dir_fd=to_folder)

    def copy(self, source: str, target: str) -> None:
        """See ``host.Host``."""
        if os.path.isdir(source) and not os.path.islink(source):
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target, follow_symlinks=False)

    def would_rename(self, source: str, onto: str) -> bool:
        """See ``host.Host``; rename(2): ENOTEMPTY or EEXIST for a target that is not an empty folder, and for nothing before other reasons."""
        try:
            os.rename(source, onto)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.ENOTEMPTY, errno.EEXIST}:
                raise
            return error.errno != errno.EXDEV
        os.rename(onto, source)  # pragma: no cover - no system does
        return True  # pragma: no cover

    def settle(self, path: str, *, mode: int, mtime: int, owner: int, group: int, inside: str) -> None:
        """See ``host.Host``."""
        with _opened(inside, path) as handle:
            found = os.fstat(handle)
            if (owner, group) != (found.st_uid, found.st_gid):
                # Only root gives to others, and others to their own groups.
                with contextlib.suppress(PermissionError):
                    os.fchown(handle, owner, group)
            # Afterwards, for that takes away what a folder gives to what is made in it.
            os.fchmod(handle, mode)
            os.utime(handle, ns=(mtime, mtime))

    def link(self, path: str, target: str) -> None:
        """See ``host.Host``."""
        os.symlink(target, path)

    def remove(self, path: str) -> None:
        """See ``host.Host``."""
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)

    def remove_folder(self, path: str) -> None:
        """See ``host.Host``."""
        os.rmdir(path)

    def remove_tree(self, path: str) -> None:
        """See ``host.Host``."""
        if os.path.lexists(path):
            removing.remove_tree(path)

    def hand_over(self, path: str, owner: int, group: int) -> None:
        """See ``host.Host``. A file with two names may lie in this user's cache, too, or be anybody's; whoever owns the folder can replace it."""
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        _give(owner, group, os.open(path, flags | os.O_DIRECTORY))
        for _, folders, names, parent in os.fwalk(path, follow_symlinks=False):
            for name in (*folders, *names):
                with contextlib.suppress(OSError):
                    _give(owner, group, os.open(name, flags, dir_fd=parent))

    def sync(self, path: str) -> None:
        """See ``host.Host``."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def flush(self, path: str) -> None:
        """See ``host.Host``; Linux' ``syncfs`` tells what could not be written, too. Elsewhere all file systems are flushed."""
        if not sys.platform.startswith("linux"):  # pragma: no cover
            if hasattr(os, "sync"):
                os.sync()
            return
        import ctypes  # noqa: PLC0415 - 5 ms, only where something is changed

        handle = os.open(path, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(handle):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), path)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """See ``host.Host``; a signal that came meanwhile is delivered afterwards."""
        pending: list[int] = []
        numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
        # One that is ignored (``nohup``) would be told afterwards to a process that is not to hear it.
        numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, lambda received, _frame: pending.append(received)) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            for number in pending:
                signal.raise_signal(number)

    @contextlib.contextmanager
    def lock(self, path: str, *, wait: float, passing: bool = False) -> Iterator[None]:
        """See ``host.Host``; a lock on a file that was removed meanwhile is taken anew, so two holders cannot exist."""
        deadline = time.monotonic() + wait
        while True:
            handle = _open_lock(path)
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
        LOCKS.append(handle)
        try:
            yield
        finally:
            LOCKS.remove(handle)
            # Before it is let go: whoever waits for it sees that it is gone, and takes the next one.
            if passing and _same_file(handle, path):
                with contextlib.suppress(OSError):
                    os.unlink(path)
            os.close(handle)

    def held(self, path: str) -> bool:
        """See ``host.Host``; a shared lock, so that those who ask do not hold it against each other."""
        try:
            handle = os.open(path, os.O_RDONLY | _LOCK_FLAGS)
        except OSError:
            # Not there, or of another user, who lets nobody try.
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


def _give(owner: int, group: int, handle: int) -> None:
    """Give what is open to a user, where it is this user's own and has no other name; closes it. What was opened cannot be exchanged."""
    try:
        found = os.fstat(handle)
        if found.st_uid == os.geteuid() and (stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)):
            os.fchown(handle, owner, group)
    finally:
        os.close(handle)


def _open_lock(path: str) -> int:
    """Open a file to be locked, and make it where it is not there.

    Another user's is opened for reading, which is enough; one that is there is not asked to be made, which a folder such as /tmp refuses even to
    root (``fs.protected_regular``).
    """
    with contextlib.suppress(FileNotFoundError):
        try:
            return _regular(path, os.open(path, os.O_RDWR | _LOCK_FLAGS))
        except PermissionError:
            return _regular(path, os.open(path, os.O_RDONLY | _LOCK_FLAGS))
    return _regular(path, os.open(path, os.O_RDWR | os.O_CREAT | _LOCK_FLAGS, 0o644))


def _regular(path: str, handle: int) -> int:
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise OSError(errno.EINVAL, "it is no file", path)


@contextlib.contextmanager
def _opened(top: str, folder: str) -> Iterator[int]:
    """Open ``folder``, which lies in ``top``, step by step, so that no link on the way is followed."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    handle = os.open(top, flags)
    try:
        for part in os.path.relpath(folder, top).split("/"):
            if part != ".":
                below = os.open(part, flags | os.O_NOFOLLOW, dir_fd=handle)
                os.close(handle)
                handle = below
        yield handle
    finally:
        os.close(handle)


def _same_file(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
