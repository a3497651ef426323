"""What is left before a journal stands, after it is gone, and beside the environment: named, taken away by the next command, exactly as before."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import discarding, recovery
from provisioner.change.execute import execute
from provisioner.change.journal import last_record
from provisioner.change.recovery import Wishes
from provisioner.change.standing import interrupted, scraps, state_words
from provisioner.commands.undo import clear_interrupted
from provisioner.environment.workspace import Workspace
from provisioner.host.local import LocalHost
from tests.killing import states_of
from tests.support import SITE, DyingHost, FailingHost, Killed, make_lock, make_plan, make_wheel, only_from, prove_by_import, snapshot

HOST = LocalHost()


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    only_from(monkeypatch, tmp_path / "wheels", tmp_path / "uv")
    return make_lock(make_wheel(tmp_path / "wheels", "tensorflow", "2.0", {"tensorflow/__init__.py": "GOOD = True\n"}))


def changed(env: Path, lock) -> Workspace:
    """An environment that was there, and was changed."""
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(env)], check=True)
    return made(env, lock)


def made(env: Path, lock) -> Workspace:
    assert execute(make_plan(HOST, env, lock), HOST, prove=prove_by_import, progress=Silent(), wait=0).kept
    return Workspace(root=str(env))


def clear(env: Path) -> None:
    clear_interrupted(HOST, str(env), agree=lambda _found: None, wait=0, progress=Silent())


def test_an_undo_that_is_killed_before_its_journal_stands_is_named_and_leaves_nothing(tmp_path: Path, lock) -> None:
    env = tmp_path / "work" / "env"
    workspace = changed(env, lock)
    before = snapshot(env)

    class DiesBeforeTheJournal(DyingHost):
        def write(self, path: str, text: str, **options) -> None:
            if path == workspace.journal:
                # What ``write`` leaves where it is killed in the middle.
                super().write(f"{workspace.state}/.tfsetup-0123456789abcdef", "")
                raise Killed
            super().write(path, text, **options)

        def remove(self, path: str) -> None:
            raise Killed

        remove_tree = remove

    with pytest.raises(Killed):
        recovery.undo(DiesBeforeTheJournal(dies_at=10**6), workspace, last_record(HOST, workspace))
    left = interrupted(HOST, workspace)
    assert (left.state, left.where) == ("old", workspace.state)
    assert state_words(HOST, workspace).endswith(f"something of the run is left in {workspace.state}")
    clear(env)
    assert snapshot(env) == before
    assert interrupted(HOST, workspace) is None


def test_what_a_person_has_put_into_the_folder_is_no_scrap(tmp_path: Path) -> None:
    workspace = Workspace(root=str(tmp_path))
    for name in ("notes.txt", ".tfsetup-mine", "lock"):
        (tmp_path / ".tfsetup").mkdir(exist_ok=True)
        (tmp_path / ".tfsetup" / name).write_text("")
    assert scraps(HOST, workspace) == ()
    discarding.tidy(HOST, workspace)
    assert len(list((tmp_path / ".tfsetup").iterdir())) == 3


@pytest.mark.parametrize("keep", ["", "kept"])
def test_an_undo_that_is_refused_its_preparation_leaves_nothing(tmp_path: Path, lock, keep: str) -> None:
    env = tmp_path / "work" / "env"
    workspace = changed(env, lock)
    if keep:
        (env / SITE / "tensorflow" / "__init__.py").unlink()
        (env / SITE / "tensorflow" / "__init__.py").write_text("edited = 1\n")
    before = snapshot(tmp_path / "work")
    wishes = Wishes(keep=str(tmp_path / "work" / keep) if keep else "")
    for at in range(1, 9):
        host = FailingHost(dies_at=at, number=errno.ENOSPC, matching="returned" if at < 2 else "ahead")
        with pytest.raises(OSError, match="No space"):
            recovery.undo(host, workspace, last_record(HOST, workspace), wishes)
        assert snapshot(tmp_path / "work") == before, host.failed
        if at > 2:
            break

    # The journal itself is written, and cannot be synced.
    class Unsynced(LocalHost):
        def write(self, path: str, text: str, **options) -> None:
            super().write(path, text, **options)
            if path == workspace.journal:
                raise OSError(errno.EIO, "Input/output error", path)

    with pytest.raises(OSError, match="Input/output"):
        recovery.undo(Unsynced(), workspace, last_record(HOST, workspace), wishes)
    assert snapshot(tmp_path / "work") == before


@pytest.mark.parametrize("place", ["in a new folder", "empty"])
def test_wherever_the_removal_of_a_new_environment_is_killed_the_rest_goes_as_well(tmp_path: Path, lock, place: str) -> None:
    top = tmp_path / "work"
    top.mkdir()
    env = top / "a" / "b" / "env" if place == "in a new folder" else top / "env"
    if place == "empty":
        env.mkdir()
    before = snapshot(top)
    workspace = made(env, lock)
    record = last_record(HOST, workspace)
    seen = 0
    for state in states_of(top, tmp_path / "states", lambda host: recovery.undo(host, workspace, record)):
        if interrupted(HOST, workspace) is not None:
            clear(env)
        if not state.last and last_record(HOST, workspace) is not None:
            recovery.undo(HOST, workspace, last_record(HOST, workspace))
        # Nothing knows of an empty folder any more when all that was in it is gone.
        left = {name: value for name, value in snapshot(top).items() if not (place != "empty" and state.effect.startswith("remove"))}
        # The lock's folder in one that stays is such a one.
        left = {name: value for name, value in left.items() if name not in {"env/.tfsetup", "env/.tfsetup/lock"}}
        assert left == before or set(left) <= {"a", "a/b"}, f"killed before {state.effect}"
        seen += 1
    assert seen > 5


def test_what_a_file_left_that_was_being_written_goes_with_the_journal(tmp_path: Path, lock) -> None:
    env = tmp_path / "env"
    workspace = changed(env, lock)
    (env / ".tfsetup" / "journal.json").write_text("{}")
    (env / ".tfsetup" / ".tfsetup-0123456789abcdef").write_text("")
    recovery.finish(HOST, workspace)
    assert scraps(HOST, workspace) == ()
    assert not (env / ".tfsetup" / ".tfsetup-0123456789abcdef").exists()


def test_what_comes_is_on_disk_before_anything_says_so(tmp_path: Path, lock) -> None:
    """After a power cut a file that no installer has synced is there by its name, and empty."""
    happened: list[str] = []

    class Watched(LocalHost):
        def flush(self, path: str) -> None:
            happened.append("flush")
            super().flush(path)

        def rename(self, source: str, target: str, **options) -> None:
            happened.append("move" if "/stage/" in source or target.endswith("env") else "other")
            super().rename(source, target, **options)

        def write(self, path: str, text: str, **options) -> None:
            happened.append("done" if path.endswith("record.json") else "other")
            super().write(path, text, **options)

    for name, make in (("env", lambda: None), ("env2", lambda: shutil.copytree(tmp_path / "base", tmp_path / "env2", symlinks=True))):
        if name == "env2":
            subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(tmp_path / "base")], check=True)
        make()
        happened.clear()
        assert execute(make_plan(HOST, tmp_path / name, lock), Watched(), prove=prove_by_import, progress=Silent(), wait=0).kept
        told = [what for what in happened if what != "other"]
        assert told[0] == "flush", told
        assert told.index("move") < len(told) - 1
        assert told[-2:] == ["flush", "done"], told
