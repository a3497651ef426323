"""tools/skeleton.py: an environment without bodies is judged by what its wheels hold and require, and what is wrong with them is seen."""

from __future__ import annotations

import zipfile
from pathlib import Path

import examine
import pytest
import skeleton
import wheel_parts

from provisioner.catalogue import Catalogue
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import LockedFile
from tests.cli.support import PYTHON, VERSION, make_profiles
from tests.support import make_wheel

OWN = {"tensorflow/__init__.py": "", "tensorflow/python/platform/build_info.py": "body"}


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFSETUP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TFSETUP_PROFILES", str(tmp_path / "profiles"))
    monkeypatch.setattr(wheel_parts, "STORE", tmp_path / "parts")


def examined(tmp_path: Path, *files: LockedFile) -> tuple[str, ...]:
    """Examine a set of these wheels, as they lie there."""
    catalogue = Catalogue.open(LocalHost(), str(make_profiles(tmp_path / "profiles", tuple(sorted(files, key=lambda file: file.name)))))
    for file in files:
        with (tmp_path / "wheels" / file.filename).open("rb") as wheel:
            wheel_parts.keep_parts(file.sha256, wheel)
    lock = catalogue.lock(VERSION, PYTHON, skeleton.PLATFORM, "cpu")
    assert lock is not None
    return examine.without_bodies(lock, tmp_path, catalogue)


def wheel(tmp_path: Path, name: str, version: str, files: dict[str, str], *requires: str) -> LockedFile:
    return make_wheel(tmp_path / "wheels", name, version, files, requires=requires, scripts={name: "it:main"})


def test_a_set_of_whole_wheels_is_healthy_and_no_body_is_read(tmp_path: Path) -> None:
    own = wheel(tmp_path, "tensorflow-cpu", VERSION, OWN, "six>=1")
    six = wheel(tmp_path, "six", "1.17", {"six.py": "x", "six-1.17.data/scripts/six-it": "#!python\n"})
    assert examined(tmp_path, own, six) == ()
    assert not (tmp_path / f"tf-{VERSION}-{PYTHON}-cpu").exists()


def test_two_wheels_that_write_one_file_are_seen(tmp_path: Path) -> None:
    own = wheel(tmp_path, "tensorflow-cpu", VERSION, OWN)
    six, other = wheel(tmp_path, "six", "1.17", {"six.py": "x"}), wheel(tmp_path, "other", "1", {"six.py": "y"})
    found = examined(tmp_path, own, six, other)
    assert any(item.startswith("doctor: error install-corrupt") and "both have this file" in item for item in found)
    assert any(item.startswith("plan: ") for item in found)


def test_a_requirement_that_the_set_does_not_meet_is_seen(tmp_path: Path) -> None:
    found = examined(tmp_path, wheel(tmp_path, "tensorflow-cpu", VERSION, OWN, "six>=2"), wheel(tmp_path, "six", "1.17", {"six.py": ""}))
    assert [item.partition(":")[0] for item in found] == ["doctor", "plan"]
    assert all("six" in item for item in found)


def test_a_wheel_without_a_file_that_it_records_is_seen(tmp_path: Path) -> None:
    own = wheel(tmp_path, "tensorflow-cpu", VERSION, OWN)
    six = wheel(tmp_path, "six", "1.17", {"six.py": "x", "gone.py": "x"})
    path = tmp_path / "wheels" / six.filename
    with zipfile.ZipFile(path) as archive:
        kept = {item.filename: archive.read(item) for item in archive.infolist() if item.filename != "gone.py"}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    found = examined(tmp_path, own, six)
    assert any("gone.py" in item and "is not there" in item for item in found)
