"""Removing a folder with all that is in it, also where its owner may not write folders in it: whose they are may take that back."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys

_ALL = stat.S_IRWXU


def remove_tree(path: str) -> None:
    """Remove the folder at ``path``; folders of this user's own in it are made such that they can be written, where that keeps it from going."""
    try:
        _remove(path)
    except PermissionError:
        if sys.platform == "win32" or not _open_up(path):
            raise
        _remove(path)


def _remove(path: str) -> None:
    if sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=_raise)
    else:
        shutil.rmtree(path, onerror=_raise)


def _raise(_function: object, path: str, error: object) -> None:
    """Name the whole path in an error of ``shutil.rmtree``, which tells only its end."""
    found = error[1] if isinstance(error, tuple) else error
    if not isinstance(found, BaseException):  # pragma: no cover - rmtree gives no other
        return
    if isinstance(found, OSError):
        found.filename = path
    raise found


def _open_up(path: str) -> bool:
    """Let this user do all in its own folders below ``path``, links not followed; False where none kept it from anything."""
    changed, waiting = False, [path]
    while waiting:
        folder = waiting.pop()
        with contextlib.suppress(OSError):
            status = os.lstat(folder)
            if status.st_uid == os.geteuid() and status.st_mode & _ALL != _ALL:
                _allow(folder, stat.S_IMODE(status.st_mode) | _ALL)
                changed = True
            with os.scandir(folder) as entries:
                waiting += [item.path for item in entries if item.is_dir(follow_symlinks=False)]
    return changed


def _allow(folder: str, mode: int) -> None:
    """Change the mode of what is a folder still; one that may not be read can be opened as a path only."""
    handle = os.open(folder, getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.chmod(f"/proc/self/fd/{handle}" if hasattr(os, "O_PATH") else handle, mode)
    finally:
        os.close(handle)
