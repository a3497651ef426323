"""Environments in container images: their folders lie in a lower layer, where none can be renamed. Real overlay file systems, tiny wheels."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import recovery
from provisioner.change.execute import execute
from provisioner.change.journal import last_record
from provisioner.change.recovery import Wishes
from provisioner.change.standing import interrupted, state_words
from provisioner.environment.workspace import Workspace
from provisioner.errors import HalfwayError, TfsetupError
from provisioner.host.local import LocalHost
from provisioner.model.finding import Repair
from tests.fixing import inputs_of, smallest
from tests.layers import KeepingHost, Layers, layers
from tests.support import SITE, FailingHost, make_lock, make_plan, make_wheel, only_from, snapshot, verification

UV = [sys.executable, "-m", "uv"]
HOST = LocalHost()


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wheels = tmp_path / "wheels"
    only_from(monkeypatch, wheels, tmp_path / "uv")
    monkeypatch.setenv("UV_LINK_MODE", "copy")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    make_wheel(wheels, "six", "1.0", {"six.py": "VERSION = 1\n"})
    make_wheel(
        wheels, "tensorflow", "1.0", {"tensorflow/__init__.py": "GOOD = 'old'\n", "tensorflow/old/a.py": "", "tensorflow/old/b.py": ""}
    )
    return make_lock(
        make_wheel(
            wheels, "tensorflow", "2.0", {"tensorflow/__init__.py": "GOOD = True\n", "tensorflow/new/a.py": "", "tensorflow/new/b.py": ""}
        ),
        make_wheel(wheels, "six", "2.0", {"six.py": "VERSION = 2\n"}, scripts={"six": "six:main"}),
    )


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Layers]:
    with layers(tmp_path / "disk") as made:
        yield made


def make_old(env: Path) -> None:
    """An environment with the old release, byte code, a folder of odd mode, an empty one, hard links, and something of the person's own."""
    subprocess.run([*UV, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    subprocess.run([*UV, "pip", "install", "-q", "--python", f"{env}/bin/python", "six==1.0", "tensorflow==1.0"], check=True)
    subprocess.run([f"{env}/bin/python", "-c", "import six, tensorflow.old.a"], check=True)
    (env / SITE / "own.py").write_text("")
    packages = env / SITE / "tensorflow"
    (packages / "old" / "empty").mkdir()
    record = env / SITE / "tensorflow-1.0.dist-info" / "RECORD"
    os.link(packages / "old" / "a.py", packages / "old" / "hard.py")
    record.write_text(record.read_text() + "tensorflow/old/hard.py,,\n")
    (packages / "old").chmod(0o2750)
    os.utime(packages / "old", ns=(10**18, 10**18))


def state(root: Path) -> dict[str, tuple[object, ...]]:
    """Without inodes, which another layer changes, with the times of folders, and without the tool's own."""
    found = {name: (*value[:4], *value[5:]) for name, value in snapshot(root).items() if ".tfsetup" not in name}
    return {
        name: (*value, (root / name).stat().st_mtime_ns) if value[0] == "folder" and name.count("/") > 4 else value
        for name, value in found.items()
    }


def change(env: Path, lock, host: LocalHost = HOST, *, good: bool = True) -> bool:
    plan = make_plan(HOST, env, lock)
    return execute(plan, host, prove=lambda root: verification(root, passed=good), progress=Silent(), wait=0).kept


def undo(env: Path, host: LocalHost = HOST, **wishes) -> None:
    workspace = Workspace(root=str(env))
    recovery.undo(host, workspace, last_record(host, workspace), Wishes(**wishes))


def is_new(env: Path) -> bool:
    code = "import tensorflow, tensorflow.new.a, six; assert tensorflow.GOOD is True and six.VERSION == 2"
    return subprocess.run([f"{env}/bin/python", "-Bc", code], check=False).returncode == 0


@pytest.mark.parametrize("later", [False, True], ids=["undone in the same layer", "undone in a later one"])
def test_a_change_of_a_lower_layer_and_its_undo(stack: Layers, lock, later: bool) -> None:
    env = stack.top / "env"
    make_old(env)
    stack.commit()
    before = state(env)
    with pytest.raises(OSError, match="cross-device"):
        os.rename(env / SITE / "tensorflow", env / SITE / "elsewhere")
    assert change(env, lock)
    assert is_new(env)
    assert not (env / SITE / "tensorflow" / "old").exists(), "no empty folder of the old one is left"
    assert not (env / SITE / "tensorflow-1.0.dist-info").exists()
    assert not list((env / ".tfsetup").glob("trial")), "nothing of the asking is left"
    if later:
        stack.commit()
        assert is_new(env)
    undo(env)
    assert state(env) == before
    assert state_words(HOST, Workspace(root=str(env))) == f"{env} is as it was before"
    assert change(env, lock), "and it can be done again"
    assert is_new(env)


def check_taken_back(env: Path, before: dict[str, tuple[object, ...]], where: str) -> None:
    """One command brings back what was before."""
    workspace = Workspace(root=str(env))
    left = interrupted(HOST, workspace)
    if left is not None:
        recovery.recover(HOST, workspace)
    assert state(env) == before, where
    assert state_words(HOST, workspace) == f"{env} is as it was before", where


@pytest.mark.parametrize("later", [False, True], ids=["the same container", "a later layer"])
@pytest.mark.parametrize("good", [True, False], ids=["proven", "not proven"])
def test_a_change_that_was_killed_is_taken_back(stack: Layers, lock, good: bool, later: bool) -> None:
    env = stack.top / "env"
    make_old(env)
    stack.commit()
    before = state(env)
    host = KeepingHost(layers=stack)
    assert change(env, lock, host, good=good) == good
    finished = stack.keep()
    assert len(host.kept) > 40
    for what, upper in host.telling():
        stack.put(upper, later=later)
        if last_record(HOST, Workspace(root=str(env))) is None or interrupted(HOST, Workspace(root=str(env))) is not None:
            check_taken_back(env, before, f"killed before {what}")
    stack.put(finished, later=later)
    assert is_new(env) == good


@pytest.mark.parametrize("later", [False, True], ids=["the same container", "a later layer"])
@pytest.mark.parametrize("lies", ["in the same layer", "in a lower one"])
def test_an_undo_that_was_killed_is_finished(stack: Layers, lock, lies: str, later: bool) -> None:
    env = stack.top / "env"
    make_old(env)
    stack.commit()
    before = state(env)
    assert change(env, lock)
    if lies == "in a lower one":
        stack.commit()
    host, workspace = KeepingHost(layers=stack), Workspace(root=str(env))
    undo(env, host)
    assert len(host.kept) > 20
    for what, upper in host.telling():
        stack.put(upper, later=later)
        if interrupted(HOST, workspace) is not None:
            recovery.recover(HOST, workspace)
        if last_record(HOST, workspace) is not None:
            undo(env)
        assert state(env) == before, f"killed before {what}"


def test_an_environment_that_was_made_in_a_lower_layer_goes(stack: Layers, lock) -> None:
    env = stack.top / "work" / "env"
    assert change(env, lock)
    stack.commit()
    assert is_new(env)
    host, workspace = KeepingHost(layers=stack), Workspace(root=str(env))
    undo(env, host)
    assert [path.name for path in stack.top.iterdir()] == []
    for what, upper in host.telling():
        stack.put(upper, later=False)
        if interrupted(HOST, workspace) is not None:
            recovery.recover(HOST, workspace)
        if env.exists():
            undo(env)
        assert not env.exists(), f"killed before {what}"


def test_a_repair_in_the_next_layer_and_its_undo(stack: Layers, lock) -> None:
    """A Dockerfile that runs ``apply`` in one layer and ``fix`` in the next."""
    env = stack.top / "env"
    assert change(env, lock)
    stack.commit()
    (env / SITE / "tensorflow" / "new" / "a.py").write_text("broken(")
    (env / SITE / "tensorflow" / "new" / "b.py").unlink()
    (env / SITE / "tensorflow" / "stale").mkdir()
    (env / SITE / "tensorflow" / "stale" / "x.py").write_text("")
    stack.commit()
    before = state(env)
    plan = smallest(inputs_of(HOST, env, lock), (Repair(kind="restore", name="tensorflow", reason="it is damaged"),))
    done = execute(plan, HOST, prove=lambda root: verification(root, passed=True), progress=Silent(), wait=0)
    assert done.kept
    assert is_new(env)
    assert not (env / SITE / "tensorflow" / "stale").exists()
    stack.commit()
    undo(env)
    assert state(env) == before


@pytest.mark.parametrize("later", [False, True], ids=["the same container", "a later layer"])
def test_a_folder_is_renamed_beside_itself_entry_by_entry(stack: Layers, lock, later: bool) -> None:
    """A folder of the person's own that hides a module."""
    env, own = stack.top / "env", stack.top / "work" / "numpy"
    assert change(env, lock)
    (own / "sub").mkdir(parents=True)
    (own / "sub" / "mine.py").write_text("mine")
    (own / "__init__.py").write_text("")
    own.chmod(0o700)
    stack.commit()
    before = state(stack.top)
    target = f"{own}.moved-by-tfsetup"
    hides = Repair(kind="move away", path=str(own), reason="it hides numpy", own=True)
    plan = smallest(inputs_of(HOST, env, lock, asides={str(own): target}), (hides,))
    host, workspace = KeepingHost(layers=stack), Workspace(root=str(env))
    assert execute(plan, host, prove=lambda root: verification(root, passed=True), progress=Silent(), wait=0).kept
    assert not own.exists()
    assert Path(target, "sub", "mine.py").read_text() == "mine"
    assert Path(target).stat().st_mode & 0o777 == 0o700
    done = stack.keep()
    for what, upper in host.telling():
        stack.put(upper, later=later)
        if interrupted(HOST, workspace) is not None:
            recovery.recover(HOST, workspace)
        assert state(stack.top) == before or last_record(HOST, workspace).number == 2, f"killed before {what}"
    stack.put(done, later=later)
    undo(env)
    assert state(stack.top) == before


def test_what_came_since_is_moved_out_of_a_lower_layer(stack: Layers, lock) -> None:
    env = stack.top / "env"
    make_old(env)
    stack.commit()
    assert change(env, lock)
    subprocess.run([*UV, "pip", "install", "-q", "--no-deps", "--python", f"{env}/bin/python", "tensorflow==1.0"], check=True)
    own = env / SITE / "tensorflow" / "mine" / "mine.py"
    own.parent.mkdir(exist_ok=True)
    own.write_text("mine")
    stack.commit()
    undo(env, keep=str(stack.top / "kept"))
    assert (env / SITE / "tensorflow" / "old" / "hard.py").exists()
    assert (env / SITE / "tensorflow" / "__init__.py").read_text() == "GOOD = 'old'\n"
    assert own.read_text() == "mine"
    assert (stack.top / "kept" / SITE / "tensorflow" / "old" / "a.py").exists()


def test_what_is_left_keeps_the_old_files_of_a_lower_layer(stack: Layers, lock) -> None:
    env = stack.top / "env"
    make_old(env)
    stack.commit()
    assert change(env, lock)
    subprocess.run([*UV, "pip", "install", "-q", "--no-deps", "--python", f"{env}/bin/python", "tensorflow==1.0"], check=True)
    stack.commit()
    undo(env, leave=True)
    assert (env / SITE / "six.py").read_text() == "VERSION = 1\n"
    assert (env / SITE / "tensorflow" / "__init__.py").read_text() == "GOOD = 'old'\n"
    replaced = Path(Workspace(root=str(env)).replaced(1))
    assert (replaced / SITE / "tensorflow" / "old" / "hard.py").exists()
    assert not (env / SITE / "tensorflow" / "old" / "hard.py").exists()


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 10**6], ids=["once", "ever after"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EXDEV, errno.EIO])
def test_whatever_is_refused_the_state_is_the_old_one_or_named(stack: Layers, lock, number: int, times: int) -> None:
    env = stack.top / "env"
    make_old(env)
    stack.commit()
    before, workspace, clean = state(env), Workspace(root=str(env)), stack.keep()
    at = told = 0
    while True:
        # Half of them, turn by turn: what is next to one is mostly of its kind.
        at += 2
        stack.put(Path(shutil.copytree(clean, f"{clean}-{at}")), later=False)
        host = FailingHost(dies_at=at, number=number, times=times)
        error: BaseException | None = None
        try:
            change(env, lock, host)
        except (OSError, TfsetupError) as caught:
            error = caught
        where = f"{at}: {host.failed[:1]} {error}"
        if not host.failed:
            break
        left = interrupted(HOST, workspace)
        if error is not None and state(env) != before:
            told += 1
            assert isinstance(error, HalfwayError), where
            assert left is not None, where
        if left is not None:
            recovery.recover(HOST, workspace)
        assert state(env) == before or (error is None and is_new(env)), where
        subprocess.run(["rm", "-rf", f"{clean}-{at - 2}"], check=True)
    assert at > 30
    assert (told > 0) == (times > 1)
