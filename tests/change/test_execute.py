"""Executing plans with real uv and tiny wheels: whatever interrupts, the environment is the old one or the new one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.change.execute import execute
from provisioner.change.holding import holding
from provisioner.change.journal import last_record
from provisioner.environment.workspace import Workspace
from provisioner.errors import OperationError, StalePlanError
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Link
from tests.killing import states_of
from tests.support import SITE, make_lock, make_plan, make_wheel, only_from, prove_by_import, snapshot, verification


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    only_from(monkeypatch, folder, tmp_path / "uv")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    return folder


def new_set(wheels: Path, *, good: bool = True):
    return make_lock(
        make_wheel(
            wheels, "tensorflow", "2.0", {"tensorflow/__init__.py": f"GOOD = {good}\n", "tensorflow/new.py": "", "shared/tf.py": ""}
        ),
        make_wheel(wheels, "six", "2.0", {"six.py": "VERSION = 2\n"}, scripts={"six": "six:main"}),
        make_wheel(wheels, "kept", "1.0", {"kept/__init__.py": ""}),
    )


def old_environment(wheels: Path, env: Path) -> None:
    """An environment as users have them: a rival, an older six with byte code, leftovers, packages of their own.

    Made once for each test, then copied: a copy finds its Python and its packages as the first one does.
    """
    first = wheels.parent / "first"
    if not first.exists():
        _make_old_environment(wheels, first)
    shutil.copytree(first, env, symlinks=True)


def _make_old_environment(wheels: Path, env: Path) -> None:
    make_wheel(wheels, "tf-nightly", "1.9", {"tensorflow/__init__.py": "GOOD = 'old'\n", "tensorflow/old.py": "", "shared/nightly.py": ""})
    make_wheel(wheels, "six", "1.0", {"six.py": "VERSION = 1\n"})
    make_wheel(wheels, "kept", "1.0", {"kept/__init__.py": ""})
    make_wheel(wheels, "my-own", "3.0", {"my_own.py": "", "shared/my_own.py": ""})
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    names = ["tf-nightly", "six==1.0", "kept", "my-own"]
    subprocess.run([*uv, "pip", "install", "-q", "--link-mode", "copy", "--python", f"{env}/bin/python", *names], check=True)
    subprocess.run([f"{env}/bin/python", "-c", "import six, my_own, tensorflow, kept"], check=True)
    (env / SITE / "~ensorflow").mkdir()
    (env / SITE / "~ensorflow" / "junk.py").write_text("")
    (env / SITE / "tensorflow" / "left_behind.py").write_text("")


def run(host: LocalHost, env: Path, lock, prove=prove_by_import, links=()):
    return execute(make_plan(host, env, lock, links=links), host, prove=prove, progress=Silent(), wait=0)


def test_a_new_environment_is_made_proven_and_taken_back(tmp_path: Path, wheels: Path) -> None:
    host, env = LocalHost(), tmp_path / "a b ü" / "env"
    link = Link(path="shared/link.py", target="tf.py", reason="a test")
    done = run(host, env, new_set(wheels), links=(link,))
    assert done.kept
    assert (env / SITE / "shared" / "link.py").resolve() == (env / SITE / "shared" / "tf.py").resolve()
    assert not (env / ".tfsetup" / "journal.json").exists()
    # The script runs by its own place, so the environment can be moved.
    assert "realpath" in (env / "bin" / "six").read_text()
    assert sorted(path.name for path in env.parent.iterdir()) == ["env"]
    workspace = Workspace(root=str(env))
    with holding(host, workspace, 0):
        recovery.undo(host, workspace, last_record(host, workspace))
    assert not (tmp_path / "a b ü").exists(), "folders that were made for it go too"


def test_an_environment_whose_proof_fails_never_stays(tmp_path: Path, wheels: Path) -> None:
    done = run(LocalHost(), tmp_path / "env", new_set(wheels, good=False))
    assert not done.kept
    assert {path.name for path in tmp_path.iterdir()} == {"wheels", "uv"}


def test_an_existing_environment_changes_and_comes_back_file_by_file(tmp_path: Path, wheels: Path) -> None:
    host, env = LocalHost(), tmp_path / "env"
    old_environment(wheels, env)
    before = snapshot(env)
    plan = make_plan(host, env, new_set(wheels))
    assert {(item.name, item.version) for item in plan.removals} == {
        ("tf-nightly", "1.9"), ("six", "1.0"), ("leftovers", ""), ("TensorFlow's folder", ""),
    }  # fmt: skip
    assert plan.unchanged == {"kept": "1.0"}
    assert execute(plan, host, prove=prove_by_import, progress=Silent(), wait=0).kept
    after = snapshot(env)
    assert f"{SITE}/tensorflow/left_behind.py" not in after
    assert f"{SITE}/~ensorflow" not in after
    assert f"{SITE}/shared/nightly.py" not in after
    assert after[f"{SITE}/shared/my_own.py"] == before[f"{SITE}/shared/my_own.py"]
    assert f"{SITE}/shared/tf.py" in after
    assert str(env / "bin" / "python") in (env / "bin" / "six").read_text()
    subprocess.run([f"{env}/bin/python", "-c", "import six; assert six.VERSION == 2"], check=True)
    workspace = Workspace(root=str(env))
    with holding(host, workspace, 0):
        recovery.undo(host, workspace, last_record(host, workspace))
    assert snapshot(env) == before


def test_what_a_package_that_stays_has_recorded_stays_too(tmp_path: Path, wheels: Path) -> None:
    """Many wheels bring a `tests` or `common` of their own. The old six brought one, the new one does not, and a package of one's own needs it."""
    host, env = LocalHost(), tmp_path / "env"
    make_wheel(wheels, "six", "1.0", {"six.py": "VERSION = 1\n", "common/__init__.py": "", "common/six.py": ""})
    make_wheel(wheels, "my-own", "3.0", {"my_own.py": "import common\n", "common/__init__.py": ""})
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    subprocess.run([*uv, "pip", "install", "-q", "--link-mode", "copy", "--python", f"{env}/bin/python", "six==1.0", "my-own"], check=True)
    subprocess.run([f"{env}/bin/python", "-c", "import common.six, my_own"], check=True)
    before = snapshot(env)
    assert run(host, env, new_set(wheels)).kept
    after = snapshot(env)
    assert not [name for name in after if name.startswith(f"{SITE}/common/") and "six" in name], "the byte code of what leaves goes with it"
    assert any(name.startswith(f"{SITE}/common/__pycache__/__init__.") for name in after), "and that of what stays does not"
    subprocess.run([f"{env}/bin/python", "-c", "import my_own"], check=True)
    workspace = Workspace(root=str(env))
    with holding(host, workspace, 0):
        recovery.undo(host, workspace, last_record(host, workspace))
    assert snapshot(env) == before


