"""Mount points inside an environment: what lies on them moves on them, and they themselves are neither moved nor removed. Real mounts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provisioner.change import recovery
from provisioner.change.journal import last_record
from provisioner.change.standing import interrupted
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, OperationError
from provisioner.host.local import LocalHost
from tests.change.test_layers import HOST, change, is_new, lock, make_old, undo  # noqa: F401 - `lock` is a fixture
from tests.killing import kind_of
from tests.layers import unmount_all
from tests.support import SITE, DyingHost, snapshot

INSIDE = f"{SITE}/tensorflow/old"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder below which mounts end with the test."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "t", folder], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    unmount_all(folder)


def mount_at(place: Path, kind: str) -> None:
    """Put a file system, or a folder of another place (``bind``), where a folder or file is, with the same content."""
    aside = Path(f"{place}.aside")
    subprocess.run(["cp", "-a", place, aside], check=True)
    if kind == "bind":
        subprocess.run(["mount", "--bind", aside, place], check=True)
        return
    subprocess.run(["mount", "-t", "tmpfs", "t", place], check=True)
    subprocess.run(["cp", "-a", f"{aside}/.", place], check=True)
    subprocess.run(["rm", "-rf", aside], check=True)


def is_mounted(place: Path) -> bool:
    """True for a mount point, a bind mount of the same file system too."""
    return str(place) in {row.split()[4] for row in Path("/proc/self/mountinfo").read_text().splitlines()}


def state(root: Path) -> dict[str, tuple[object, ...]]:
    """Without inodes, the tool's own, and where the content of bind mounts really lies."""
    found = {name: value for name, value in snapshot(root).items() if ".tfsetup" not in name and ".aside" not in name}
    return {name: (*value[:4], *value[5:]) for name, value in found.items()}


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
@pytest.mark.parametrize("where", [INSIDE, SITE], ids=["inside a package", "all packages"])
def test_what_lies_on_a_mount_moves_on_it_and_comes_back(disk: Path, lock, where: str, kind: str) -> None:  # noqa: F811 - the fixture
    env = disk / "env"
    make_old(env)
    mount_at(env / where, kind)
    before = state(env)
    assert change(env, lock)
    assert is_new(env)
    assert is_mounted(env / where)
    assert not (env / SITE / "tensorflow" / "old" / "a.py").exists()
    undo(env)
    assert state(env) == before
    assert is_mounted(env / where)
    assert not list(env.glob("**/.tfsetup/*/files")), "nothing of it is left on the mount"
    assert change(env, lock)


@dataclass
class KeepingHost(DyingHost):
    """This machine; before each effect the environment and what is on the mount in it are copied."""

    dies_at: int = 0
    place: Path = Path()
    mount: Path = Path()
    kept: list[str] = field(default_factory=list)

    def shelf(self, number: int) -> Path:
        return self.place.parent / "shelf" / str(number)

    def _effect(self, *what: str) -> None:
        folder = self.shelf(len(self.kept))
        folder.mkdir(parents=True)
        self.kept.append(" ".join(map(kind_of, what)))
        subprocess.run(["cp", "-ax", self.place, folder / "env"], check=True)
        subprocess.run(["cp", "-a", self.mount, folder / "mount"], check=True)

    def put_back(self, number: int) -> None:
        """Make it what is there."""
        folder = self.shelf(number)
        subprocess.run(["umount", "-l", self.mount], check=True)
        subprocess.run(["rm", "-rf", self.place], check=True)
        (folder / "env").rename(self.place)
        subprocess.run(["mount", "-t", "tmpfs", "t", self.mount], check=True)
        subprocess.run(["cp", "-a", f"{folder}/mount/.", self.mount], check=True)

    def telling(self) -> Iterator[str]:
        """Put the first and the last moment of each kind back, one after the other."""
        for number, what in enumerate(self.kept):
            if number in {self.kept.index(what), len(self.kept) - 1 - self.kept[::-1].index(what)}:
                self.put_back(number)
                yield what


