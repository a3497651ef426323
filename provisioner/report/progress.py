"""Progress as people and programs see it: bars on a terminal, plain lines elsewhere, JSON lines with ``--json``; always on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from provisioner.base.progress import SILENT, Progress
from provisioner.base.text import mask, seconds_words, shown, size_words
from provisioner.host import Reader

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

# Between two lines of one stage where there is no bar, so that a log shows that work goes on.
PLAIN_INTERVAL_SECONDS = 15.0


def progress_for(*, as_json: bool, host: Reader, quiet: bool = False, plain: bool = False) -> Progress:
    """Return the progress that fits where stderr goes: none where a person wants it ``quiet``, lines where they want it ``plain``."""
    if quiet:
        return SILENT
    if as_json:
        return JsonProgress()
    if not plain and sys.stderr.isatty() and host.env.get("TERM") != "dumb":
        return BarProgress(colour="NO_COLOR" not in host.env)
    return PlainProgress()


class PlainProgress:
    """One line when a stage begins and one when it ends."""

    def __init__(self) -> None:
        """Begin with no stage."""
        self._started = 0.0
        self._told = 0.0
        self._total = 0

    def start(self, stage: str, title: str, total: int = 0) -> None:  # noqa: ARG002 - people are told the title
        """See ``Progress``."""
        self._started = self._told = time.monotonic()
        self._total = total
        _line(f"{title} ...")

    def advance(self, written: int) -> None:
        """See ``Progress``."""
        now = time.monotonic()
        if now - self._told >= PLAIN_INTERVAL_SECONDS:
            self._told = now
            amount = (
                f"{size_words(min(written, self._total))} of {size_words(self._total)} unpacked, " if self._total and written >= 0 else ""
            )
            _line(f"  {amount}{seconds_words(now - self._started)}")

    def finish(self, detail: str = "") -> None:
        """See ``Progress``."""
        _line(f"  done in {seconds_words(time.monotonic() - self._started)}{detail and '; ' + detail}")

    def note(self, text: str) -> None:
        """See ``Progress``."""
        _line(f"  {text}")

    def close(self) -> None:
        """See ``Progress``."""


class JsonProgress:
    """One JSON object a line: ``event`` is ``start``, ``progress``, ``finish`` or ``note``."""

    def __init__(self) -> None:
        """Begin with no stage."""
        self._stage = ""
        self._started = 0.0

    def start(self, stage: str, title: str, total: int = 0) -> None:
        """See ``Progress``."""
        self._stage, self._started = stage, time.monotonic()
        self._event("start", title=mask(title), total=total)

    def advance(self, written: int) -> None:
        """See ``Progress``."""
        self._event("progress", written=written)

    def finish(self, detail: str = "") -> None:
        """See ``Progress``."""
        self._event("finish", seconds=round(time.monotonic() - self._started, 3), detail=mask(detail))

    def note(self, text: str) -> None:
        """See ``Progress``."""
        self._event("note", text=mask(text))

    def close(self) -> None:
        """See ``Progress``."""

    def _event(self, event: str, **fields: Any) -> None:
        _line(json.dumps({"event": event, "stage": self._stage, **fields}))


class BarProgress:
    """A bar with bytes, speed and the time that is left for stages that write, a spinner with the time for others; drawn by rich."""

    def __init__(self, *, colour: bool) -> None:
        """Prepare the console; nothing is drawn yet."""
        from rich.console import Console  # noqa: PLC0415 - only on a terminal
        from rich.progress import (  # noqa: PLC0415  # noqa: PLC0415
            BarColumn,
            DownloadColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as Bars  # noqa: PLC0415
        from rich.theme import Theme  # noqa: PLC0415

        # rich's own have yellow, which nobody reads on white.
        theme = Theme({f"progress.{name}": "default" for name in ("elapsed", "remaining", "data.speed", "download", "filesize")})
        self._console = Console(stderr=True, no_color=not colour, highlight=False, soft_wrap=True, theme=theme)
        self._plain = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self._bytes = (*self._plain[:2], BarColumn(20), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(compact=True))
        self._make = Bars
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._title = ""
        self._total = 0
        self._started = 0.0

    def start(self, stage: str, title: str, total: int = 0) -> None:  # noqa: ARG002 - people are told the title
        """See ``Progress``."""
        self._stop()
        self._title, self._total, self._started = shown(title), total, time.monotonic()
        columns = self._bytes if total else self._plain
        self._bars = self._make(*columns, console=self._console, transient=True)
        self._task = self._bars.add_task(self._title, total=total or None)
        self._bars.start()

    def advance(self, written: int) -> None:
        """See ``Progress``."""
        if self._bars is not None and self._task is not None and written >= 0:
            self._bars.update(self._task, completed=min(written, self._total))

    def finish(self, detail: str = "") -> None:
        """See ``Progress``."""
        self._stop()
        self._console.print(
            f"{self._title}: done in {seconds_words(time.monotonic() - self._started)}{detail and '; ' + shown(detail)}", markup=False
        )

    def note(self, text: str) -> None:
        """See ``Progress``."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, description=f"{self._title} ({shown(text)})")
        else:
            self._console.print(shown(text), markup=False)

    def close(self) -> None:
        """See ``Progress``: give the terminal its cursor back, whatever happened."""
        self._stop()

    def _stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


def _line(text: str) -> None:
    # A full disk or a reader that has gone must not stop the work.
    with contextlib.suppress(OSError):
        sys.stderr.write(shown(text) + "\n")
        sys.stderr.flush()
