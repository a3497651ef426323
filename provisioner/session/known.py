"""What this person made on this machine, remembered in their own cache: so that it is not asked about as if it had come from elsewhere.

A note is a file whose name is a digest of what it holds. It is believed only where it and its folder are this user's and nobody else may write them.
"""

from __future__ import annotations

import contextlib
import hashlib
import posixpath

from provisioner.host import Host, Reader, files
from provisioner.host.files import make_folders

FOLDER = "made"
_OTHERS_WRITE = 0o022


def remember(host: Host, cache: str, kind: str, text: str) -> None:
    """Note that this person made what ``text`` identifies; where that cannot be kept, it will be asked about."""
    with contextlib.suppress(OSError):
        make_folders(host, cache)
        folder = posixpath.join(cache, FOLDER)
        if not host.exists(folder):
            host.make_folder(folder, mode=0o700)
        host.write(posixpath.join(folder, _name(kind, text)), text, mode=0o600)


def is_known(reader: Reader, cache: str, kind: str, text: str) -> bool:
    """True where this person made it."""
    folder = posixpath.join(cache, FOLDER)
    return all(_own(reader, path) for path in (folder, posixpath.join(folder, _name(kind, text))))


def recalled(reader: Reader, cache: str, kind: str) -> tuple[str, ...]:
    """Return all that this person made of a kind, by what identifies each; notes of 0.1.0 hold nothing, and are passed over."""
    folder = posixpath.join(cache, FOLDER)
    if not _own(reader, folder):
        return ()
    try:
        notes = [entry.path for entry in reader.list(folder) if posixpath.basename(entry.path).startswith(f"{kind}-")]
    except OSError:
        return ()
    texts = [(path, files.read(reader, path).text or "") for path in notes if _own(reader, path)]
    return tuple(text for path, text in texts if text and posixpath.basename(path) == _name(kind, text))


def _own(reader: Reader, path: str) -> bool:
    entry = files.entry(reader, path)
    return entry is not None and entry.kind in {"directory", "file"} and entry.owner == reader.user and not entry.mode & _OTHERS_WRITE


def _name(kind: str, text: str) -> str:
    return f"{kind}-{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"
