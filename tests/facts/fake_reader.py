"""A recorded machine as a ``host.Reader``: its files in a dict, its commands in another; an unknown command fails the test."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone

from provisioner.host import Completed, Entry, EntryKind, InUse, Space


class FakeReader:
    """``files``: path → content; an exception as content is raised, ``None`` is a folder.

    ``links``: path → target. ``commands``: the first words → what is printed; an exception is raised.

    Folders above each file are there by themselves.
    """

    def __init__(
        self,
        files: Mapping[str, str | bytes | Exception | None] | None = None,
        *,
        commands: Mapping[tuple[str, ...], str | Completed | Exception] | None = None,
        links: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        platform: str = "linux",
        python: str = "/usr/bin/python3",
        space: Mapping[str, Space] | None = None,
    ) -> None:
        self.files = dict(files or {})
        self.links = dict(links or {})
        self.commands = dict(commands or {})
        self.env: Mapping[str, str] = dict(env or {})
        self.platform = platform
        self.python = python
        self.cwd = "/"
        self.user = -1
        self.believed: frozenset[int] = frozenset()
        self.volumes = dict(space or {})
        self.started: list[tuple[str, ...]] = []
        self.used, self.asked_about = InUse(), ()
        self.folders = {"/"}
        for path in (*self.files, *self.links):
            parts = path.split("/")
            self.folders |= {"/".join(parts[:end]) or "/" for end in range(1, len(parts))}
        self.folders |= {f"{folder}/" for folder in self.folders if folder.endswith(":")}
        self.folders |= {path for path, content in self.files.items() if content is None}

    def in_use(self, paths: Iterable[str]) -> InUse:
        self.asked_about = tuple(paths)
        return self.used

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=timezone.utc)

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 30.0,
        stdin: str = "",
        show_errors: bool = False,
    ) -> Completed:
        words = tuple(argv)
        self.started.append(words)
        known = next((done for start, done in self.commands.items() if words[: len(start)] == start), None)
        assert known is not None, f"a command that this machine was not recorded with: {words}"
        if isinstance(known, Exception):
            raise known
        return known if isinstance(known, Completed) else Completed(argv=words, code=0, out=known, err="", seconds=0.0)

    def which(self, name: str) -> str | None:
        folders = self.env.get("PATH", "").split(":")
        return next((f"{folder}/{name}" for folder in folders if self.exists(f"{folder}/{name}")), None)

    def read_text(self, path: str, limit: int = 1 << 20) -> str:
        return self.read_bytes(path, limit).decode("utf-8", "surrogateescape")

    def read_bytes(self, path: str, limit: int = 1 << 26, offset: int = 0) -> bytes:
        where = self.real(path)
        content = self.files.get(where)
        if isinstance(content, Exception):
            raise content
        if content is None:
            raise IsADirectoryError(path) if where in self.folders else FileNotFoundError(path)
        data = content.encode() if isinstance(content, str) else content
        return data[offset : offset + limit]

    def size(self, path: str) -> int:
        content = self.files.get(self.real(path))
        return len(content) if isinstance(content, str | bytes) else -1

    def sha256(self, path: str) -> str:
        return hashlib.sha256(self.read_bytes(path)).hexdigest()

    def exists(self, path: str) -> bool:
        return path in self.links or (where := self.real(path)) in self.files or where in self.folders

    def entry(self, path: str) -> Entry:
        if not self.exists(path):
            raise FileNotFoundError(path)
        kind: EntryKind = "link" if path in self.links else "directory" if path in self.folders else "file"
        content = self.files.get(path)
        size = len(content) if isinstance(content, str | bytes) else 0
        return Entry(path=path, kind=kind, size=size, mtime=0, mode=0o644, device=1, inode=1)

    def list(self, path: str, *, named: Callable[[str], bool] | None = None) -> tuple[Entry, ...]:
        if path not in self.folders:
            raise FileNotFoundError(path)
        paths = {item for item in (*self.files, *self.links, *self.folders) if item != path and item.rsplit("/", 1)[0] == path.rstrip("/")}
        return tuple(self.entry(item) for item in sorted(paths) if named is None or named(item.rsplit("/", 1)[1]))

    def walk(self, path: str) -> Iterator[Entry]:
        for entry in self.list(path):
            yield entry
            if entry.kind == "directory":
                yield from self.walk(entry.path)

    def glob(self, pattern: str) -> tuple[str, ...]:
        depth = pattern.count("/")
        every = {*self.files, *self.links, *self.folders}
        return tuple(sorted(path for path in every if path.count("/") == depth and fnmatch.fnmatchcase(path, pattern)))

    def real(self, path: str) -> str:
        for _ in range(20):
            link = next((link for link in self.links if path == link or path.startswith(link + "/")), None)
            if link is None:
                return path
            target = self.links[link]
            path = (target if target.startswith("/") else f"{link.rsplit('/', 1)[0]}/{target}") + path[len(link) :]
        return path

    def read_link(self, path: str) -> str:
        try:
            return self.links[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def writable(self, path: str) -> bool:
        return self.exists(path)

    def space(self, path: str) -> Space:
        best = max((folder for folder in self.volumes if path.startswith(folder)), key=len, default=None)
        if best is None:
            raise PermissionError(13, "Permission denied")
        return self.volumes[best]
