"""What somebody else planted in or beside an environment: journals, undo records, links, folders. Each case names the file that must survive."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.support import Ended, Tool

OTHER = 65534  # nobody


def journal(**changes: object) -> str:
    """A journal as it stands on disk."""
    data: dict[str, object] = {
        "schema": "tfsetup/journal/1", "number": 1, "seal": "0" * 64, "started": "2026-01-01T00:00:00+00:00", "phase": "building",
        "before": "absent", "outgoing": [], "incoming": [], "parents": [], "receipt": "", "moves": [], "outside": [],
    }  # fmt: skip
    return json.dumps({**data, **changes})


def plant(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def venv(env: Path) -> None:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(env)], check=True)


@pytest.fixture
def treasure(tmp_path: Path) -> Path:
    """A file of this person's own, elsewhere."""
    path = tmp_path / "treasure" / "thesis.txt"
    plant(path, "years of work")
    return path


def beside_new(env: Path, treasure: Path) -> None:
    """S1: a repository carries a staging folder whose journal names files under ``parents``."""
    plant(env.parent / f".{env.name}.tfsetup-new/.tfsetup/journal.json", journal(parents=[str(treasure)]))


def inside_env(env: Path, treasure: Path) -> None:
    """S1: the same in a folder that is given as the environment."""
    plant(env / ".tfsetup/journal.json", journal(parents=[str(treasure)], phase="moved"))


def through_a_link(env: Path, treasure: Path) -> None:
    """S2: an interrupted move whose target lies behind a link in the environment."""
    venv(env)
    (env / "door").symlink_to(treasure.parent)
    plant(env / ".tfsetup/undo/1/files/door/thesis.txt", "forged")
    treasure.rename(treasure.with_name("thesis.bak"))
    shutil.copy(treasure.with_name("thesis.bak"), treasure)
    plant(env / ".tfsetup/journal.json", journal(phase="moving", before="venv", incoming=["door/thesis.txt"], outgoing=["door/thesis.txt"]))


def undo_through_a_link(env: Path, treasure: Path) -> None:
    """S2: an undo record that takes a file out through a link."""
    venv(env)
    (env / "door").symlink_to(treasure.parent)
    plant(env / ".tfsetup/undo/1/record.json", journal(phase="moved", before="venv", incoming=["door/thesis.txt"]))
    (env / ".tfsetup/undo/1/files").mkdir()


def state_is_a_link(env: Path, treasure: Path) -> None:
    """S7: the state folder is a link to the folder of the treasure."""
    venv(env)
    (env / ".tfsetup").symlink_to(treasure.parent)
    plant(treasure.parent / "journal.json", journal(phase="moving", before="venv"))


def lock_is_a_link(env: Path, treasure: Path) -> None:
    """S7: the lock is a link to a file that is not there yet."""
    venv(env)
    (env / ".tfsetup").mkdir()
    (env / ".tfsetup/lock").symlink_to(treasure.parent / "made")


def staging_is_a_link(env: Path, treasure: Path) -> None:
    """S7: the staging folder of a new environment is a link."""
    (env.parent / f".{env.name}.tfsetup-new").symlink_to(treasure.parent)


def discarded_is_a_link(env: Path, treasure: Path) -> None:
    """S7: the folder in which an old environment waits to be removed is a link."""
    (env.parent / f".{env.name}.tfsetup-old").symlink_to(treasure.parent)


def stage_is_a_link(env: Path, treasure: Path) -> None:
    """S7: the stage of a change is a link."""
    venv(env)
    (env / ".tfsetup").mkdir()
    (env / ".tfsetup/stage").symlink_to(treasure.parent)


CASES = (
    beside_new, inside_env, through_a_link, undo_through_a_link, state_is_a_link, lock_is_a_link, staging_is_a_link, discarded_is_a_link,
    stage_is_a_link,
)  # fmt: skip
SLOW = (("plan",), ("apply",), ("fix", "--yes"), ("verify",), ("doctor", "--no-import"))
COMMANDS = (("apply", "--yes"), ("undo", "--yes"), *(pytest.param(command, marks=pytest.mark.slow) for command in SLOW))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_nothing_outside_is_touched(
    tool: Tool, tiny: dict[str, str], work: Path, treasure: Path, case: Callable[[Path, Path], None], command: tuple[str, ...]
) -> None:
    env = work / "env"
    case(env, treasure)
    before = {path.name: path.read_bytes() for path in treasure.parent.iterdir() if path.is_file()}
    ended = tool(*command, "--env", str(env), **tiny)
    assert {path.name: path.read_bytes() for path in treasure.parent.iterdir() if path.is_file()} == before
    assert "Traceback" not in ended.err
    assert "a bug in tfsetup" not in ended.err


