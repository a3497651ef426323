"""The files of a lock change together or not at all: the process dies before each of its effects in turn."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.errors import InputError, OperationError
from provisioner.host.local import LocalHost
from provisioner.lock import sidecar, store
from provisioner.model.team import TeamLock
from tests.support import DyingHost, Killed

LOCK = TeamLock(tool="0", engine="uv", cutoff="2026-01-01T00:00:00Z", catalogue="c", inputs=(), targets=())
OLD = {"a.txt": "old a\n", "b.txt": "old b\n", "gone.txt": "old\n"}
NEW = {"a.txt": "new a\n", "b.txt": "new b\n", "added.txt": "new\n"}


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lock").mkdir()
    store.write_lock(LocalHost(), str(tmp_path / "lock"), LOCK, OLD)
    return tmp_path / "lock"


def test_what_is_written_is_read(folder: Path) -> None:
    found = store.read_lock(LocalHost(), str(folder))
    assert found == sidecar.with_written(LOCK, OLD)
    assert [item.name for item in found.written] == ["a.txt", "b.txt", "gone.txt"]
    assert store.read_lock(LocalHost(), str(folder.parent)) is None


def test_old_files_go_and_foreign_ones_stay(folder: Path) -> None:
    (folder / "foreign.txt").write_text("mine\n")
    changed = store.write_lock(LocalHost(), str(folder), replace(LOCK, tool="1"), NEW)
    assert changed == ("a.txt", "added.txt", "b.txt", "tfsetup.lock.json", "gone.txt")
    assert {name: text for name, text in content(folder).items() if name != sidecar.NAME} == {**NEW, "foreign.txt": "mine\n"}
    assert store.write_lock(LocalHost(), str(folder), replace(LOCK, tool="1"), NEW) == ()


def test_a_death_at_any_moment_leaves_the_old_lock_or_the_new(folder: Path, tmp_path: Path) -> None:
    old = content(folder)
    whole = tmp_path / "whole"
    whole.mkdir()
    store.write_lock(LocalHost(), str(whole), LOCK, OLD)
    store.write_lock(LocalHost(), str(whole), replace(LOCK, tool="1"), NEW)
    new = content(whole)
    seen = []
    for moment in range(1, 40):
        place = tmp_path / f"place-{moment}"
        place.mkdir()
        store.write_lock(LocalHost(), str(place), LOCK, OLD)
        try:
            store.write_lock(DyingHost(dies_at=moment), str(place), replace(LOCK, tool="1"), NEW)
            break
        except Killed:
            store.recover(LocalHost(), str(place))
        found = content(place)
        assert found in (old, new), moment
        seen.append(found == new)
    assert False in seen
    assert True in seen
    assert seen == sorted(seen), "once it is decided, it is finished"
    assert content(place) == new


def test_a_refusal_of_the_system_leaves_the_old_lock(folder: Path) -> None:
    old = content(folder)

    class Full(LocalHost):
        left = 0

        def rename(self, source: str, target: str) -> None:
            self.left -= 1
            if self.left == 0:
                raise OSError(errno.ENOSPC, "No space left on device", target)
            super().rename(source, target)

    for left in range(1, 6):
        host = Full()
        host.left = left
        with pytest.raises(OperationError, match="No space left on device; it is as it was before"):
            store.write_lock(host, str(folder), replace(LOCK, tool="1"), NEW)
        assert content(folder) == old, left


def test_a_pending_change_that_reaches_beyond_its_folder_is_refused(folder: Path) -> None:
    """A repository can hold a folder of that name."""
    pending = folder / store.PENDING
    pending.mkdir()
    (pending / store.MANIFEST).write_text(json.dumps({"write": [], "remove": ["../victim"]}))
    (folder.parent / "victim").write_text("mine\n")
    with pytest.raises(InputError, match="names that no lock has"):
        store.recover(LocalHost(), str(folder))
    assert (folder.parent / "victim").read_text() == "mine\n"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "tfsetup/team-lock/1"}', '{"schema": "tfsetup/plan/1"}', "\udcff"])
def test_a_sidecar_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / sidecar.NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError):
        store.read_lock(LocalHost(), str(folder))
