"""Repairs on real environments with tiny wheels: what is broken is mended, all else stays, and undo brings the broken state back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.change.contents import outgoing
from provisioner.environment.damaged import read_broken
from provisioner.environment.workspace import Workspace
from provisioner.errors import InTheWayError, StalePlanError
from provisioner.model.catalogue import Lock
from provisioner.model.finding import Repair
from tests.change.repairs import (  # noqa: F401 - fixtures
    HOST,
    TENSORFLOW,
    made_env,
    made_lock,
    made_root,
    made_wheels,
    packages,
    pip,
    restore,
    run,
    truncated,
    undo,
)
from tests.fixing import VERSION, inputs_of, smallest
from tests.support import make_lock, make_wheel, prove_by_import, snapshot


def no_record(env: Path) -> None:
    (packages(env) / "six-2.0.dist-info" / "RECORD").unlink()
    (packages(env) / "six.py").write_text("")


def no_metadata(env: Path) -> None:
    shutil.rmtree(packages(env) / "six-2.0.dist-info")
    (packages(env) / "six.py").unlink()


def twice(env: Path) -> None:
    shutil.copytree(packages(env) / "six-2.0.dist-info", packages(env) / "six-1.0.dist-info")
    (packages(env) / "six.py").write_text("VERSION = 1\n")


@pytest.mark.parametrize("damage", [truncated, no_record, no_metadata, twice])
def test_one_distribution_is_installed_anew_and_the_broken_state_comes_back(env: Path, lock: Lock, damage: Callable[[Path], None]) -> None:
    damage(env)
    before = snapshot(env)
    plan = smallest(inputs_of(HOST, env, lock), (restore("six"),))
    assert [item.name for item in plan.packages] == ["six"]
    assert run(env, plan).kept
    assert [path.name for path in packages(env).glob("six-*.dist-info")] == ["six-2.0.dist-info"]
    after = snapshot(env)
    for name, value in before.items():
        assert "six" in name or after[name] == value, name
    assert str(env / "bin" / "python") in (env / "bin" / "six").read_text()
    undo(env)
    assert snapshot(env) == before


def test_what_leaves_can_be_asked_before_anything_is_staged(env: Path, lock: Lock) -> None:
    """As it is on Windows, where who keeps one of those files is told before anybody is asked."""
    plan = smallest(inputs_of(HOST, env, lock), (restore("six"),))
    found = outgoing(plan, HOST, Workspace(root=str(env)), read_broken(HOST, str(env)))
    assert any(path.endswith("/six.py") for path in found)


def test_what_an_interrupted_install_left_does_not_survive_beside_the_restored_one(env: Path, lock: Lock) -> None:
    """Files of another version, without any record: half of pip's work, killed."""
    shutil.rmtree(packages(env) / "numpy-1.26.dist-info")
    (packages(env) / "numpy" / "__init__.py").unlink()
    (packages(env) / "numpy" / "of_2_0.py").write_text("")
    (packages(env) / "numpy" / "__pycache__" / "of_2_0.cpython-311.pyc").write_bytes(b"x")
    before = snapshot(env)
    assert run(env, smallest(inputs_of(HOST, env, lock), (restore("numpy"),))).kept
    assert {path.name for path in (packages(env) / "numpy").iterdir()} == {"__init__.py", "core.py"}
    undo(env)
    assert snapshot(env) == before


def test_a_folder_that_others_own_too_is_replaced_file_by_file(env: Path, wheels: Path) -> None:
    lock = make_lock(
        make_wheel(wheels, "tensorflow", "2.0", {"tensorflow/__init__.py": "GOOD = True\n"}),
        make_wheel(wheels, "sharing", "1.0", {"shared/sharing.py": "V = 1\n"}),
    )
    (packages(env) / "shared" / "sharing.py").write_text("half")
    plan = smallest(inputs_of(HOST, env, lock), (restore("sharing"),))
    assert run(env, plan).kept
    assert (packages(env) / "shared" / "sharing.py").read_text() == "V = 1\n"
    assert (packages(env) / "shared" / "my_own.py").exists()


def test_a_rival_goes_and_what_both_owned_is_restored_in_full(env: Path, wheels: Path, lock: Lock) -> None:
    make_wheel(wheels, "tensorflow-cpu", "2.1", {**TENSORFLOW, "tensorflow/__init__.py": "GOOD = False\n", "tensorflow/only_cpu.py": ""})
    pip(env, "tensorflow-cpu==2.1")
    before = snapshot(env)
    gone = Repair(kind="remove", name="tensorflow-cpu", reason="it owns the same folder")
    plan = smallest(inputs_of(HOST, env, lock), (gone,))
    assert [item.name for item in plan.packages] == ["tensorflow"]
    assert run(env, plan).kept
    names = {str(path.relative_to(packages(env))) for path in packages(env).rglob("*.py") if path.parts[-2] != "__pycache__"}
    assert {name for name in names if name.startswith("tensorflow")} == set(TENSORFLOW)
    assert not list(packages(env).glob("tensorflow_cpu*"))
    undo(env)
    assert snapshot(env) == before


