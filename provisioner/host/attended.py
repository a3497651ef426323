"""A program that a person works with, in this process's terminal; what it says on stderr is shown at once, and its end is kept."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import subprocess
import termios
from collections.abc import Mapping, Sequence

from provisioner.host.processes import deaf_to_interrupts

POLL_SECONDS = 0.2
CHUNK = 1 << 16


def attend(argv: Sequence[str], *, env: Mapping[str, str], keep: int) -> tuple[int, bytes]:
    """Run a program to its end with this process's stdin and stdout; return its exit status and the last ``keep`` bytes of its stderr.

    A program that writes to a terminal keeps one. Ctrl-C is for the program alone; any other request to end is handed on to it.
    """
    source, target = _terminal_like(2) if os.isatty(2) else os.pipe()
    with deaf_to_interrupts():
        try:
            process = subprocess.Popen(argv, env=dict(env), stderr=target)
        except BaseException:
            os.close(source)
            raise
        finally:
            os.close(target)
        try:
            said = _copied(source, process, keep)
            return process.wait(), said
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            os.close(source)


def _terminal_like(handle: int) -> tuple[int, int]:
    """Return both ends of a terminal with the size of the one at ``handle``."""
    leader, follower = pty.openpty()
    with contextlib.suppress(OSError):
        fcntl.ioctl(follower, termios.TIOCSWINSZ, fcntl.ioctl(handle, termios.TIOCGWINSZ, bytes(8)))
        # What it writes is written once more to the real one, which does the rest.
        attributes = termios.tcgetattr(follower)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(follower, termios.TCSANOW, attributes)
    return leader, follower


def _copied(source: int, process: subprocess.Popen[bytes], keep: int) -> bytes:
    """Copy until the end, or until the program has ended and says nothing more, whatever it left running keeps open."""
    said = b""
    while True:
        if not select.select([source], [], [], POLL_SECONDS)[0]:
            if process.poll() is not None:
                return said
            continue
        try:
            chunk = os.read(source, CHUNK)
        except OSError:
            # A terminal whose other end is closed.
            return said
        if not chunk:
            return said
        said = (said + chunk)[-keep:]
        with contextlib.suppress(OSError):
            os.write(2, chunk)
