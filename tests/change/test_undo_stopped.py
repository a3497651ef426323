"""An undo that is stopped: a place that cannot keep or is taken, a kill at any moment, a forged journal, another run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.change.journal import last_record
from provisioner.change.recovery import NO_WISHES, Wishes
from provisioner.change.standing import interrupted
from provisioner.commands import undo as commands
from provisioner.commands.undo import undo
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, InTheWayError, OperationError
from provisioner.host.local import LocalHost
from provisioner.session import Session
from tests.change.since import (  # noqa: F401 - fixtures
    contents,
    made_lock,
    made_wheels,
    make,
    since_of_the_issue,
    take_back,
    upgrade,
    versions,
    write,
)
from tests.killing import states_of
from tests.support import SITE, snapshot


def test_a_folder_that_cannot_keep_is_refused_before_the_first_move(tmp_path: Path, lock) -> None:
    env = tmp_path / "env"
    make(env, lock, "changed")
    upgrade(env)
    before = snapshot(env)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    for keep in (tmp_path / "full", env / "inside", tmp_path / "full" / "x"):
        with pytest.raises(InputError, match=r"empty folder|environment itself"):
            take_back(env, keep=str(keep))
    assert {name: value for name, value in snapshot(env).items() if name != ".tfsetup/probe"} == before


@pytest.mark.parametrize("wish", ["keep", "leave"])
def test_killed_at_any_moment_the_next_undo_ends_it(tmp_path: Path, lock, wish: str) -> None:
    host, place = LocalHost(), tmp_path / "place"
    env, keep = place / "env", place / "kept"
    place.mkdir()
    (place / "wheels").symlink_to(tmp_path / "wheels")
    make(env, lock, "changed")
    shutil.move(place / "before", tmp_path / "before")
    since_of_the_issue(env)
    edit_of = env / SITE / "six.py"
    write(edit_of, "edited")
    wishes = Wishes(keep=str(keep)) if wish == "keep" else Wishes(leave=True)
    workspace, old = Workspace(root=str(env)), contents(tmp_path / "before" / "env")
    for state in states_of(place, tmp_path / "states", lambda host: recovery.undo(host, workspace, last_record(host, workspace), wishes)):
        if interrupted(host, workspace) is not None:
            recovery.recover(host, workspace)
        if last_record(host, workspace) is not None:
            recovery.undo(host, workspace, last_record(host, workspace), wishes)
        there = {**contents(env), **(contents(keep) if keep.exists() else {})}
        assert "edited" in {text.decode() for text in there.values()}, f"killed before {state.effect}"
        assert contents(env)[f"{SITE}/tensorflow/mine/mine.py"] == b"my own work"
        assert versions(env)["numpy"] == (["1.22.4"] if wish == "keep" else ["1.20.3"]), f"killed before {state.effect}"
        assert versions(env)["six"] == (["1.0"] if wish == "keep" else ["2.0"])
        if wish == "keep":
            assert {name: text for name, text in contents(env).items() if name in old} == old
    assert state.last


def test_a_forged_journal_moves_nothing_elsewhere(tmp_path: Path, lock) -> None:
    """It names a folder to keep things in that no undo has made."""
    env, home = tmp_path / "env", tmp_path / "home"
    make(env, lock, "changed")
    home.mkdir()
    write(env / "authorized_keys", "forged")
    journal = json.loads(Path(Workspace(root=str(env)).undo_record(1)).read_text())
    forged = {**journal, "phase": "undoing", "keep": str(home), "kept": ["authorized_keys"]}
    Path(Workspace(root=str(env)).journal).write_text(json.dumps(forged))
    with pytest.raises(OperationError, match="not made to keep"):
        recovery.recover(LocalHost(), Workspace(root=str(env)))
    assert list(home.iterdir()) == []


def test_a_place_that_is_taken_stops_undo_before_its_first_move(tmp_path: Path, lock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the judgement has missed."""
    env = tmp_path / "env"
    make(env, lock, "changed")
    write(env / SITE / "numpy" / "only_1_22_4.py", "mine")
    before = snapshot(env)
    monkeypatch.setattr(recovery, "check_free", lambda *_args: None)
    with pytest.raises(InTheWayError) as caught:
        take_back(env)
    assert any("only_1_22_4.py" in fault for fault in caught.value.faults)
    assert snapshot(env) == before


def test_an_undo_that_looked_while_another_one_moved_looks_again(tmp_path: Path, lock, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / "env"
    make(env, lock, "changed")
    holding = f"import fcntl, time; f = open({Workspace(root=str(env)).beside_lock!r}, 'w'); fcntl.flock(f, fcntl.LOCK_EX)"
    real, others = commands._look, []

    def look(host: LocalHost, place: str, wishes: Wishes = NO_WISHES):
        if others:
            return real(host, place, wishes)
        # Another run holds the lock, and ends a moment later.
        others.append(subprocess.Popen([sys.executable, "-c", f"{holding}; print(flush=True); time.sleep(0.5)"], stdout=subprocess.PIPE))
        others[0].stdout.readline()
        raise FileNotFoundError(2, "No such file or directory", str(env / "gone"))

    monkeypatch.setattr(commands, "_look", look)
    undo(Session(LocalHost()), str(env), agree=lambda _found: None, wait=20, progress=Silent())
    others[0].communicate()
    assert versions(env) == {"numpy": ["1.22.4"], "six": ["1.0"]}
