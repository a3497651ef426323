"""Room and rights, before anything is downloaded: small disks, few inodes, read-only and noexec mounts, folders of others; real ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import Ended, Inside, Tool
from tests.mounts import AS_ROOT, OTHER, demoted, give, mounted, open_folder, python_for_all
from tests.support import SITE, make_wheel, snapshot

pytestmark = AS_ROOT


def refused(ended: Ended, *words: str, cause: str = "permission-denied") -> None:
    """It was refused before the plan was carried out, with these words, and a hint."""
    assert ended.code == 1, ended.err
    error = ended.json["error"]
    assert error["cause"] == cause
    said = " ".join([error["place"], error["message"], error["hint"], *error.get("faults", [])])
    for word in (*words, "nothing was downloaded or changed"):
        assert word in said, said
    assert error["hint"]


@pytest.fixture
def large(tiny, shared: Path, tmp_path: Path) -> dict[str, str]:
    """A catalogue that says of its set that it takes 1.5 GB."""
    profiles = tmp_path / "profiles"
    shutil.copytree(shared / "profiles", profiles)
    lock = next((profiles / "locks").rglob("*.lock"))
    lines = [line.split() for line in lock.read_text().splitlines()]
    sized = [
        " ".join([line[0], "300000000", "1500000000", *line[3:]]) if line and line[0].startswith("tensorflow") else " ".join(line)
        for line in lines
    ]
    lock.write_text("\n".join(sized) + "\n")
    return {**tiny, "TFSETUP_PROFILES": str(profiles)}


def test_a_disk_that_is_too_small_is_told_before_the_download(inside: Inside, large, work: Path, tmp_path: Path) -> None:
    with mounted(work / "disk", "size=40m"):
        where = {**large, "UV_CACHE_DIR": str(tmp_path / "uv")}
        (work / "disk" / "other").write_text("")
        ended = inside("apply", "--yes", "--json", "--env", "disk/env", **where)
        refused(ended, "1.6 GB are needed", "42 MB are free", str(work / "disk"), "--env", cause="disk-full")
        assert not (tmp_path / "uv").exists()
        shown = inside("plan", "--env", "disk/env", **where)
        assert shown.code == 0
        assert "in the way: " in shown.out
        assert "of 42 MB free" in shown.out
        document = inside("plan", "--json", "--env", "disk/env", **where).json
        assert [item["cause"] for item in document["preflight"]["obstacles"]] == ["disk-full"]
        assert [item.name for item in (work / "disk").iterdir()] == ["other"]


def test_the_needs_of_one_file_system_are_summed(inside: Inside, large, work: Path) -> None:
    """Links into a cache on the same file system cost nothing; one that copies takes the room twice."""
    with mounted(work / "disk", "size=2500m"):
        where = {**large, "UV_CACHE_DIR": str(work / "disk" / "uv")}
        (room,) = (
            item
            for item in inside("plan", "--json", "--env", "disk/env", **where).json["preflight"]["rooms"]
            if item["folder"] == str(work / "disk")
        )
        assert 1_500_000_000 < room["size"] < 1_700_000_000
        assert room["free_files"] > 0
        ended = inside("apply", "--yes", "--json", "--env", "disk/env", **where, UV_LINK_MODE="copy")
        refused(ended, "3.2 GB are needed", "UV_CACHE_DIR", cause="disk-full")


def test_too_few_inodes_are_told(inside: Inside, large, work: Path, tmp_path: Path) -> None:
    with mounted(work / "disk", "size=5g,nr_inodes=300"):
        ended = inside("apply", "--yes", "--json", "--env", "disk/env", **{**large, "UV_CACHE_DIR": str(tmp_path / "uv")})
        refused(ended, "about 15912 files", "299 are free", "--inodes", cause="disk-full")


def test_what_lies_in_the_cache_needs_no_room_there(inside: Inside, tiny, work: Path, tmp_path: Path) -> None:
    cache = {**tiny, "UV_CACHE_DIR": str(tmp_path / "uv")}
    purposes = {need["purpose"] for room in inside("plan", "--json", **cache).json["preflight"]["rooms"] for need in room["needs"]}
    assert any("unpacked in uv's cache" in purpose for purpose in purposes)
    assert inside("apply", "--yes", **cache).code == 14
    rooms = inside("plan", "--json", **cache).json["preflight"]["rooms"]
    assert not any("unpacked in uv's cache" in need["purpose"] for room in rooms for need in room["needs"])
    assert list(work.iterdir()) == []


def test_libraries_load_from_no_file_system_mounted_noexec(inside: Inside, tiny, work: Path) -> None:
    with mounted(work / "disk", "size=500m,noexec"):
        refused(inside("apply", "--yes", "--json", "--env", "disk/env", **tiny), "noexec")


def make_env(env: Path, tmp_path: Path, python: str) -> Path:
    """An environment with another six, in a package folder and in a namespace."""
    make_wheel(tmp_path / "old", "six", "1.0", {"six/__init__.py": "", "space/inner/six.py": ""})
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", python, str(env)], check=True)
    command = [
        *uv,
        "pip",
        "install",
        "-q",
        "--offline",
        "--no-index",
        "--find-links",
        str(tmp_path / "old"),
        "--python",
        f"{env}/bin/python",
    ]
    subprocess.run([*command, "six==1.0"], check=True)
    return env


@pytest.fixture
def env(work: Path, tmp_path: Path) -> Path:
    return make_env(work / "env", tmp_path, sys.executable)


@pytest.fixture
def theirs(base: Path, tmp_path: Path) -> Path:
    """An environment of a user without rights."""
    env = make_env(base / "env", tmp_path, python_for_all())
    give(env)
    return env


@pytest.mark.parametrize("name", ["six", "space/inner", "six-1.0.dist-info"])
def test_a_folder_that_is_mounted_read_only_is_told(inside: Inside, tiny, env: Path, name: str) -> None:
    folder = env / SITE / name
    with mounted(folder, bind=folder):
        before = snapshot(env)
        refused(inside("apply", "--yes", "--json", "--env", "env", **tiny), "read-only", str(folder))
        assert {key: value for key, value in snapshot(env).items() if not key.startswith(".tfsetup")} == before


def as_other(tool: Tool, tiny, base: Path, shared: Path, *args: str, **more: str) -> Ended:
    """Run as a user without rights, whose home and wheels lie where it may look."""
    for name in ("wheels", "profiles"):
        if not (base / name).exists():
            shutil.copytree(shared / name, base / name)
    home = base / "home"
    home.mkdir(exist_ok=True)
    give(home)
    own = {"HOME": str(home), "TFSETUP_CACHE_DIR": str(home / "tool"), "UV_CACHE_DIR": str(home / "uv")}
    own |= {"TFSETUP_PROFILES": str(base / "profiles"), "UV_FIND_LINKS": str(base / "wheels")}
    return demoted([*tool.argv, *args], cwd=base, env={**tool.env, **tiny, **own, **more})


@pytest.fixture
def base() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.mark.parametrize("name", ["six", "space/inner", "", "six-1.0.dist-info"])
def test_one_folder_of_root_s_is_told(tool: Tool, tiny, theirs: Path, base: Path, shared: Path, name: str) -> None:
    """What a `sudo pip install` has left in an environment of one's own."""
    folder = theirs / SITE / name
    os.chown(folder, 0, 0)
    before = snapshot(theirs)
    ended = as_other(tool, tiny, base, shared, "apply", "--yes", "--json", "--env", "env")
    refused(ended, "belongs to root", str(folder).rstrip("/"), "sudo chown -R")
    assert snapshot(theirs) == before


