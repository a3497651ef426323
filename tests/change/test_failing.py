"""Effects that are refused (a full disk, a broken one, a file that may not be touched): old or new exactly, or a state that is named truthfully."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change import discarding, recovery
from provisioner.change.execute import execute
from provisioner.change.journal import last_record
from provisioner.change.standing import interrupted, state_words
from provisioner.environment.workspace import Workspace
from provisioner.errors import HalfwayError, TfsetupError
from provisioner.host.local import LocalHost
from tests.support import SITE, FailingHost, make_lock, make_plan, make_wheel, only_from, snapshot, verification

pytestmark = pytest.mark.slow

ALWAYS = 10**6
# Each is refused the same way: a full disk, which people meet, in every case, the others in cases that meet each way at least once.
OTHERS = (errno.EIO, errno.EPERM)
CASES = (
    *((errno.ENOSPC, *case) for case in itertools.product((True, False), (1, ALWAYS), (True, False))),
    *((number, *case) for number in OTHERS for case in ((True, 1, True), (True, ALWAYS, False), (False, 1, False))),
)
UV = [sys.executable, "-m", "uv"]


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wheels = tmp_path / "wheels"
    only_from(monkeypatch, wheels, tmp_path / "uv")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    make_wheel(wheels, "six", "1.0", {"six.py": "VERSION = 1\n"})
    make_wheel(wheels, "tensorflow", "1.0", {"tensorflow/__init__.py": "GOOD = 'old'\n", "tensorflow/old.py": ""})
    return make_lock(
        make_wheel(wheels, "tensorflow", "2.0", {"tensorflow/__init__.py": "GOOD = True\n", "tensorflow/new.py": ""}),
        make_wheel(wheels, "six", "2.0", {"six.py": "VERSION = 2\n"}, scripts={"six": "six:main"}),
    )


@pytest.fixture
def first(tmp_path: Path, lock) -> Path:
    """An environment, to be copied."""
    env = tmp_path / "first"
    subprocess.run([*UV, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    subprocess.run([*UV, "pip", "install", "-q", "--python", f"{env}/bin/python", "six==1.0", "tensorflow==1.0"], check=True)
    subprocess.run([f"{env}/bin/python", "-c", "import six, tensorflow"], check=True)
    (env / SITE / "own.py").write_text("")
    return env


def stateless(root: Path) -> dict[str, tuple[object, ...]]:
    """Without inodes, for copies, and without the tool's own."""
    found = {name: value for name, value in snapshot(root).items() if ".tfsetup" not in name}
    return {name: (*value[:4], *value[5:]) for name, value in found.items()}


def fresh(tmp_path: Path, first: Path | None, number: int) -> Path:
    env = tmp_path / str(number) / "env"
    env.parent.mkdir()
    if first is not None:
        shutil.copytree(first, env, symlinks=True)
    return env


def check_told(env: Path, before: dict, error: BaseException | None, *, kept: bool, where: str) -> None:
    """What is there is the old state or the new one, or is named; and one undo brings the old one."""
    host, workspace = LocalHost(), Workspace(root=str(env))
    now = stateless(env.parent)
    left = interrupted(host, workspace)
    if error is None and kept:
        assert left is None, where
        return
    if now != before:
        assert left is not None, where
        assert left.state in {"moving", "new"} or left.where != str(env), where
        assert isinstance(error, HalfwayError), where
        assert "tfsetup undo" in error.hint, where
        assert ("half changed" in error.message) == (left.state == "moving"), where
    if left is not None and left.where == str(env):
        recovery.recover(host, workspace)
    elif left is not None:
        discarding.discard_unfinished(host, workspace)
    assert stateless(env.parent) == before, where
    assert state_words(host, workspace) == f"{env} is as it was before"


def attempt(env: Path, lock, host: LocalHost, *, good: bool) -> tuple[bool, BaseException | None]:
    plan = make_plan(LocalHost(), env, lock)

    def prove(root: str):
        return verification(root, passed=good)

    try:
        return execute(plan, host, prove=prove, progress=Silent(), wait=0).kept, None
    except (OSError, TfsetupError) as error:
        return False, error


