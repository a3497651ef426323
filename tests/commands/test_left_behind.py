"""What a killed run leaves outside the environment, and signals that a shell said to ignore."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

import pytest

from provisioner.host.files import STALE_SECONDS, sweep
from provisioner.host.local import LocalHost
from provisioner.verify.children import PREFIX, make_work, remove_work
from tests.cli.conftest import inside, shared, tiny, tool, variables, work
from tests.cli.support import Inside
from tests.support import FailingHost

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
        assert cli.run_command(["detect"]) == 0
        assert seen == [signal.SIG_IGN]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_proofs_folder_that_cannot_be_filled_goes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    host = FailingHost(dies_at=2, number=errno.ENOSPC, matching=PREFIX)
    with pytest.raises(OSError, match="No space"):
        make_work(host)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_proofs_folder_that_cannot_be_removed_is_no_reason_to_fail(tmp_path: Path, times: int) -> None:
    work = folder(tmp_path / f"{PREFIX}0")
    remove_work(FailingHost(dies_at=1, number=errno.EIO, times=times), str(work))
    assert work.exists() == (times == 2)


def test_what_cannot_be_removed_is_named_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    work = folder(tmp_path / "work")

    def refuse(path: str, *_args: object, dir_fd: int | None = None) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    monkeypatch.setattr(os, "unlink", refuse)
    monkeypatch.setattr(shutil.os, "unlink", refuse)
    with pytest.raises(OSError, match="Input/output") as caught:
        LocalHost().remove_tree(str(work))
    assert caught.value.filename == str(work / "x")