@pytest.mark.parametrize("case", [beside_new, inside_env], ids=lambda case: case.__name__)
def test_nothing_is_taken_back_before_somebody_agreed(
    tool: Tool, tiny: dict[str, str], work: Path, case: Callable[[Path, Path], None]
) -> None:
    """Without a terminal and without --yes, what is there stays, and is named."""
    env = work / "env"
    case(env, work)
    before = sorted(str(path) for path in work.rglob("*") if path.name != "lock")
    ended = tool("apply", "--env", str(env), **tiny)
    assert ended.code in {1, 2, 15}
    assert sorted(str(path) for path in work.rglob("*") if path.name != "lock") == before


def test_parents_above_the_environment_go_only_when_empty(tool: Tool, tiny: dict[str, str], work: Path) -> None:
    env = work / "a" / "b" / "env"
    plant(env.parent / ".env.tfsetup-new/.tfsetup/journal.json", journal(parents=[str(work / "a"), str(work / "a/b")]))
    plant(work / "a" / "mine.txt", "kept")
    assert tool("undo", "--yes", "--env", str(env), **tiny).code == 0
    assert (work / "a" / "mine.txt").read_text() == "kept"
    assert not (work / "a" / "b").exists()


AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")


def give_away(path: Path) -> None:
    for place in (path, *path.rglob("*")):
        os.chown(place, OTHER, OTHER, follow_symlinks=False)


def refused(ended: Ended, place: Path) -> None:
    assert ended.code == 2, ended.err
    assert str(place) in ended.err
    assert "ls -la" in ended.err


@AS_ROOT
@pytest.mark.parametrize("name", [".env.tfsetup-new", ".env.tfsetup-old"])
def test_a_folder_of_another_user_beside_the_place_is_refused(tool: Tool, tiny: dict[str, str], work: Path, name: str) -> None:
    """S8: in a folder that others may write, somebody was there first."""
    work.chmod(0o777)
    planted = work / name
    plant(planted / "x.pth", "import os")
    give_away(planted)
    refused(tool("apply", "--yes", "--env", str(work / "env"), **tiny), planted)
    assert (planted / "x.pth").exists()
    assert not (work / "env").exists()


@AS_ROOT
def test_a_state_folder_of_another_user_is_refused(tool: Tool, tiny: dict[str, str], work: Path) -> None:
    env = work / "env"
    venv(env)
    plant(env / ".tfsetup/journal.json", journal(phase="moving", before="venv"))
    give_away(env / ".tfsetup")
    for command in (("apply", "--yes"), ("undo", "--yes"), ("fix", "--yes")):
        refused(tool(*command, "--env", str(env), **tiny), env / ".tfsetup")


@AS_ROOT
def test_a_state_folder_that_others_may_write_is_refused(tool: Tool, tiny: dict[str, str], work: Path) -> None:
    env = work / "env"
    venv(env)
    plant(env / ".tfsetup/journal.json", journal(phase="moving", before="venv"))
    (env / ".tfsetup").chmod(0o777)
    refused(tool("undo", "--yes", "--env", str(env), **tiny), env / ".tfsetup")


def test_whatever_the_umask_the_tools_own_folders_are_believed_again(tool: Tool, tiny: dict[str, str], work: Path) -> None:
    """A umask of 000 makes everything writable by all; what the tool believes later is not."""
    env = work / "env"
    before = os.umask(0)
    try:
        assert tool("apply", "--yes", "--env", str(env), **tiny).code in {0, 14}
        venv(env)
        tool("apply", "--yes", "--env", str(env), **tiny)
        assert tool("undo", "--yes", "--env", str(env), **tiny).code == 0
    finally:
        os.umask(before)


def test_a_linked_home_above_the_environment_is_no_reason_to_refuse(tool: Tool, tiny: dict[str, str], work: Path) -> None:
    (work / "real").mkdir()
    (work / "linked").symlink_to("real")
    ended = tool("plan", "--env", str(work / "linked" / "env"), **tiny)
    assert ended.code == 0, ended.err
