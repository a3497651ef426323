"""A program of this machine that stays for the next question: one line asked, one line answered."""

from __future__ import annotations

import atexit
import contextlib
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

from provisioner.host import Completed
from provisioner.host.processes import KILL_GRACE_SECONDS, WATCH_SECONDS, bytes_written, end


class Kept:
    """A program that answers one line with one line, until its input ends."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.key = (tuple(argv), dict(env))
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``end``
        self.control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [*argv, str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env=dict(env),
                cwd="/",
                bufsize=0,
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
            )

    def answer(self, request: str, deadline: float, watch: Callable[[int], None] | None, locks: Sequence[int]) -> bytes:
        """Return the answer, which has no line end where the program ended with it, or instead of it; raises ``TimeoutExpired``."""
        process = self.process
        asked, told = process.stdin, process.stdout
        if asked is None or told is None:  # pragma: no cover - both were asked for
            return b""
        before = bytes_written(process.pid)
        given, out = memoryview(f"{request}\n".encode("utf-8", "surrogateescape")), b""
        try:
            # Whatever works for us keeps our locks: should we be killed, nobody may begin before it has ended, too.
            socket.send_fds(self.control, [b"."], list(locks)) if locks else self.control.send(b".")
            while given:
                given = given[asked.write(given) or 0 :]
        except BrokenPipeError:
            return b""
        while not out.endswith(b"\n"):
            ready, _, _ = select.select([told.fileno()], [], [], min(WATCH_SECONDS, max(0.0, deadline - time.monotonic())))
            if ready:
                piece = told.read(1 << 20)
                if not piece:
                    return out
                out += piece
            elif time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(process.args, 0)
            elif watch is not None:
                written = bytes_written(process.pid)
                watch(written - before if written >= 0 else written)
        return out

    def end(self, *, at_once: bool) -> tuple[int, str]:
        """End the program, and return its code and what it said of errors."""
        self.control.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        if not at_once:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(KILL_GRACE_SECONDS)
        if self.process.poll() is None:
            end(self.process)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.errors.seek(0)
        said = self.errors.read().decode("utf-8", "backslashreplace")
        self.errors.close()
        return self.process.returncode, said


# The program that waits for its next question: one at a time is enough.
_KEPT: list[Kept] = []


def ask(
    argv: Sequence[str],
    request: str,
    *,
    env: Mapping[str, str],
    timeout: float,
    watch: Callable[[int], None] | None,
    locks: Sequence[int],
) -> Completed:
    """See ``host.Host``; ``locks`` are the open lock files of this process."""
    started = time.monotonic()
    if not _KEPT or _KEPT[0].key != (tuple(argv), dict(env)):
        _let_go()
        atexit.register(_let_go)
        _KEPT.append(Kept(argv, env))
    kept = _KEPT.pop()
    timed_out = False
    try:
        out = kept.answer(request, started + timeout, watch, locks)
    except subprocess.TimeoutExpired:
        timed_out, out = True, b""
    except BaseException:
        kept.end(at_once=True)
        raise
    code, err = 0, ""
    if out.endswith(b"\n"):
        _KEPT.append(kept)
    else:
        code, err = kept.end(at_once=timed_out)
    return Completed(
        argv=tuple(argv),
        code=code,
        out=out.decode("utf-8", "backslashreplace"),
        err=err,
        seconds=time.monotonic() - started,
        timed_out=timed_out,
    )


def _let_go() -> None:
    """End the program that waits for its next question, if there is one."""
    while _KEPT:
        _KEPT.pop().end(at_once=False)