def test_a_folder_of_root_s_that_stays_is_no_obstacle(tool: Tool, tiny, theirs: Path, base: Path, shared: Path) -> None:
    # The second goes with its package.
    for name in ("other", "six/__pycache__"):
        (theirs / SITE / name).mkdir()
    assert as_other(tool, tiny, base, shared, "apply", "--yes", "--env", "env").code == 14


def test_a_cache_of_root_s_is_told(tool: Tool, tiny, base: Path, shared: Path) -> None:
    """One run of uv as root leaves parts of its cache that this user cannot write."""
    (base / "home" / "uv").mkdir(parents=True)
    (base / "env").mkdir()
    give(base / "env")
    assert as_other(tool, tiny, base, shared, "plan", "--json", "--env", "env").json["preflight"]["obstacles"] == []
    (base / "other" / "wheels-v99").mkdir(parents=True)
    cache = str(base / "other")
    os.chown(base / "other", OTHER, OTHER)
    ended = as_other(tool, tiny, base, shared, "apply", "--yes", "--json", "--env", "env", UV_CACHE_DIR=cache)
    refused(ended, "belongs to root", f"{cache}/wheels-v99")


@pytest.mark.parametrize("bad", ["missing", "unwritable", "full"])
def test_another_folder_is_taken_where_tmpdir_will_not_do(inside: Inside, tiny, work: Path, bad: str) -> None:
    with mounted(work / "tmp", "size=100k" if bad == "full" else "size=50m,ro" if bad == "unwritable" else "size=50m"):
        folder = work / "tmp" / "no-such" if bad == "missing" else work / "tmp"
        ended = inside("apply", "--yes", "--verbose", "--env", "env", **tiny, TMPDIR=str(folder))
        assert ended.code == 14, "the proof was reached"
        why = {"missing": "is not there", "unwritable": "cannot be written", "full": "has no room"}[bad]
        assert f"TMPDIR is {folder}, which {why}; another folder is used" in ended.err


@pytest.mark.parametrize("how", ["mounted", "in root's folder"])
def test_an_environment_is_built_inside_a_folder_that_must_stay(
    inside: Inside, tool: Tool, tiny, work: Path, base: Path, shared: Path, how: str
) -> None:
    """A volume of a container is a mount point; an administrator makes a folder and gives it away."""
    folder = base / "env"
    folder.mkdir()

    def run(*args: str) -> Ended:
        if how == "mounted":
            return inside(*args, "--env", str(folder), **tiny)
        return as_other(tool, tiny, base, shared, *args, "--env", str(folder))

    if how == "mounted":
        with mounted(folder, "size=200m"):
            goes_and_comes(run, folder)
    else:
        give(folder)
        goes_and_comes(run, folder)


def goes_and_comes(run, folder: Path) -> None:
    """The proof fails, so that all is taken back: the folder stays, and is empty."""
    number = folder.stat().st_ino
    ended = run("apply", "--yes")
    assert ended.code == 14, ended.err
    assert "is an empty folder again" in ended.out
    assert list(folder.iterdir()) == []
    assert folder.stat().st_ino == number


@pytest.mark.slow
def test_of_some_at_once_on_a_volume_each_finds_it_whole(tool: Tool, tiny, base: Path) -> None:
    with mounted(base / "env", "size=200m") as folder:
        argv = ("apply", "--yes", "--env", str(folder))
        processes = [tool.start(*argv, **tiny) for _ in range(3)]
        for process in processes:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 14, err
        assert list(folder.iterdir()) == []