@pytest.mark.parametrize(
    ("number", "existing", "times", "good"),
    CASES,
    ids=[
        f"{'existing' if existing else 'new'}-{number}-{'once' if times == 1 else 'ever after'}-{'proven' if good else 'not proven'}"
        for number, existing, times, good in CASES
    ],
)
def test_whatever_is_refused_the_state_is_the_old_one_or_named(
    tmp_path: Path, lock, first: Path, number: int, *, existing: bool, times: int, good: bool
) -> None:
    at = 0
    # The first effects are told apart one by one; where nothing is built there is nothing to see.
    while True:
        at += 1
        env = fresh(tmp_path, first if existing else None, at)
        before = stateless(env.parent)
        host = FailingHost(dies_at=at, number=number, times=times)
        kept, error = attempt(env, lock, host, good=good)
        check_told(env, before, error, kept=kept, where=f"{at}: {host.failed[:1]}")
        shutil.rmtree(env.parent, ignore_errors=True)
        if not host.failed:
            break
    assert at > 10


@pytest.mark.parametrize(
    ("times", "number"), [*((times, errno.ENOSPC) for times in (1, 2, ALWAYS)), *((2, number) for number in OTHERS)], ids=str
)
def test_an_undo_that_is_refused_something_is_named_and_goes_on(tmp_path: Path, lock, first: Path, number: int, times: int) -> None:
    made = fresh(tmp_path, first, 0)
    before = stateless(made.parent)
    assert attempt(made, lock, LocalHost(), good=True) == (True, None)
    at = 0
    while True:
        at += 1
        env = tmp_path / "0" / "env"
        shutil.rmtree(tmp_path / "kept", ignore_errors=True)
        shutil.copytree(env, tmp_path / "kept", symlinks=True)
        workspace = Workspace(root=str(env))
        given = stateless(env.parent)
        host = FailingHost(dies_at=at, number=number, times=times)
        try:
            recovery.undo(host, workspace, last_record(host, workspace))
        except (OSError, TfsetupError):
            left = interrupted(LocalHost(), workspace)
            if left is not None:
                # Undone already, or as it was before the undo that was refused something.
                assert (stateless(env.parent) in (before, given)) == (left.state == "old"), host.failed[:1]
                recovery.recover(LocalHost(), workspace)
            if last_record(host, workspace) is not None:
                recovery.undo(LocalHost(), workspace, last_record(host, workspace))
        assert stateless(env.parent) == before, host.failed[:1]
        shutil.rmtree(env)
        (tmp_path / "kept").rename(env)
        if not host.failed:
            break
    assert at > 5


def test_ctrl_c_while_a_failed_proof_is_taken_back_loses_nothing(tmp_path: Path, lock, first: Path) -> None:
    """Taking back what was taken back took the old files for new ones."""

    class Impatient(LocalHost):
        def remove_tree(self, path: str) -> None:
            if path.endswith("/.tfsetup/returned"):
                os.kill(os.getpid(), signal.SIGINT)
            super().remove_tree(path)

    env = fresh(tmp_path, first, 1)
    before = snapshot(env)
    with pytest.raises(KeyboardInterrupt):
        attempt(env, lock, Impatient(), good=False)
    assert snapshot(env) == before


def test_the_first_error_is_the_message_and_the_state_comes_from_looking(tmp_path: Path, lock, first: Path) -> None:
    env = fresh(tmp_path, first, 1)

    class Stuck(LocalHost):
        """The proof finds no room, and then one file cannot be moved."""

        def rename(self, source: str, target: str, **options) -> None:
            if source.endswith(f"undo/1/files/{SITE}/six.py"):
                raise OSError(errno.EIO, "Input/output error", source)
            super().rename(source, target, **options)

    def prove(_root: str):
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/x")

    plan = make_plan(LocalHost(), env, lock)
    with pytest.raises(HalfwayError) as caught:
        execute(plan, Stuck(), prove=prove, progress=Silent(), wait=0)
    assert caught.value.message.startswith("/tmp/x: no space is left on the disk")
    assert "is half changed (1 of " in caught.value.message, "all the others were taken back"
    assert f"tfsetup undo --env {env}" in caught.value.hint
    assert caught.value.cause == "disk-full"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("existing", [True, False], ids=["existing", "new"])
def test_a_disk_that_fills_during_the_proof_leaves_the_old_state(tmp_path: Path, lock, first: Path, *, existing: bool) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        env = disk / "work" / "env"
        if existing:
            shutil.copytree(first, env, symlinks=True)
        before = stateless(disk)

        def prove(root: str):
            with open(disk / "ballast", "wb") as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                        file.flush()
                except OSError:
                    pass
            raise OSError(errno.ENOSPC, "No space left on device", root)

        with pytest.raises(OSError, match="No space left"):
            execute(make_plan(LocalHost(), env, lock), LocalHost(), prove=prove, progress=Silent(), wait=0)
        (disk / "ballast").unlink()
        assert stateless(disk) == before
        assert state_words(LocalHost(), Workspace(root=str(env))) == f"{env} is as it was before"
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
