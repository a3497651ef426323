"""The port: everything the tool may ask of, or do to, a machine. ``host/local.py`` is its one real implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from provisioner.host.values import Completed, Entry, EntryKind, InUse, Mark, Space, Stamp

__all__ = ["PRIVATE", "Completed", "Entry", "EntryKind", "Host", "InUse", "Mark", "Reader", "Space", "Stamp"]

# Of files that may hold addresses: for this user alone.
PRIVATE = 0o600


class Reader(Protocol):
    """What facts and checks need: reading files, asking programs. Nothing here changes the machine.

    Paths are absolute strings. Readers raise ``OSError`` as the operating system gives it (``FileNotFoundError``, ``PermissionError``, …).
    """

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables of the tool's own process."""
        ...

    @property
    def platform(self) -> str:
        """``sys.platform`` of the tool's own process: ``linux``, ``darwin``, ``win32``."""
        ...

    @property
    def python(self) -> str:
        """The interpreter that runs the tool."""
        ...

    @property
    def cwd(self) -> str:
        """The working directory."""
        ...

    @property
    def user(self) -> int:
        """The number of the user in whose name the tool works; -1 on a system without such."""
        ...

    @property
    def believed(self) -> frozenset[int]:
        """The users, besides this one and root, of whom a person said that what their tfsetup noted is to be believed."""
        ...

    def shares(self, group: int) -> bool:
        """True where others than this user and root may be in the group of that number."""
        ...

    def now(self) -> datetime:
        """The time, in UTC."""
        ...

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
        """Run a program to its end; ``timeout`` in seconds kills it and its children. ``env`` replaces the environment.

        ``watch`` is called several times a second with the bytes that the program has written to files so far (-1 where the
        system does not tell). A name without a folder is looked for as ``which`` does.
        Raises ``FileNotFoundError`` or ``PermissionError`` when it cannot be started.
        """
        ...

    def which(self, name: str) -> str | None:
        """The first executable of that name on PATH; entries that are empty or relative are passed over: they mean the working folder."""
        ...

    def read_text(self, path: str, limit: int = 1 << 20) -> str:
        """At most ``limit`` bytes as UTF-8; undecodable bytes are kept as surrogates."""
        ...

    def read_bytes(self, path: str, limit: int = 1 << 26, offset: int = 0) -> bytes:
        """At most ``limit`` bytes from ``offset``."""
        ...

    def exists(self, path: str) -> bool:
        """True for anything at ``path``, a dangling link too."""
        ...

    def entry(self, path: str) -> Entry:
        """What is at ``path``; a link is not followed."""
        ...

    def list(self, path: str, *, named: Callable[[str], bool] | None = None) -> tuple[Entry, ...]:
        """The entries of a folder, by name; links are not followed. With ``named``, those alone whose name it accepts."""
        ...

    def walk(self, path: str) -> Iterator[Entry]:
        """Every entry below a folder, parents first, by name; links are not followed."""
        ...

    def size(self, path: str) -> int:
        """The bytes of the file at ``path``; a link to a file counts as that file, and whatever is none has -1. Never raises."""
        ...

    def files_below(self, path: str) -> Iterator[str]:
        """Every regular file below a folder, in no order; no link is one, and folders that cannot be read are empty."""
        ...

    def stamp(self, path: str) -> Stamp | None:
        """What the file system says of the file at ``path``; a link to a file counts as that file, and whatever is none has None. Never raises."""
        ...

    def marks(self, path: str, *, closed: bool = False) -> dict[str, Mark]:
        """Everything below a folder by its path relative to it; links are not followed, and of folders there are the empty ones alone.

        A folder that may not be looked into is an error; with ``closed`` it is one like an empty one.
        """
        ...

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Paths that match a shell pattern, sorted."""
        ...

    def real(self, path: str) -> str:
        """The path with every link followed, whether or not it exists."""
        ...

    def read_link(self, path: str) -> str:
        """The target of a link as it is written."""
        ...

    def writable(self, path: str) -> bool:
        """True when this user may create and remove entries in the folder, or write the file."""
        ...

    def in_use(self, paths: Iterable[str]) -> InUse:
        """Which of these files may not be moved because a program has them loaded or open: on Windows; other systems move them all the same."""
        ...

    def space(self, path: str) -> Space:
        """Free room where ``path`` (an existing folder) lies."""
        ...

    def sha256(self, path: str) -> str:
        """The SHA-256 of a file's content, in hexadecimal."""
        ...


