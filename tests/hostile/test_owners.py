"""Root works on an environment of a user: with the word what that user's tfsetup noted is believed, and what root makes there becomes the user's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.host.local import LocalHost
from tests.cli.support import Ended, Tool
from tests.hostile.test_state import journal, plant, refused, venv

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user"),
]
OTHER, USER = 65533, 65534


def give(path: Path, owner: int) -> None:
    for place in (path, *path.rglob("*")):
        os.chown(place, owner, owner, follow_symlinks=False)


@pytest.fixture
def env(work: Path) -> Path:
    """A user's environment, of which two changes can be undone; each took a file away."""
    root = work / "theirs"
    venv(root)
    for number in (1, 2):
        plant(root / f".tfsetup/undo/{number}/files/old{number}.txt", "old")
        told = journal(number=number, phase="moved", before="venv", outgoing=[f"old{number}.txt"])
        plant(root / f".tfsetup/undo/{number}/record.json", told)
        brought = {"schema": "tfsetup/brought/1", "stayed": None, "files": []}
        plant(root / f".tfsetup/undo/{number}/brought.json", json.dumps(brought))
    give(root, USER)
    return root


def as_user(tool: Tool, env: Path, *args: str, **variables: str) -> Ended:
    """The command as that user, who may only read what root may: the tests' Python lies in its home."""
    home = env.parent.parent / "demoted"
    home.mkdir(exist_ok=True)
    give(home, USER)
    demoted = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    demoted += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    if subprocess.run([*demoted, sys.executable, "-c", ""], check=False, capture_output=True).returncode:
        pytest.skip("no process can be made of another user here")
    own = {**tool.env, **variables, "HOME": str(home), "TFSETUP_CACHE_DIR": str(home / "cache")}
    done = subprocess.run([*demoted, *tool.argv, *args], cwd=env, env=own, capture_output=True, text=True, check=False, timeout=60)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_with_the_word_root_undoes_and_the_user_goes_on(tool: Tool, tiny: dict[str, str], env: Path) -> None:
    ended = tool("undo", "--yes", "--env", str(env), **tiny)
    refused(ended, env / ".tfsetup")
    assert "--trust" in ended.err
    assert not (env / "old2.txt").exists()
    ended = tool("undo", "--yes", "--trust", "--env", str(env), **tiny)
    assert ended.code == 0, ended.err
    assert (env / "old2.txt").exists()
    assert [path for path in (env, *env.rglob("*")) if path.lstat().st_uid != USER] == []
    ended = as_user(tool, env, "undo", "--yes", "--env", str(env), **tiny)
    assert ended.code == 0, ended.err
    assert (env / "old1.txt").exists()


def test_what_root_tried_in_vain_is_the_users_too(tool: Tool, tiny: dict[str, str], env: Path) -> None:
    """The tiny set cannot compute, so the change is taken back; folders that were made for it stay the user's."""
    ended = tool("apply", "--yes", "--trust", "--env", str(env), **tiny)
    assert ended.code == 14, ended.err
    own = [path for path in (env, *env.rglob("*")) if path.lstat().st_uid != USER and path.lstat().st_nlink == 1]
    assert own == []
    ended = as_user(tool, env, "undo", "--yes", "--env", str(env), **tiny)
    assert ended.code == 0, ended.err


def of_a_third(env: Path) -> None:
    os.chown(env / ".tfsetup/undo/2/record.json", OTHER, OTHER)


def writable_by_all(env: Path) -> None:
    (env / ".tfsetup/undo").chmod(0o777)


def a_link(env: Path) -> None:
    (env / ".tfsetup").rename(env / "elsewhere")
    (env / ".tfsetup").symlink_to("elsewhere")
    os.chown(env / ".tfsetup", USER, USER, follow_symlinks=False)


@pytest.mark.parametrize("change", [of_a_third, writable_by_all, a_link])
def test_the_word_is_for_one_user_and_for_real_folders_that_nobody_else_writes(
    tool: Tool, tiny: dict[str, str], env: Path, change: Callable[[Path], None]
) -> None:
    change(env)
    ended = tool("undo", "--yes", "--trust", "--env", str(env), **tiny)
    assert ended.code == 2, ended.out + ended.err
    assert not (env / "old2.txt").exists()


def test_what_is_handed_over(tmp_path: Path) -> None:
    """No link is followed, and what has another name may be of another place."""
    treasure, root = tmp_path / "treasure", tmp_path / "root"
    (root / "inner").mkdir(parents=True)
    treasure.mkdir()
    for path in (treasure / "a", treasure / "b", root / "own", root / "inner/own"):
        path.write_text("")
    (root / "door").symlink_to(treasure)
    (root / "link").symlink_to(treasure / "a")
    os.link(treasure / "b", root / "inner/b")
    os.chown(root / "own", OTHER, OTHER)
    LocalHost().hand_over(str(root), USER, USER)
    assert {path.name for path in (root, *root.rglob("*")) if path.lstat().st_uid == USER} == {"root", "inner", "own"}
    assert (root / "own").stat().st_uid == OTHER
    assert {path.stat().st_uid for path in (treasure, *treasure.iterdir())} == {0}
