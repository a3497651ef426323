"""What a killed run leaves outside the environment, and signals that a shell said to ignore."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from provisioner.host.files import STALE_SECONDS, sweep
from provisioner.host.local import LocalHost
from provisioner.verify.children import PREFIX, make_work
from tests.cli.conftest import inside, shared, tiny, tool, variables, work
from tests.cli.support import Inside

__all__ = ["inside", "shared", "tiny", "tool", "variables", "work"]
OLD = time.time() - STALE_SECONDS - 60


def folder(path: Path, when: float | None = None) -> Path:
    path.mkdir()
    (path / "x").write_text("")
    if when is not None:
        os.utime(path, (when, when))
    return path


def test_the_next_proof_takes_away_what_a_killed_one_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    old, young = folder(tmp_path / f"{PREFIX}0", OLD), folder(tmp_path / f"{PREFIX}1")
    other = folder(tmp_path / "other", OLD)
    linked = tmp_path / f"{PREFIX}2"
    linked.symlink_to(other)
    made = Path(make_work(LocalHost()))
    assert set(tmp_path.iterdir()) == {young, other, linked, made}
    assert not old.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
def test_what_belongs_to_another_user_stays(tmp_path: Path) -> None:
    theirs = folder(tmp_path / "run-0", OLD)
    os.chown(theirs, 65534, 65534)
    sweep(LocalHost(), str(tmp_path), "run-")
    assert theirs.exists()


def test_nohup_is_left_as_it_is(inside: Inside) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert inside("--version").code == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        with LocalHost().shielded():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_under_nohup_a_closed_terminal_ends_nothing(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler that is there while a command runs is the one that counts."""
    from provisioner import cli

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    seen: list[object] = []
    monkeypatch.setattr(cli, "make_app", lambda asked: lambda *_a, **_k: seen.append(signal.getsignal(signal.SIGHUP)) or 0)
    try:
        assert cli.run(["detect"]) == 0
        assert seen == [signal.SIG_IGN]
    finally:
        signal.signal(signal.SIGHUP, before)
