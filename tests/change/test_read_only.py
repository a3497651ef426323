"""Folders whose modes keep their owner out: told before undo's first move with the command that mends it, and no reason for anything to stay."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change.execute import execute
from provisioner.host import removing
from provisioner.host.local import LocalHost
from tests.support import SITE, make_lock, make_plan, make_wheel, only_from, prove_by_import, snapshot

# Root is held to the modes of its own files without these two rights, as everybody is.
HELD = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
)
UNDO = (*HELD, sys.executable, "-m", "provisioner", "undo", "--yes", "--env")
pytestmark = pytest.mark.skipif(bool(HELD) and shutil.which("setpriv") is None, reason="root needs setpriv to give up its rights")


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    only_from(monkeypatch, tmp_path / "wheels", tmp_path / "uv")
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "env"


def make(env: Path, *, changed: bool) -> None:
    """An environment that was changed, or that was made."""
    wheels = env.parent / "wheels"
    lock = make_lock(make_wheel(wheels, "tensorflow", "2.0", {"tensorflow/__init__.py": "GOOD = True\n", "tensorflow/core/a.py": ""}))
    if changed:
        subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(env)], check=True)
    host = LocalHost()
    assert execute(make_plan(host, env, lock), host, prove=prove_by_import, progress=Silent(), wait=0).kept


def undo(env: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*UNDO, str(env)], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])


def outside_state(env: Path) -> dict[str, object]:
    """All that is there but what tfsetup keeps for itself."""
    return {name: entry for name, entry in snapshot(env).items() if not name.startswith(".tfsetup")}


@pytest.mark.parametrize("name", ["", "/tensorflow", "/tensorflow-2.0.dist-info"])
def test_it_is_told_before_the_first_move_with_what_mends_it(env: Path, name: str) -> None:
    make(env, changed=True)
    folder = env / f"{SITE}{name}"
    folder.chmod(0o555)
    before = snapshot(env)
    done = undo(env)
    assert (done.returncode, snapshot(env)) == (1, before), done.stderr
    found = re.search(r"`(chmod u\+w [^`]+)`", done.stderr)
    assert found is not None, done.stderr
    subprocess.run(found[1], shell=True, check=True)
    assert undo(env).returncode == 0
    assert not (env / SITE / "tensorflow").exists()


def test_a_folder_that_may_not_be_read_is_told_with_what_mends_it(env: Path) -> None:
    make(env, changed=True)
    (env / SITE / "tensorflow" / "core").chmod(0)
    done = undo(env)
    assert done.returncode == 1
    found = re.search(r"`(chmod u\+rwx [^`]+)`", done.stderr)
    assert found is not None, done.stderr
    subprocess.run(found[1], shell=True, check=True)
    assert undo(env).returncode == 0


@pytest.mark.parametrize("changed", [True, False])
@pytest.mark.parametrize("name", [f"{SITE}/tensorflow/core", "", "bin"])
def test_what_goes_as_a_whole_goes_all_the_same(env: Path, name: str, *, changed: bool) -> None:
    if changed and name == "bin":
        name = f"{SITE}/tensorflow/core"
    make(env, changed=changed)
    (env / name).chmod(0o555)
    done = undo(env)
    assert done.returncode == 0, done.stderr
    assert (env / SITE / "tensorflow").exists() is False
    assert [path.name for path in env.parent.iterdir() if path.name.startswith(".env")] == []


def test_a_link_in_what_is_removed_opens_nothing(tmp_path: Path) -> None:
    for name in ("mine", "going"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / "going" / "link").symlink_to(tmp_path / "mine")
    for name in ("mine", "going"):
        (tmp_path / name).chmod(0o500)
    code = f"import os, sys; sys.path.insert(0, {str(Path(removing.__file__).parents[2])!r})\n"
    code += f"from provisioner.host.removing import remove_tree\nremove_tree({str(tmp_path / 'going')!r})"
    subprocess.run([*HELD, sys.executable, "-c", code], check=True)
    assert (sorted(os.listdir(tmp_path)), (tmp_path / "mine").stat().st_mode & 0o777) == (["mine"], 0o500)


def test_an_old_folder_that_may_not_be_read_comes_back_as_it_was(env: Path) -> None:
    """What a repair took out was unreadable, which was the fault: it goes back as a whole, and nobody has to look into it."""
    make(env, changed=True)
    new = make_lock(make_wheel(env.parent / "wheels", "tensorflow", "2.1", {"tensorflow/__init__.py": "GOOD = True\n"}))
    (env / SITE / "tensorflow" / "core").chmod(0)
    before = outside_state(env)
    host = LocalHost()
    assert execute(make_plan(host, env, new), host, prove=prove_by_import, progress=Silent(), wait=0).kept
    done = undo(env)
    assert done.returncode == 0, done.stderr
    assert outside_state(env) == before
