"""Which files of an environment were found as recorded, and have not changed since: hashing 1.5 GB takes seconds, looking takes none.

Of each file eight bytes are kept: a print of its path, of the hash that its record has, and of what the file system says of it (``host.Stamp``),
whose time of change nobody can set back. What is not as recorded is read again each time. A memory that cannot be read or written is no error.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import posixpath
from array import array
from bisect import bisect_left

from provisioner.host import Host, Stamp
from provisioner.host.files import FAULTS, make_folders
from provisioner.session import Session

# Changes with what a print is made of.
FORM = "tfsetup/as-recorded/1"
LIMIT = 1 << 26
# Two changes within this many nanoseconds may bear the same time (the kernel's tick).
TICK = 100_000_000


class Memory:
    """One small file an environment, in ``folder`` (absolute; it need not exist)."""

    def __init__(self, host: Host, folder: str) -> None:
        self._host = host
        self._folder = folder

    def open(self, root: str) -> Remembered:
        """Return what is known of the environment at ``root``."""
        prints = array("Q")
        try:
            form, _, text = self._host.read_text(self._path(root), LIMIT).partition("\n")
            if form == FORM:
                prints.frombytes(base64.b64decode(text, validate=True))
        except (*FAULTS, ValueError):
            prints = array("Q")
        return Remembered(prints, int(self._host.now().timestamp() * 1e9))

    def keep(self, root: str, found: Remembered) -> None:
        """Keep what was found; nothing happens where that cannot be written."""
        text = base64.b64encode(array("Q", sorted(found.prints)).tobytes()).decode()
        with contextlib.suppress(OSError, ValueError):
            make_folders(self._host, self._folder)
            self._host.write(self._path(root), f"{FORM}\n{text}")

    def _path(self, root: str) -> str:
        return posixpath.join(self._folder, hashlib.sha256(root.encode("utf-8", "surrogateescape")).hexdigest()[:24])


class Remembered:
    """One comparison's view of the memory: ``known`` in ascending order from before, ``prints`` of those that hold now."""

    def __init__(self, known: array[int], began: int) -> None:
        self._known = known
        self._began = began
        self.prints: array[int] = array("Q")
        self.fresh = 0

    def holds(self, path: str, digest: str, stamp: Stamp) -> bool:
        """True where that file, with that stamp, was found to have that hash; it is remembered further."""
        wanted = _print(path, digest, stamp)
        place = bisect_left(self._known, wanted)
        if place >= len(self._known) or self._known[place] != wanted:
            return False
        self.prints.append(wanted)
        return True

    def add(self, path: str, digest: str, stamp: Stamp) -> None:
        """Remember that the file has that hash. One that was changed just now may change again within the same tick of the clock, and is not."""
        if stamp.changed < self._began - TICK:
            self.prints.append(_print(path, digest, stamp))
            self.fresh += 1

    @property
    def changed(self) -> bool:
        """True where there is something to write."""
        return self.fresh > 0 or len(self.prints) != len(self._known)


def _print(path: str, digest: str, stamp: Stamp) -> int:
    text = f"{path}\0{digest}\0{stamp.size}\0{stamp.mtime}\0{stamp.changed}\0{stamp.inode}"
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")


def memory_of(session: Session) -> Memory:
    """Return the memory of this run's tool."""
    return Memory(session.host, session.folder("as-recorded"))