def test_a_second_plan_has_nothing_to_do(tmp_path: Path, wheels: Path) -> None:
    host, env, lock = LocalHost(), tmp_path / "env", new_set(wheels)
    run(host, env, lock)
    plan = make_plan(host, env, lock)
    assert not plan.changes
    assert plan.unchanged == {"tensorflow": "2.0", "six": "2.0", "kept": "1.0"}


def test_undo_works_more_than_once(tmp_path: Path, wheels: Path) -> None:
    host, env = LocalHost(), tmp_path / "env"
    old_environment(wheels, env)
    workspace = Workspace(root=str(env))
    states = [snapshot(env)]
    for good in ("1", "2"):
        lock = make_lock(make_wheel(wheels, "tensorflow", f"{good}.5", {"tensorflow/__init__.py": f"GOOD = {good}\n"}))
        run(host, env, lock)
        states.append({name: value for name, value in snapshot(env).items() if not name.startswith(".tfsetup")})
    for expected in (states[1], states[0]):
        with holding(host, workspace, 0):
            recovery.undo(host, workspace, last_record(host, workspace))
        assert {name: value for name, value in snapshot(env).items() if not name.startswith(".tfsetup")} == expected
    assert not (env / ".tfsetup").exists()


@pytest.mark.parametrize("kind", ["new", "existing"])
def test_killed_at_any_moment_it_is_the_old_one_or_the_new_one(tmp_path: Path, wheels: Path, kind: str) -> None:
    """Kill the process before each of its effects in turn; then let the next run clean up."""
    real, place = LocalHost(), tmp_path / "place"
    env, workspace = place / "env", Workspace(root=str(place / "env"))
    place.mkdir()
    if kind == "existing":
        old_environment(wheels, env)
    before = snapshot(place)
    plan = make_plan(real, env, new_set(wheels))
    moments = 0
    for state in states_of(place, tmp_path / "states", lambda host: execute(plan, host, prove=prove_by_import, progress=Silent(), wait=0)):
        moments += 1
        left = recovery.interrupted(real, workspace)
        if left is None:
            # Nothing was begun, or everything was finished.
            assert (env / ".tfsetup" / "receipt.json").exists() == state.last
            assert state.last or _without_state(snapshot(place)) == before
            continue
        if left.where == str(env):
            with holding(real, workspace, 0):
                recovery.recover(real, workspace)
        else:
            assert not env.exists(), "a new environment shows only when it is complete"
            real.remove_tree(left.where)
        assert _without_state(snapshot(place)) == before, f"killed before {state.effect}"
    assert state.last
    assert moments > 10


