"""Which files programs keep on Windows, and which programs: opened as for a move, then asked of the Restart Manager.

Sources: Microsoft's documentation, "CreateFileW" (share modes; a loaded image cannot be opened to be written) and "Using Restart Manager".
"""

from __future__ import annotations

import ctypes
import errno
import functools
import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence
from ctypes import wintypes

from provisioner.base.paths import slashed

# For the type checker, which knows what is there alone: `windows` imports this module on no other system.
assert sys.platform == "win32"  # noqa: S101

_DELETE, _GENERIC_WRITE = 0x00010000, 0x40000000
_SHARE_ALL, _OPEN_EXISTING, _NO_LINK = 7, 3, 0x00200000
_INVALID = ctypes.c_void_p(-1).value
_ACCESS_DENIED, _SHARING_VIOLATION, _LOCK_VIOLATION = 5, 32, 33
_MORE_DATA = 234
# Enough for a machine on which something is at work; the list is asked for anew with what is said to be needed, so often.
_PROGRAMS, _TIMES = 16, 3
# RmRegisterResources opens each of them.
_AT_ONCE = 200
# A virus scanner or an indexer holds a new file for moments; who works with one holds it for longer.
HELD_SECONDS, POLL_SECONDS = 3.0, 0.1
# Files of a folder that was not moved, in search of one that is open.
LOOKED_AT = 30_000


class _Unique(ctypes.Structure):
    """RM_UNIQUE_PROCESS."""

    _fields_ = (("process", wintypes.DWORD), ("started", wintypes.FILETIME))


class _Process(ctypes.Structure):
    """RM_PROCESS_INFO."""

    _fields_ = (
        ("unique", _Unique),
        ("name", wintypes.WCHAR * 256),
        ("service", wintypes.WCHAR * 64),
        ("kind", wintypes.DWORD),
        ("status", wintypes.ULONG),
        ("session", wintypes.DWORD),
        ("restartable", wintypes.BOOL),
    )


@functools.cache
def _kernel() -> ctypes.WinDLL:
    """Windows itself; the files of an environment are asked for by the thousand."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateFileW.restype = ctypes.c_void_p
    kernel.CreateFileW.argtypes = (
        wintypes.LPCWSTR,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.LPVOID,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.HANDLE,
    )
    return kernel


def is_held(path: str) -> bool:
    """True for a file that a program has loaded, or has open in a way that nobody may move it; False for one that is not there."""
    kernel = _kernel()
    for access in (_DELETE | _GENERIC_WRITE, _DELETE):
        handle = kernel.CreateFileW(path.replace("/", "\\"), access, _SHARE_ALL, None, _OPEN_EXISTING, _NO_LINK, None)
        if handle != _INVALID:
            kernel.CloseHandle(wintypes.HANDLE(handle))
            return False
        if ctypes.get_last_error() == _SHARING_VIOLATION:
            return True
    # Read-only, not this user's, or not there: a move says what it is.
    return False


def programs(paths: Sequence[str]) -> tuple[str, ...]:
    """Return who has these files, as ``Python, process 4321``; nothing where Windows does not tell. This process is none of them."""
    try:
        manager = ctypes.WinDLL("rstrtmgr", use_last_error=True)
    except OSError:
        return ()
    session, key = wintypes.DWORD(), ctypes.create_unicode_buffer(33)
    if manager.RmStartSession(ctypes.byref(session), 0, key):
        return ()
    try:
        names = [path.replace("/", "\\") for path in paths[:_AT_ONCE]]
        files = (wintypes.LPCWSTR * len(names))(*names)
        if manager.RmRegisterResources(session, len(names), files, 0, None, 0, None):
            return ()
        return _listed(manager, session)
    finally:
        manager.RmEndSession(session)


def _listed(manager: ctypes.WinDLL, session: wintypes.DWORD) -> tuple[str, ...]:
    room = _PROGRAMS
    for _ in range(_TIMES):
        needed, count, reasons = wintypes.UINT(), wintypes.UINT(room), wintypes.DWORD()
        found = (_Process * room)()
        done = manager.RmGetList(session, ctypes.byref(needed), ctypes.byref(count), found, ctypes.byref(reasons))
        if done == 0:
            others = [item for item in found[: count.value] if item.unique.process != os.getpid()]
            return tuple(f"{item.name or 'a program'}, process {item.unique.process}" for item in others)
        if done != _MORE_DATA:
            return ()
        room = needed.value + _PROGRAMS
    return ()


def patiently(call: Callable[[], None], path: str) -> None:
    """Do it, again for ``HELD_SECONDS`` while somebody has the file open; then raise ``OSError`` (EBUSY).

    It names who has ``path``, or what is in it.
    """
    deadline = time.monotonic() + HELD_SECONDS
    while True:
        try:
            return call()
        except PermissionError as error:  # noqa: PERF203 - that is what it waits for
            held = error.winerror in {_ACCESS_DENIED, _SHARING_VIOLATION, _LOCK_VIOLATION}
            if not held:
                raise
            if time.monotonic() >= deadline:
                raise _busy(path, error) from None
            time.sleep(POLL_SECONDS)


def _busy(path: str, error: PermissionError) -> OSError:
    """Return the error that says who keeps ``path``; the very error where nobody does, for "denied" may mean this user's rights, too."""
    below = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names) if os.path.isdir(path) else iter((path,))
    held = next((found for found in itertools.islice(below, LOOKED_AT) if is_held(found)), "")
    if not held and error.winerror == _ACCESS_DENIED:
        return error
    who = " and ".join(programs([held or path])) or "a program"
    return OSError(errno.EBUSY, f"{who} has it open", slashed(held or path))
