"""The state of a folder, byte for byte: kind, mode, content and link target of every entry."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

# Copies by hard links share their files, so each is read once: the same inode with the same time has the same bytes. That nothing wrote
# into a shared file is seen at the end of a session, when ``fresh`` reads a base anew.
_HASHES: dict[tuple[int, int, int, int], str] = {}
# What programs other than the tool keep in a home: caches, and Keras' own settings, which Keras writes at its first import.
IGNORED = ("home/.cache", "home/.keras")
# Security software adds an organisation's own certificate to this file wherever it finds it, at any time, in place.
CERTIFICATES = "certifi/cacert.pem"


def entry(path: str, *, fresh: bool = False) -> str:
    """Return what identifies one entry."""
    status = os.lstat(path)
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return f"link {os.readlink(path)}"
    if stat.S_ISDIR(status.st_mode):
        return f"folder {mode:o}"
    if not stat.S_ISREG(status.st_mode):
        return f"special {status.st_mode:o}"
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if fresh or key not in _HASHES:
        with open(path, "rb") as stream:
            digest = hashlib.blake2b(digest_size=16)
            while block := stream.read(1 << 20):
                digest.update(block)
        _HASHES[key] = digest.hexdigest()
    return f"file {mode:o} {_HASHES[key]}"


def fingerprint(root: Path, *, fresh: bool = False) -> dict[str, str]:
    """Return every path below ``root`` with what identifies it; links are not followed."""
    found: dict[str, str] = {}
    pending = [str(root)]
    while pending:
        folder = pending.pop()
        for item in os.scandir(folder):
            name = os.path.relpath(item.path, root)
            if name in IGNORED or name.endswith(CERTIFICATES):
                continue
            found[name] = entry(item.path, fresh=fresh)
            if item.is_dir(follow_symlinks=False):
                pending.append(item.path)
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the paths that differ, with how."""
    names = (name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name))
    return [f"{name}: {before.get(name, 'not there')} -> {after.get(name, 'not there')}" for name in names]