def _without_state(found: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    """An empty ``.tfsetup`` with its lock is not part of the environment."""
    return {name: value for name, value in found.items() if name not in {"env/.tfsetup", "env/.tfsetup/lock"} and ".tfsetup-" not in name}


def test_an_undo_that_was_killed_is_finished_by_the_next_one(tmp_path: Path, wheels: Path) -> None:
    real, env = LocalHost(), tmp_path / "place" / "env"
    env.parent.mkdir()
    old_environment(wheels, env)
    before = snapshot(env)
    run(real, env, new_set(wheels))
    workspace = Workspace(root=str(env))
    record = last_record(real, workspace)
    for state in states_of(env.parent, tmp_path / "states", lambda host: recovery.undo(host, workspace, record)):
        if recovery.interrupted(real, workspace) is not None:
            recovery.recover(real, workspace)
        if last_record(real, workspace) is not None:
            recovery.undo(real, workspace, last_record(real, workspace))
        found = {name: value for name, value in snapshot(env).items() if not name.startswith(".tfsetup")}
        assert found == before, f"killed before {state.effect}"
    assert state.last


def test_a_file_with_another_hash_is_refused_and_nothing_changes(tmp_path: Path, wheels: Path) -> None:
    host, env, lock = LocalHost(), tmp_path / "env", new_set(wheels)
    old_environment(wheels, env)
    before = snapshot(env)
    plan = make_plan(host, env, lock)
    make_wheel(wheels, "tensorflow", "2.0", {"tensorflow/__init__.py": "import os  # not what was locked\n"})
    with pytest.raises(OperationError, match="not the one that was locked") as caught:
        execute(plan, host, prove=prove_by_import, progress=Silent(), wait=0)
    assert caught.value.cause == "download-failed"
    assert _without_state({f"env/{name}": value for name, value in snapshot(env).items()}) == {
        f"env/{name}": value for name, value in before.items()
    }


def test_a_proof_that_raises_leaves_the_old_environment(tmp_path: Path, wheels: Path) -> None:
    host, env = LocalHost(), tmp_path / "env"
    old_environment(wheels, env)
    before = snapshot(env)

    def interrupt(_root: str):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(host, env, new_set(wheels), prove=interrupt)
    assert snapshot(env) == before


def test_a_changed_environment_makes_the_plan_stale(tmp_path: Path, wheels: Path) -> None:
    host, env = LocalHost(), tmp_path / "env"
    old_environment(wheels, env)
    plan = make_plan(host, env, new_set(wheels))
    subprocess.run([sys.executable, "-m", "uv", "pip", "uninstall", "-q", "--python", f"{env}/bin/python", "my-own"], check=True)
    with pytest.raises(StalePlanError):
        execute(plan, host, prove=prove_by_import, progress=Silent(), wait=0)


def test_two_runs_on_one_environment_refuse(tmp_path: Path, wheels: Path) -> None:
    host, env = LocalHost(), tmp_path / "env"
    lock = new_set(wheels)
    caught: list[OperationError] = []

    def second_run(root: str):
        with pytest.raises(OperationError, match="another tfsetup") as error, holding(host, Workspace(root=root), 0.2):
            pass
        caught.append(error.value)
        return verification(root, passed=True)

    assert run(host, env, lock, prove=second_run).kept
    assert caught
