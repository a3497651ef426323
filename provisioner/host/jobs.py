"""Jobs of Windows: what a program starts ends with it, and with us ("Job Objects" of Microsoft's documentation)."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from ctypes import wintypes

# For the type checker, which knows what is there alone: `windows` imports this module on no other system.
assert sys.platform == "win32"  # noqa: S101


class _Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; of its fields the flags alone are set."""

    _fields_ = (
        ("times", ctypes.c_int64 * 2),
        ("flags", wintypes.DWORD),
        ("rest", ctypes.c_size_t * 2),
        ("processes", wintypes.DWORD),
        ("affinity", ctypes.c_size_t),
        ("classes", wintypes.DWORD * 2),
        ("io", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    )


class Job:
    """A job of Windows ("Job Objects"): what is held in it, and all that this starts, ends with the handle."""

    _EXTENDED, _KILL_ON_CLOSE = 9, 0x2000

    def __init__(self) -> None:
        self._kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        self._kernel.CreateJobObjectW.restype = wintypes.HANDLE
        self._handle = wintypes.HANDLE(self._kernel.CreateJobObjectW(None, None))
        limits = _Limits(flags=self._KILL_ON_CLOSE)
        self._kernel.SetInformationJobObject(self._handle, self._EXTENDED, ctypes.byref(limits), ctypes.sizeof(limits))

    def hold(self, process: subprocess.Popen[str]) -> None:
        """Put a process in."""
        self._kernel.AssignProcessToJobObject(self._handle, wintypes.HANDLE(int(process._handle)))  # type: ignore[attr-defined]  # noqa: SLF001

    def end(self) -> None:
        """End all that is in it."""
        self._kernel.TerminateJobObject(self._handle, signal.SIGTERM)

    def close(self) -> None:
        """Let go of it, which ends what is still in it."""
        self._kernel.CloseHandle(self._handle)
