"""Processes of this machine: how they are listened to, watched and ended; for ``host/local.py`` and ``helper``."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

KILL_GRACE_SECONDS = 5.0
WATCH_SECONDS = 0.2


def listened(
    argv: Sequence[str],
    env: Mapping[str, str] | None,
    cwd: str | None,
    *,
    start_new_session: bool = False,
    pass_fds: Sequence[int] = (),
    creationflags: int = 0,
) -> subprocess.Popen[str]:
    """Start a program whose input, output and errors are ours, as UTF-8; what is none is spelt out."""
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=None if env is None else dict(env),
        cwd=cwd,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=start_new_session,
        pass_fds=pass_fds,
        creationflags=creationflags,
    )


def communicate(process: subprocess.Popen[str], stdin: str, deadline: float, watch: Callable[[int], None] | None) -> tuple[str, str]:
    """Give a process its input, and return its output and errors at its end; raises ``TimeoutExpired`` at the ``deadline``."""
    # On Windows nothing that waits hears Ctrl-C before it has waited (threading: "interrupted by signals on POSIX"), so it waits for moments.
    if watch is None and sys.platform != "win32":
        return process.communicate(stdin, timeout=deadline - time.monotonic())
    given: str | None = stdin
    while True:
        try:
            return process.communicate(given, timeout=min(WATCH_SECONDS, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                raise
        given = None
        if watch is not None:
            watch(bytes_written(process.pid))


def what_it_said(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return the output of a process that was ended; one of its children that got away may still hold the pipes, and is not waited for."""
    try:
        return process.communicate(timeout=KILL_GRACE_SECONDS)
    except subprocess.TimeoutExpired as expired:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        parts = (expired.stdout, expired.stderr)
        out, err = (part.decode("utf-8", "backslashreplace") if isinstance(part, bytes) else part or "" for part in parts)
        return out, err


def bytes_written(pid: int) -> int:
    """Return the ``wchar`` line of Linux' ``/proc/PID/io``, or -1."""
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("wchar:"))
    except (OSError, StopIteration):
        return -1


@contextlib.contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Leave Ctrl-C to the program; a handler in place of "ignored", which the program would inherit."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End a process and its children: politely, then for good; a child may live on when its parent has obeyed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILL_GRACE_SECONDS)
