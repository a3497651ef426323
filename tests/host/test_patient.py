"""A person is told what is waited for, once, and only where it takes longer than people wait without a word."""

from __future__ import annotations

import sys

import pytest

from provisioner.host import patient as module
from provisioner.host.local import LocalHost
from provisioner.host.patient import patient


def test_a_program_that_hangs_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MUTE_SECONDS", 0.3)
    said: list[str] = []
    watched: list[int] = []
    done = patient(LocalHost(), said.append).run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=2, watch=watched.append)
    assert done.timed_out
    (line,) = said
    assert line.startswith("waiting for an answer of python")
    assert line.endswith("(at most 2 s)")
    assert watched, "whoever watches is still told"


def test_one_that_answers_is_not() -> None:
    said: list[str] = []
    assert patient(LocalHost(), said.append).run([sys.executable, "-c", "print(1)"]).out == "1\n"
    assert said == []
