"""A new environment built inside an empty folder that stays: killed at every moment, refused at every effect, undone, many at once."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.change.execute import execute
from provisioner.change.recovery import Wishes
from provisioner.change.standing import interrupted, state_words
from provisioner.commands.undo import undoable
from provisioner.environment.place import check_place
from provisioner.environment.read import read_site
from provisioner.environment.workspace import Workspace
from provisioner.errors import HalfwayError, InTheWayError
from provisioner.host.local import LocalHost
from provisioner.model.plan import EnvState
from tests.killing import states_of
from tests.mounts import AS_ROOT, mounted
from tests.support import SITE, FailingHost, make_lock, make_plan, make_wheel, only_from, prove_by_import, verification

HOST = LocalHost()


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    only_from(monkeypatch, tmp_path / "wheels", tmp_path / "uv")
    return make_lock(make_wheel(tmp_path / "wheels", "tensorflow", "2.0", {"tensorflow/__init__.py": "GOOD = True\n"}))


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "work" / "env"
    folder.mkdir(parents=True)
    return folder


def run(env: Path, lock, host: LocalHost = HOST, *, good: bool = True) -> bool:
    prove = prove_by_import if good else lambda root: verification(root, passed=False)
    return execute(make_plan(HOST, env, lock), host, prove=prove, progress=Silent(), wait=5).kept


def is_empty(env: Path) -> bool:
    """A run that was killed may leave the folder that its lock lies in, with nothing in it that means anything."""
    left = {path.relative_to(env).as_posix() for path in env.iterdir()}
    return left <= {".tfsetup"} and read_site(HOST, str(env)).state.kind == "empty"


def test_the_folder_stays_and_comes_back_empty(env: Path, lock) -> None:
    env.chmod(0o750)
    number = env.stat().st_ino
    assert run(env, lock)
    assert (env.stat().st_ino, env.stat().st_mode & 0o777) == (number, 0o750)
    assert sorted(path.name for path in env.parent.iterdir()) == ["env"], "nothing is left beside it"
    site = read_site(HOST, str(env))
    assert site.state.managed
    found = undoable(HOST, str(env))
    recovery.undo(HOST, found.workspace, found.record)
    assert list(env.iterdir()) == []
    assert env.stat().st_ino == number
    assert not run(env, lock, good=False)
    assert is_empty(env)


def test_what_came_since_is_in_the_way_as_in_any_new_environment(env: Path, lock, tmp_path: Path) -> None:
    assert run(env, lock)
    (env / SITE / "mine.py").write_text("years of work")
    record = undoable(HOST, str(env)).record
    with pytest.raises(InTheWayError) as caught:
        recovery.undo(HOST, Workspace(root=str(env)), record)
    assert "mine.py" in " ".join(caught.value.faults)
    recovery.undo(HOST, Workspace(root=str(env)), record, Wishes(keep=str(tmp_path / "kept")))
    assert (tmp_path / "kept" / SITE / "mine.py").read_text() == "years of work"
    assert list(env.iterdir()) == []


@pytest.mark.parametrize("good", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["proven", "not proven"])
def test_wherever_it_is_killed_one_command_empties_the_folder(env: Path, lock, tmp_path: Path, *, good: bool) -> None:
    workspace = Workspace(root=str(env))
    seen = set()
    for state in states_of(env.parent, tmp_path / "shelf", lambda host: run(env, lock, host, good=good), moments="telling"):
        left = interrupted(HOST, workspace)
        seen.add(left.state if left else None)
        if left is None:
            assert is_empty(env) or (good and read_site(HOST, str(env)).state.managed), state.effect
            continue
        assert left.where == str(env)
        assert left.before == "empty"
        recovery.recover(HOST, workspace)
        assert is_empty(env), state.effect
        assert interrupted(HOST, workspace) is None
    assert seen >= {None, "old", "moving", "new"}


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 10**6], ids=["once", "ever after"])
@pytest.mark.parametrize("good", [True, False], ids=["proven", "not proven"])
def test_whatever_is_refused_the_folder_is_empty_or_it_is_named(env: Path, lock, *, times: int, good: bool) -> None:
    workspace = Workspace(root=str(env))
    at, kept = 0, False
    while not kept and at < 200:
        at += 1
        host = FailingHost(dies_at=at, number=errno.ENOSPC, times=times)
        try:
            kept = run(env, lock, host, good=good)
            refused = False
        except OSError:
            refused = True
        except HalfwayError as error:
            refused = f"tfsetup undo --env {env}" in error.hint
        if not refused:
            break
        if interrupted(HOST, workspace) is not None:
            recovery.recover(HOST, workspace)
        assert is_empty(env), at
        assert state_words(HOST, workspace) == f"{env} is as it was before"
    assert at > 15
    assert kept == good


def test_where_a_killed_run_has_left_its_lock_the_next_one_builds_inside(tmp_path: Path, lock) -> None:
    folder = tmp_path / "other" / "env"
    (folder / ".tfsetup").mkdir(parents=True)
    (folder / ".tfsetup" / "lock").touch()
    assert run(folder, lock)


@AS_ROOT
def test_a_folder_that_something_is_mounted_on_is_filled(tmp_path: Path, lock) -> None:
    with mounted(tmp_path / "volume", "size=50m") as folder:
        assert check_place(HOST, EnvState(path=str(folder), kind="empty", digest="empty")) == ()
        assert run(folder, lock)
