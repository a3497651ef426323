"""What a folder holds, by eyes that are not the tool's: path, type, mode, target of a link, SHA-256 of each entry."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

Print = dict[str, str]

# Runs share files by hard links, and a file of the same inode, size and time has the same bytes.
_SEEN: dict[tuple[int, int, int, int], str] = {}


def fingerprint(root: Path, *, without: tuple[str, ...] = ()) -> Print:
    """Return every path below ``root`` (relative) with what identifies it; ``without`` are names in ``root`` that are not looked at."""
    found: Print = {}
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if path in without:
                    continue
                found[path] = _of(entry)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
    return found


def _of(entry: os.DirEntry[str]) -> str:
    status = entry.stat(follow_symlinks=False)
    mode = f"{stat.S_IMODE(status.st_mode):o}"
    if entry.is_symlink():
        return f"link {os.readlink(entry.path)}"
    if stat.S_ISDIR(status.st_mode):
        return f"folder {mode}"
    if not stat.S_ISREG(status.st_mode):
        return f"special {status.st_mode:o}"
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in _SEEN:
        _SEEN[key] = hashlib.sha256(Path(entry.path).read_bytes()).hexdigest()
    return f"file {mode} {_SEEN[key]}"


def differences(before: Print, after: Print, most: int = 12) -> list[str]:
    """Return what differs, at most so many lines."""
    names = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    lines = [f"{name}: {before.get(name, 'not there')[:24]} -> {after.get(name, 'not there')[:24]}" for name in names[:most]]
    return [*lines, f"and {len(names) - most} more"] if len(names) > most else lines