@pytest.mark.parametrize("where", [SITE, INSIDE], ids=["all packages", "inside a package"])
def test_whatever_was_killed_is_brought_back(disk: Path, lock, where: str) -> None:  # noqa: F811 - the fixture
    env = disk / "env"
    make_old(env)
    mount_at(env / where, "tmpfs")
    before, workspace = state(env), Workspace(root=str(env))
    host = KeepingHost(place=env, mount=env / where)
    assert change(env, lock, host)
    host._effect("done")
    for what in host.telling():
        if interrupted(HOST, workspace) is not None:
            recovery.recover(HOST, workspace)
        if last_record(HOST, workspace) is None:
            assert state(env) == before, f"killed before {what}"
    assert is_new(env)
    subprocess.run(["rm", "-rf", env.parent / "shelf"], check=True)
    host = KeepingHost(place=env, mount=env / where)
    undo(env, host)
    for what in host.telling():
        if interrupted(HOST, workspace) is not None:
            recovery.recover(HOST, workspace)
        if last_record(HOST, workspace) is not None:
            undo(env)
        assert state(env) == before, f"killed before {what}"


def test_a_file_that_is_a_mount_point_is_told_before_anything_is_fetched(disk: Path, lock) -> None:  # noqa: F811 - the fixture
    env = disk / "env"
    make_old(env)
    mount_at(env / SITE / "six.py", "bind")
    before = state(env)

    class Offline(LocalHost):
        def run(self, argv, **options):
            raise AssertionError(argv)

    with pytest.raises(OperationError, match="is a mount point") as caught:
        change(env, lock, Offline())
    assert f"umount {env / SITE / 'six.py'}" in caught.value.hint
    assert state(env) == before


def test_the_folder_of_the_tool_is_none(disk: Path, lock) -> None:  # noqa: F811 - the fixture
    env = disk / "env"
    make_old(env)
    (env / ".tfsetup").mkdir()
    mount_at(env / ".tfsetup", "tmpfs")
    with pytest.raises(OperationError, match="is a mount point"):
        change(env, lock)


def test_what_was_mounted_or_unmounted_since_is_told_before_the_first_move(disk: Path, lock) -> None:  # noqa: F811 - the fixture
    env = disk / "env"
    make_old(env)
    mount_at(env / INSIDE, "tmpfs")
    before = state(env)
    assert change(env, lock)
    changed = state(env)
    (disk / "elsewhere").mkdir()
    subprocess.run(["mount", "--bind", env / INSIDE, disk / "elsewhere"], check=True)
    subprocess.run(["umount", env / INSIDE], check=True)
    with pytest.raises(OperationError, match="is gone") as caught:
        undo(env)
    assert "mount it again" in caught.value.hint
    subprocess.run(["mount", "--bind", disk / "elsewhere", env / INSIDE], check=True)
    mount_at(env / SITE / "tensorflow" / "new", "tmpfs")
    with pytest.raises(OperationError, match="is a mount point") as caught:
        undo(env)
    subprocess.run(["umount", env / SITE / "tensorflow" / "new"], check=True)
    assert state(env) == changed
    undo(env)
    assert state(env) == before


def test_an_environment_goes_not_with_what_is_mounted_in_it(disk: Path, lock) -> None:  # noqa: F811 - the fixture
    env = disk / "env"
    assert change(env, lock)
    (env / "data").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "t", env / "data"], check=True)
    with pytest.raises(OperationError, match="is a mount point"):
        undo(env)
    assert is_new(env)
    subprocess.run(["umount", env / "data"], check=True)
    undo(env)
    assert not env.exists()


def test_what_came_since_on_a_mount_cannot_be_moved_to_another(disk: Path, lock) -> None:  # noqa: F811 - the fixture
    env = disk / "env"
    make_old(env)
    mount_at(env / SITE, "tmpfs")
    assert change(env, lock)
    (env / SITE / "six.py").write_text("mine")
    changed = state(env)
    with pytest.raises(InputError, match="file system of its own"):
        undo(env, keep=str(disk / "kept"))
    assert state(env) == changed
    undo(env, leave=True)
    assert (env / SITE / "six.py").read_text() == "mine"
