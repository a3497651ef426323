"""The hashes of an environment's files, kept while they do not change: hashing 1.5 GB takes seconds, looking whether anything has changed does not.

A hash is believed only for a file of which the file system says the very same (``host.Stamp``), whose time of change nobody can set back. A memory
that cannot be read or written is no error: then everything is read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import posixpath
from collections.abc import Mapping

from provisioner.host import Host, Stamp
from provisioner.host.files import FAULTS, make_folders
from provisioner.model.json_text import read_json
from provisioner.session import Session

FORM = "tfsetup/hashes/1"
LIMIT = 1 << 27
# Two changes within this many nanoseconds may bear the same time (the kernel's tick).
TICK = 100_000_000
Hashes = dict[str, tuple[Stamp, str]]


class Memory:
    """One file an environment, in ``folder`` (absolute; it need not exist)."""

    def __init__(self, host: Host, folder: str) -> None:
        self._host = host
        self._folder = folder

    def recall(self, root: str) -> Hashes:
        """Return what is known of the files of the environment at ``root``: what the file system said, and the hash (base64 without padding)."""
        try:
            data = read_json(self._host.read_text(self._path(root), LIMIT))
            if data["form"] != FORM or data["root"] != root:
                return {}
            return {str(path): (Stamp(*map(int, row[:4])), str(row[4])) for path, row in data["files"].items()}
        except (*FAULTS, KeyError, TypeError, IndexError, AttributeError):
            return {}

    def keep(self, root: str, hashes: Mapping[str, tuple[Stamp, str]], began: int) -> None:
        """Keep the hashes that were found since ``began``; nothing happens where that cannot be written.

        A file that was changed just before may be changed again within the same tick of the clock, and is left out.
        """
        files = {path: (*stamp, digest) for path, (stamp, digest) in hashes.items() if stamp.changed < began - TICK}
        text = json.dumps({"form": FORM, "root": root, "files": files}, separators=(",", ":"))
        with contextlib.suppress(OSError, ValueError):
            make_folders(self._host, self._folder)
            self._host.write(self._path(root), text)

    def now(self) -> int:
        """Return the time in nanoseconds."""
        return int(self._host.now().timestamp() * 1e9)

    def _path(self, root: str) -> str:
        return posixpath.join(self._folder, f"{hashlib.sha256(root.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}.json")


def memory_of(session: Session) -> Memory:
    """Return the memory of this run's tool."""
    return Memory(session.host, session.folder("hashes"))
