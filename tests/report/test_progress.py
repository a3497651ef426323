"""Progress: plain lines in a log, JSON lines for programs, bars on a terminal; and never an exception."""

from __future__ import annotations

import io
import json
import sys

import pytest

from provisioner.base.progress import Progress, Silent
from provisioner.report import progress as module
from provisioner.report.progress import BarProgress, JsonProgress, PlainProgress, progress_for
from tests.support import FixedHost


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def play(progress: Progress) -> None:
    progress.start("install", "Installing 2 packages", 2_000_000)
    for written in (-1, 0, 1_000_000, 9_000_000):
        progress.advance(written)
    progress.note("one [bold]thing[/bold] in /a[/b]")
    progress.finish("all of it")
    progress.start("verify", "Verifying")
    progress.advance(5)
    progress.close()
    progress.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock is ten seconds after the last."""
    times = iter(range(0, 10_000, 10))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(times)))


def test_plain_lines(capsys: pytest.CaptureFixture[str], clock: None) -> None:
    play(PlainProgress())
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "Installing 2 packages ...",
        "  0 bytes of 2 MB unpacked, 20.0 s",
        "  2 MB of 2 MB unpacked, 40.0 s",
        "  one [bold]thing[/bold] in /a[/b]",
        "  done in 50.0 s; all of it",
        "Verifying ...",
    ]


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    play(JsonProgress())
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(event["event"], event["stage"]) for event in events] == [
        ("start", "install"), *[("progress", "install")] * 4, ("note", "install"), ("finish", "install"), ("start", "verify"), ("progress", "verify"),
    ]  # fmt: skip
    assert events[0]["total"] == 2_000_000
    assert events[3]["written"] == 1_000_000


@pytest.mark.parametrize("colour", [True, False])
def test_bars(monkeypatch: pytest.MonkeyPatch, colour: bool) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    play(BarProgress(colour=colour))
    text = terminal.getvalue()
    assert "Installing 2 packages: done in" in text
    assert "[bold]thing[/bold] in /a[/b]" in text.replace("\n", ""), "a name is no markup"
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 2, "the cursor is back"
    assert ("\x1b[32m" in text) == colour
    assert "\x1b[33m" not in text, "yellow cannot be read on white"


def test_a_stream_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    play(PlainProgress())
    play(JsonProgress())
    play(Silent())


def test_what_fits_where_stderr_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(progress_for(as_json=True, host=FixedHost({})), JsonProgress)
    assert isinstance(progress_for(as_json=False, host=FixedHost({})), PlainProgress)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(progress_for(as_json=False, host=FixedHost({})), BarProgress)
    assert isinstance(progress_for(as_json=False, host=FixedHost({"TERM": "dumb"})), PlainProgress)
    assert isinstance(progress_for(as_json=True, host=FixedHost({})), JsonProgress)


def test_a_name_out_of_a_file_steers_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """S11: what a lock or a channel called itself reached the terminal as it stood."""
    evil = "\x1b]0;title\x07\x9b31m\u202egnp.\u2066 https://me:pw@host.invalid/"
    for make in (lambda: BarProgress(colour=False), PlainProgress):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        bar = make()
        bar.start("install", evil, 10)
        bar.note(evil)
        bar.finish(evil)
        bar.note(evil)
        bar.close()
        shown = terminal.getvalue()
        assert {"\x07", "\x9b", "\u202e", "\u2066"}.isdisjoint(shown)
        assert "\x1b]" not in shown
        assert "me:pw" not in shown
