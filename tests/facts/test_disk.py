"""Free room and hard links, from recorded mounts and on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import disk
from provisioner.host import Space
from provisioner.host.local import LocalHost
from tests.facts.fake_reader import FakeReader

MOUNTS = """\
25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
26 25 8:2 / /data rw - xfs /dev/sdb1 rw
27 25 8:1 /srv /bind rw - ext4 /dev/sda1 rw
28 25 8:3 / /my\\040disk rw - vfat /dev/sdc1 rw
"""


def volume(device: int) -> Space:
    return Space(free=1000, inodes=10, device=device, filesystem="")


def machine() -> FakeReader:
    files = {disk.MOUNTS: MOUNTS, "/home/me/.cache/uv": None, "/data/x": None, "/bind/x": None, "/my disk/x": None}
    return FakeReader(files, space={"/": volume(1), "/data": volume(2), "/my disk": volume(3)})


@pytest.mark.parametrize(
    ("env", "links", "kind"),
    [
        ("/home/me/work/tf-env", True, "ext4"),
        ("/data/x/tf-env", False, "xfs"),
        ("/bind/x/tf-env", False, "ext4"),
        ("/my disk/x/tf-env", False, "vfat"),
    ],
)
def test_hard_links(env: str, links: bool, kind: str) -> None:
    found = disk.probe(machine(), env, "/home/me/.cache/uv")
    assert found.hard_links.value is links
    assert found.environment.value
    assert found.environment.value.filesystem == kind


def test_the_nearest_folder_that_exists_is_asked() -> None:
    found = disk.probe(machine(), "/home/me/a/b/c", "/home/me/.cache/uv")
    assert found.environment.value
    assert found.environment.value.path == "/home/me"


def test_no_hard_links_on_vfat_even_to_itself() -> None:
    assert disk.probe(machine(), "/my disk/x/a", "/my disk/x/b").hard_links.value is False


def test_a_volume_that_cannot_be_asked() -> None:
    found = disk.probe(FakeReader(), "/a", "/b")
    assert found.environment.why == "cannot be asked: permission denied"
    assert found.hard_links.status == "unknown"


def test_this_machine_agrees_with_the_system(tmp_path: Path) -> None:
    found = disk.probe(LocalHost(), str(tmp_path / "ünï cödé" / "env"), str(tmp_path))
    (tmp_path / "a").touch()
    os.link(tmp_path / "a", tmp_path / "b")
    assert found.hard_links.value is True
    assert found.environment.value
    assert found.environment.value.path == str(tmp_path)
    assert found.environment.value.device == str(tmp_path.stat().st_dev)
    assert found.environment.value.writable


@given(st.text())
def test_parse_mounts_never_crashes(text: str) -> None:
    disk.mount_of(disk.parse_mounts(text), "/x")
