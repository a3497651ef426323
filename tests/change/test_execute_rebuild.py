"""Repairs of a whole environment: another Python, the set put back, made anew in its place; killed at any moment, on a full disk."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from provisioner.change import recovery
from provisioner.change.holding import holding
from provisioner.change.journal import last_record
from provisioner.environment.workspace import Workspace
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock
from provisioner.model.finding import Repair
from provisioner.model.plan import Plan
from provisioner.model.record import record
from tests.change.repairs import (  # noqa: F401 - fixtures
    HOST,
    base,
    inputs_with_base,
    made_env,
    made_lock,
    made_root,
    made_wheels,
    packages,
    restore,
    run,
    truncated,
    undo,
    without_python,
    without_state,
)
from tests.fixing import inputs_of, rebuild, repair_inputs, smallest, whole
from tests.killing import states_of
from tests.support import make_lock, make_plan, make_wheel, snapshot


def test_an_environment_whose_python_is_gone_gets_another_and_a_package(env: Path, lock: Lock) -> None:
    without_python(env)
    truncated(env)
    before = snapshot(env)
    found = inputs_with_base(env, lock)
    repairs = (Repair(kind="interpreter", target=base(), reason="its Python is gone"), restore("six"))
    assert run(env, smallest(found, repairs)).kept
    done = subprocess.run([f"{env}/bin/six"], capture_output=True, text=True, check=False)
    assert "has no attribute 'main'" in done.stderr or "cannot import name 'main'" in done.stderr, "the script finds its Python"
    assert (env / "bin" / "python").readlink() == Path(base())
    undo(env)
    assert snapshot(env) == before


def test_an_environment_without_its_configuration_is_read_and_mended(env: Path, lock: Lock) -> None:
    (env / "pyvenv.cfg").unlink()
    before = snapshot(env)
    repairs = (Repair(kind="interpreter", target=base(), reason="its configuration is gone"),)
    assert run(env, smallest(inputs_with_base(env, lock), repairs)).kept
    assert f"home = {Path(base()).parent}" in (env / "pyvenv.cfg").read_text()
    undo(env)
    assert snapshot(env) == before


def test_the_whole_set_is_put_back_and_what_else_is_there_stays(env: Path, lock: Lock) -> None:
    truncated(env)
    (packages(env) / "~umpy").mkdir()
    before = snapshot(env)
    plan = whole(inputs_of(HOST, env, lock), ())
    assert {item.name for item in plan.packages} == {"tensorflow", "six", "numpy"}
    assert run(env, plan).kept
    assert (packages(env) / "my_own.py").exists()
    assert not (packages(env) / "~umpy").exists()
    undo(env)
    assert snapshot(env) == before


def rebuilding(env: Path, lock: Lock) -> Plan:
    without_python(env)
    shutil.rmtree(packages(env) / "tensorflow")
    (env / "notes.txt").write_text("the user's own")
    return rebuild(inputs_with_base(env, lock), (), ())


def test_the_environment_is_made_anew_in_its_place_and_the_old_one_comes_back(env: Path, lock: Lock) -> None:
    plan = rebuilding(env, lock)
    before = snapshot(env)
    assert run(env, plan).kept
    assert (env / "notes.txt").exists()
    assert not (packages(env) / "my_own.py").exists()
    subprocess.run([f"{env}/bin/python", "-c", "import six; assert six.VERSION == 2"], check=True)
    done = subprocess.run([f"{env}/bin/six"], capture_output=True, text=True, check=False)
    assert "main" in done.stderr, "scripts find their Python in the final place"
    undo(env)
    assert snapshot(env) == before


def mixed(env: Path, lock: Lock) -> Plan:
    own = env.parent / "numpy.py"
    own.write_text("mine")
    truncated(env)
    repairs = (
        restore("six"),
        Repair(kind="interpreter", target=base(), reason="another"),
        Repair(kind="move away", path=str(own), own=True, reason="it hides NumPy"),
    )
    found = inputs_with_base(env, lock)
    return smallest(
        repair_inputs(found.site, lock, config=found.config, choice=found.choice, asides={str(own): f"{own}.moved-by-tfsetup"}), repairs
    )


@pytest.mark.parametrize("make", [mixed, rebuilding])
def test_killed_at_any_moment_it_is_the_broken_one_or_the_mended_one(tmp_path: Path, env: Path, lock: Lock, make) -> None:
    plan = make(env, lock)
    before = snapshot(env.parent)
    workspace = Workspace(root=str(env))
    moments = 0
    for state in states_of(env.parent, tmp_path / "states", lambda host: run(env, plan, host)):
        moments += 1
        if recovery.interrupted(HOST, workspace) is None:
            assert (env / ".tfsetup" / "receipt.json").exists() == state.last
            if state.last:
                undo(env)
                assert snapshot(env.parent) == before, "undo after the last effect"
            assert without_state(snapshot(env.parent)) == before
            continue
        with holding(HOST, workspace, 0):
            recovery.recover(HOST, workspace)
        assert without_state(snapshot(env.parent)) == before, f"killed before {state.effect}"
    assert state.last
    assert moments > 10


def test_an_undo_that_was_killed_is_finished_by_the_next_one(tmp_path: Path, env: Path, lock: Lock) -> None:
    plan = mixed(env, lock)
    before = snapshot(env.parent)
    assert run(env, plan).kept
    workspace = Workspace(root=str(env))
    record = last_record(HOST, workspace)
    for state in states_of(env.parent, tmp_path / "states", lambda host: recovery.undo(host, workspace, record)):
        if recovery.interrupted(HOST, workspace) is not None:
            recovery.recover(HOST, workspace)
        if last_record(HOST, workspace) is not None:
            recovery.undo(HOST, workspace, last_record(HOST, workspace))
        assert without_state(snapshot(env.parent)) == before, f"killed before {state.effect}"
    assert state.last


@pytest.mark.slow
def test_scripts_of_a_second_apply_to_an_environment_of_the_tools_own_find_their_python(tmp_path: Path, wheels: Path, lock: Lock) -> None:
    """It is relocatable, and uv's ``--prefix`` would write scripts for it that lead nowhere."""
    env = tmp_path / "own"
    first = make_lock(make_wheel(wheels, "tensorflow", "1.0", {"tensorflow/__init__.py": "GOOD = True\n"}))
    assert run(env, make_plan(HOST, env, first)).kept
    assert run(env, make_plan(HOST, env, lock)).kept
    done = subprocess.run([f"{env}/bin/six"], capture_output=True, text=True, check=False)
    assert "main" in done.stderr, done
    assert not (env / ".tfsetup" / "stage").exists()
    assert os.path.realpath(env / "bin" / "python") == base()


@record
class FullHost(LocalHost):
    """This machine with a disk on which folders and links find room, and no file of ours does."""

    lock_too: bool = False

    def write(self, path, text, **options):
        raise OSError(errno.ENOSPC, "No space left on device", path)

    def lock(self, path, **options):
        if self.lock_too:
            raise OSError(errno.ENOSPC, "No space left on device", path)
        return LocalHost.lock(self, path, **options)


@pytest.mark.parametrize("lock_too", [False, True])
def test_on_a_full_disk_nothing_is_left_and_the_disk_is_what_is_told(env: Path, lock: Lock, *, lock_too: bool) -> None:
    plan = mixed(env, lock)
    before = snapshot(env.parent)
    with pytest.raises(OSError, match="No space left") as caught:
        run(env, plan, FullHost(lock_too=lock_too))
    assert caught.value.errno == errno.ENOSPC
    assert snapshot(env.parent) == before