def test_what_is_removed_leaves_the_files_that_another_has_recorded_too(env: Path, wheels: Path, lock: Lock) -> None:
    make_wheel(wheels, "also-own", "1.0", {"shared/my_own.py": "", "shared/also.py": ""})
    pip(env, "also-own")
    gone = Repair(kind="remove", name="also-own", reason="it is in the way")
    assert run(env, smallest(inputs_of(HOST, env, lock), (gone,))).kept
    assert {path.name for path in (packages(env) / "shared").glob("*.py")} == {"my_own.py"}


def test_a_file_of_the_users_own_is_renamed_beside_itself_and_comes_back(env: Path, lock: Lock) -> None:
    own = env.parent / "numpy.py"
    own.write_text("print('mine')\n")
    before = snapshot(env.parent)
    away = Repair(kind="move away", path=str(own), own=True, reason="it hides NumPy")
    plan = smallest(inputs_of(HOST, env, lock, asides={str(own): f"{own}.moved-by-tfsetup"}), (away,))
    assert plan.outside == (f"{own} is renamed to numpy.py.moved-by-tfsetup",)
    assert run(env, plan).kept
    assert not own.exists()
    assert (env.parent / "numpy.py.moved-by-tfsetup").read_text() == "print('mine')\n"
    undo(env)
    assert snapshot(env.parent) == before


def test_an_entry_that_has_changed_its_place_since_makes_the_plan_stale(env: Path, lock: Lock) -> None:
    own = env.parent / "numpy.py"
    own.write_text("")
    away = Repair(kind="move away", path=str(own), own=True, reason="it hides NumPy")
    plan = smallest(inputs_of(HOST, env, lock, asides={str(own): f"{own}.moved-by-tfsetup"}), (away,))
    (env.parent / "numpy.py.moved-by-tfsetup").write_text("another")
    with pytest.raises(StalePlanError):
        run(env, plan)
    assert own.exists()


def test_undo_stops_where_a_new_file_stands_in_the_place_of_the_one_that_was_moved(env: Path, lock: Lock) -> None:
    own = env.parent / "numpy.py"
    own.write_text("old")
    away = Repair(kind="move away", path=str(own), own=True, reason="it hides NumPy")
    run(env, smallest(inputs_of(HOST, env, lock, asides={str(own): f"{own}.moved-by-tfsetup"}), (away,)))
    own.write_text("new")
    before = snapshot(env.parent)
    with pytest.raises(InTheWayError) as caught:
        undo(env)
    assert str(own) in caught.value.faults[0]
    assert snapshot(env.parent) == before, "it stops before the first move"
    own.unlink()
    undo(env)
    assert own.read_text() == "old"
    assert not (env / ".tfsetup").exists()


def test_an_entry_inside_the_environment_goes_out_and_a_file_and_a_link_are_written(env: Path, lock: Lock) -> None:
    leak = packages(env) / "leak.pth"
    leak.write_text("/somewhere\n")
    before = snapshot(env)
    repairs = (
        Repair(kind="move away", path=str(leak), reason="it leaks"),
        Repair(kind="write", path=str(env / "pyvenv.cfg"), target="home = /nowhere\n", reason="it is wrong"),
        Repair(kind="link", path=str(packages(env) / "tensorflow" / "lib.so.2"), target="core/a.py", reason="nobody finds it"),
    )
    assert run(env, smallest(inputs_of(HOST, env, lock), repairs), prove=lambda root: prove_after(env, root)).kept
    assert not leak.exists()
    assert (packages(env) / "tensorflow" / "lib.so.2").readlink() == Path("core/a.py")
    undo(env)
    assert snapshot(env) == before


def test_a_script_that_is_written_anew_can_still_be_started(env: Path, lock: Lock) -> None:
    script = env / "bin" / "six"
    script.write_text("#!/gone/python\n")
    before = snapshot(env)
    wish = Repair(kind="write", path=str(script), target="#!/bin/sh\necho it runs\n", reason="it names another place")
    assert run(env, smallest(inputs_of(HOST, env, lock), (wish,))).kept
    assert subprocess.run([str(script)], capture_output=True, text=True, check=True).stdout == "it runs\n"
    undo(env)
    assert snapshot(env) == before


def prove_after(env: Path, root: str):
    """The text that was written is looked at here: with it no Python would start."""
    assert (env / "pyvenv.cfg").read_text() == "home = /nowhere\n"
    config = env / "pyvenv.cfg"
    status = config.stat()
    config.write_text(f"home = {Path(sys.executable).resolve().parent}\nversion = {VERSION}\n")
    found = prove_by_import(root)
    config.write_text("home = /nowhere\n")
    os.utime(config, ns=(status.st_atime_ns, status.st_mtime_ns))
    return found


def test_a_repair_that_proves_nothing_is_taken_back(env: Path, lock: Lock) -> None:
    (packages(env) / "tensorflow" / "__init__.py").write_text("GOOD = False\n")
    truncated(env)
    before = snapshot(env)
    assert not run(env, smallest(inputs_of(HOST, env, lock), (restore("six"),))).kept
    assert snapshot(env) == before
