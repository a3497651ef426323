"""Repairs on real environments with tiny wheels: what is broken is mended, all else stays, and undo brings the broken state back."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.change.execute import execute
from provisioner.change.holding import holding
from provisioner.change.journal import last_record
from provisioner.environment.workspace import Workspace
from provisioner.errors import InTheWayError, StalePlanError
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock
from provisioner.model.finding import Repair
from provisioner.model.plan import Plan
from provisioner.model.record import record
from tests.fixing import VERSION, inputs_of, interpreter, rebuild, repair_inputs, smallest, whole
from tests.killing import states_of
from tests.support import PYTHON, SITE, make_lock, make_plan, make_wheel, prove_by_import, snapshot

HOST = LocalHost()
TENSORFLOW = {"tensorflow/__init__.py": "import six\nGOOD = six.VERSION == 2\n", "tensorflow/core/a.py": "", "tensorflow/core/b.py": ""}


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_LINK_MODE", "copy")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    return folder


@pytest.fixture
def lock(wheels: Path) -> Lock:
    return make_lock(
        make_wheel(wheels, "tensorflow", "2.0", TENSORFLOW, requires=["six==2.0"]),
        make_wheel(wheels, "six", "2.0", {"six.py": "VERSION = 2\n"}, scripts={"six": "six:main"}),
        make_wheel(wheels, "numpy", "1.26", {"numpy/__init__.py": "V = '1.26'\n", "numpy/core.py": ""}),
    )


def pip(env: Path, *names: str) -> None:
    uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--python", f"{env}/bin/python", *names]
    subprocess.run(uv, check=True)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the environment is made once, and where each test gets its copy: the same place, which an environment knows by heart."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture
def env(root: Path, wheels: Path, lock: Lock) -> Path:
    """An environment with the whole set, byte code, and something of the user's own."""
    env, first = root / "place" / "env", root / "first"
    make_wheel(wheels, "my-own", "3.0", {"my_own.py": "", "shared/my_own.py": ""})
    if not first.exists():
        subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(env)], check=True)
        pip(env, "tensorflow==2.0", "six==2.0", "numpy==1.26", "my-own")
        subprocess.run([f"{env}/bin/python", "-c", "import six, tensorflow.core.a, numpy, my_own"], check=True)
        (root / "place").rename(first)
    shutil.rmtree(root / "place", ignore_errors=True)
    shutil.copytree(first, root / "place", symlinks=True)
    return env


def packages(env: Path) -> Path:
    return env / SITE


def run(env: Path, plan: Plan, host: LocalHost = HOST, prove=prove_by_import):
    return execute(plan, host, prove=prove, progress=Silent(), wait=0)


def undo(env: Path) -> None:
    workspace = Workspace(root=str(env))
    with holding(HOST, workspace, 0):
        recovery.undo(HOST, workspace, last_record(HOST, workspace))


def without_state(found: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {name: value for name, value in found.items() if ".tfsetup" not in name or "moved-by" in name}


def restore(name: str) -> Repair:
    return Repair(kind="restore", name=name, reason=f"{name} is damaged")


def truncated(env: Path) -> None:
    (packages(env) / "six.py").write_text("")


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


def base() -> str:
    return str(Path(sys.executable).resolve())


def without_python(env: Path) -> None:
    """The interpreter that the environment was made with was uninstalled."""
    for name in ("python", "python3", f"python{PYTHON}"):
        (env / "bin" / name).unlink()
    (env / "bin" / "python").symlink_to("/gone/bin/python3")
    (env / "bin" / "python3").symlink_to("python")
    config = env / "pyvenv.cfg"
    config.write_text(config.read_text().replace(str(Path(base()).parent), "/gone/bin"))


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


def inputs_with_base(env: Path, lock: Lock):
    found = inputs_of(HOST, env, lock)
    return repair_inputs(found.site, lock, config=found.config, choice=replace_interpreter(found))


def replace_interpreter(found):
    from dataclasses import replace

    return replace(found.choice, interpreter=interpreter(base()))


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


def test_a_repair_that_proves_nothing_is_taken_back(env: Path, lock: Lock) -> None:
    (packages(env) / "tensorflow" / "__init__.py").write_text("GOOD = False\n")
    truncated(env)
    before = snapshot(env)
    assert not run(env, smallest(inputs_of(HOST, env, lock), (restore("six"),))).kept
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