class Host(Reader, Protocol):
    """A machine that may be changed as well. Every method is one effect; none asks a question."""

    def shell(self) -> str:
        """The name of the shell that this process was started from (``cmd``, ``powershell``, ``pwsh``); "" where none is seen (POSIX: not asked)."""
        ...

    def ask(
        self, argv: Sequence[str], request: str, *, env: Mapping[str, str], timeout: float, watch: Callable[[int], None] | None = None
    ) -> Completed:
        """As ``run``, with a program that stays for the next request with the same ``argv`` and ``env``; ``out`` is its answer to this one.

        Requests and answers are one line each. The program is given the number of a socket as its last argument, where there are such; with
        each request, a byte and the open locks come there, which it keeps until it has answered. It ends with its input, or with an answer
        that has no line end. The code is that with which it ended, 0 while it stays.
        """
        ...

    def become(self, argv: Sequence[str], env: Mapping[str, str]) -> int:
        """Give the terminal and this process to a program (a path), with ``env`` as its variables: it is the last thing that is done.

        Returns its exit code where the system cannot replace a process (Windows), else not at all. Raises ``OSError`` when it cannot be started.
        """
        ...

    def attend(self, argv: Sequence[str], *, env: Mapping[str, str], keep: int) -> tuple[int, bytes]:
        """Run a program that a person works with to its end, in this terminal, with ``env`` as its variables; a name is looked for on their PATH.

        Returns its exit status (``-N`` when signal N ended it) and the last ``keep`` bytes of what it said on stderr, which were shown, too.
        Raises ``OSError`` when it cannot be started.
        """
        ...

    def write(self, path: str, text: str, *, durable: bool = False, mode: int | None = None) -> None:
        """Replace a file in one step (write beside it, rename); ``durable`` waits until it is on disk.

        ``mode`` is what it gets (``PRIVATE`` for what may hold addresses); without one it keeps its own, and a new one follows the umask.
        """
        ...

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """Create one folder with that mode, less the umask; its parent must be there. Raises ``FileExistsError``."""
        ...

    def open_up(self, path: str) -> None:
        """Give a folder that was made for this user alone the mode that a new folder has: 0777 less the umask."""
        ...

    def rename(self, source: str, target: str, *, inside: str = "") -> None:
        """Move on one file system in one step; a target that is a file or an empty folder is replaced.

        With ``inside``, a folder that holds both, each folder from there down is opened without following links: ``OSError`` where one is a link.
        """
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy a file, a link, or a folder with all it holds, with modes and times; ``target`` must not be there."""
        ...

    def would_rename(self, source: str, onto: str) -> bool:
        """Whether the system renames the folder ``source`` to where ``onto`` is: a folder that holds something, so that it refuses this in any case.

        False where it cannot do it for any target there (EXDEV: a lower layer, another mount). Raises ``OSError`` where it refuses ``source`` itself.
        """
        ...

    def settle(self, path: str, *, mode: int, mtime: int, owner: int, group: int, inside: str) -> None:
        """Give a folder in ``inside`` that mode, time in nanoseconds, owner and group; no link on the way is followed, and -1 leaves an owner."""
        ...

    def link(self, path: str, target: str) -> None:
        """Create a symbolic link with that target text."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file, a link or an empty folder."""
        ...

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder, and nothing else: ``OSError`` for a file, a link, or a folder that holds something."""
        ...

    def remove_tree(self, path: str) -> None:
        """Remove a folder with all it holds; links in it are removed, not followed. Nothing there is no error."""
        ...

    def hand_over(self, path: str, owner: int, group: int) -> None:
        """Give a folder, and what this user has made in it, to another user; no link is followed, and no file that has another name is given."""
        ...

    def sync(self, path: str) -> None:
        """Wait until the folder's entries are on disk (nothing to do where the system has no such call)."""
        ...

    def flush(self, path: str) -> None:
        """Wait until all that was written on the file system of ``path`` is on disk: files of others, too, and those that programs wrote."""
        ...

    def shielded(self) -> AbstractContextManager[None]:
        """Put off Ctrl-C and requests to end until the block is left; for the short moments in which files move."""
        ...

    def lock(self, path: str, *, wait: float, passing: bool = False) -> AbstractContextManager[None]:
        """Hold an exclusive lock on the file ``path`` (created if needed), waiting at most ``wait`` seconds; ``passing`` removes it afterwards.

        Raises ``BlockingIOError`` when another process keeps it. The lock ends with the process, however it ends.
        """
        ...

    def held(self, path: str) -> bool:
        """True where another process holds the lock on the file; nothing is made, and whoever else only asks is none."""
        ...
