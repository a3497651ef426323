"""This machine, where a person is told what is waited for: a driver that hangs answers no question for its whole time limit."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from provisioner.host import Completed, Host

# Longer than any healthy answer takes, and shorter than people wait without a word.
MUTE_SECONDS = 2.0


def patient(host: Host, tell: Callable[[str], None]) -> Host:
    """Return ``host``, saying by ``tell`` which program is waited for, and how long it may take."""
    return cast("Host", _Patient(host, tell))


class _Patient:
    """What is not said here is the host's own."""

    def __init__(self, host: Host, tell: Callable[[str], None]) -> None:
        self._host = host
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 30.0,
        stdin: str = "",
        watch: Callable[[int], None] | None = None,
    ) -> Completed:
        """See ``host.Reader``."""
        started = time.monotonic()
        told: list[float] = []

        def watched(written: int) -> None:
            if not told and time.monotonic() - started > MUTE_SECONDS:
                told.append(started)
                what = " ".join(posixpath.basename(word) for word in argv if not word.startswith("-"))
                self._tell(f"waiting for an answer of {what[:60]} (at most {timeout:.0f} s)")
            if watch is not None:
                watch(written)

        return self._host.run(argv, env=env, cwd=cwd, timeout=timeout, stdin=stdin, watch=watched)
