"""How work in progress is told: the port that reports implement and the executor calls."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told what is going on; must never raise."""

    def start(self, stage: str, title: str, total: int = 0) -> None:
        """A stage begins; ``total`` is the bytes it will write, 0 where that is not known."""
        ...

    def advance(self, written: int) -> None:
        """The stage has written that many bytes so far; -1 where the system does not tell."""
        ...

    def finish(self, detail: str = "") -> None:
        """The stage is done."""
        ...

    def note(self, text: str) -> None:
        """Something a person should know."""
        ...

    def close(self) -> None:
        """Nothing more will be told, whether or not the last stage was finished."""
        ...


class Silent:
    """A progress that tells nobody."""

    def start(self, stage: str, title: str, total: int = 0) -> None:
        """See ``Progress``."""

    def advance(self, written: int) -> None:
        """See ``Progress``."""

    def finish(self, detail: str = "") -> None:
        """See ``Progress``."""

    def note(self, text: str) -> None:
        """See ``Progress``."""

    def close(self) -> None:
        """See ``Progress``."""


SILENT = Silent()
