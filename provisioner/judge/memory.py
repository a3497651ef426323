"""What a comparison of all files found, kept until one of them changes: comparing 1.5 GB takes seconds, looking whether any has changed does not.

The key covers what each package has recorded and, of each file, what the file system says (``host.Stamp``), whose time of change nobody can set
back. An entry that cannot be read or written is no error: then everything is read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import posixpath
from collections.abc import Iterable, Mapping

from provisioner.environment.owners import Claim
from provisioner.host import Host, Stamp
from provisioner.host.files import FAULTS, make_folders
from provisioner.model.json_text import read_json
from provisioner.session import Session

# Changes with the meaning of what is kept.
FORM = "tfsetup/compared/1"
LIMIT = 1 << 24
# Two changes within this many nanoseconds may bear the same time (the kernel's tick).
TICK = 100_000_000
# What is kept of one file that is not as recorded: distribution, kind, path, words, the other distribution.
Line = tuple[str, str, str, str, str]


class Memory:
    """One small file an environment, in ``folder`` (absolute; it need not exist)."""

    def __init__(self, host: Host, folder: str) -> None:
        self._host = host
        self._folder = folder

    def recall(self, root: str, key: str) -> tuple[Line, ...] | None:
        """Return what was found under that key; None where nothing is known of it."""
        try:
            data = read_json(self._host.read_text(self._path(root), LIMIT))
            if data["form"] != FORM or data["key"] != key:
                return None
            return tuple((str(item[0]), str(item[1]), str(item[2]), str(item[3]), str(item[4])) for item in data["found"])
        except (*FAULTS, KeyError, TypeError, IndexError):
            return None

    def keep(self, root: str, key: str, found: Iterable[Line]) -> None:
        """Keep what was found; nothing happens where that cannot be written."""
        text = json.dumps({"form": FORM, "root": root, "key": key, "found": list(found)})
        with contextlib.suppress(OSError, ValueError):
            make_folders(self._host, self._folder)
            self._host.write(self._path(root), text)

    def now(self) -> int:
        """Return the time in nanoseconds, as the file system tells it."""
        return int(self._host.now().timestamp() * 1e9)

    def _path(self, root: str) -> str:
        return posixpath.join(self._folder, f"{hashlib.sha256(root.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}.json")


def memory_of(session: Session) -> Memory:
    """Return the memory of this run's tool."""
    return Memory(session.host, session.folder("compared"))


def key_of(rows: Mapping[str, tuple[Claim, ...]], stamps: Mapping[str, Stamp], *, extra: str = "") -> str:
    """Return the key for what was recorded (``rows``, by path) and for what is there; ``extra`` is whatever else the answer rests on."""
    lines = "\n".join(
        f"{path}\0{stamps.get(path)}\0{[(row.metadata, row.digest, row.size) for row in rows[path]]}" for path in sorted(rows)
    )
    return hashlib.sha256(f"{FORM}\n{extra}\n{lines}".encode("utf-8", "surrogateescape")).hexdigest()


def is_settled(rows: Iterable[str], stamps: Mapping[str, Stamp], began: int) -> bool:
    """True where no file was changed so shortly before ``began`` (nanoseconds) that a later change could bear the same time."""
    return all(stamps[path].changed < began - TICK for path in rows if path in stamps)
