"""A Python installation itself, and what in it is the operating system's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from provisioner.environment.distributions import Installed, described
from provisioner.environment.installation import installation_of, is_installation, is_managed, is_virtual, of_the_system
from provisioner.environment.metadata import parse_metadata
from provisioner.host.local import LocalHost
from tests.facts.fake_reader import FakeReader

HOST = LocalHost()


def files(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def item(metadata: str) -> Installed:
    return described(metadata, parse_metadata("Name: x\nVersion: 1\n"))


@pytest.mark.parametrize(
    ("paths", "installation", "virtual"),
    [
        (["bin/python3", "lib/python3.11/os.py"], True, False),
        (["bin/python", "pyvenv.cfg", "lib/python3.11/site-packages/x.py"], False, True),
        (["bin/python", "bin/activate", "lib/python3.11/site-packages/x.py"], False, True),
        (["bin/python", "lib/python3.11/site-packages/x.py"], False, False),
        (["bin/python", "bin/activate", "lib/python3.11/os.py", "lib/python3.11/site-packages/x.py"], True, False),
        (["bin/python", "conda-meta/history", "lib/python3.11/os.py"], False, False),
        (["notes.txt"], False, False),
    ],
)
def test_it_has_a_standard_library_of_its_own(tmp_path: Path, paths: list[str], installation: bool, virtual: bool) -> None:
    root = str(files(tmp_path, *paths))
    assert (is_installation(HOST, root), is_virtual(HOST, root)) == (installation, virtual)


@pytest.mark.parametrize(
    ("paths", "installation"),
    [
        (["python.exe", "Lib/os.py", "Lib/site-packages/x.py"], True),
        (["python.exe", "python311.zip", "python311._pth", "Lib/site-packages/x.py"], True),
        (["python.exe", "Lib/os.pyc"], True),
        (["Scripts/python.exe", "Scripts/activate", "Lib/site-packages/x.py"], False),
        (["python.exe", "conda-meta/history", "Lib/os.py"], False),
    ],
    ids=["installer", "embeddable package", "compiled", "environment", "conda"],
)
def test_it_is_one_on_windows(paths: list[str], installation: bool) -> None:
    assert is_installation(FakeReader({f"C:/p/{path}": "" for path in paths}, platform="win32"), "C:/p") is installation


def test_the_one_that_runs_the_tests_is_one() -> None:
    base = os.path.realpath(sys.base_prefix)
    assert is_installation(HOST, base)
    assert installation_of(HOST, os.path.realpath(sys.executable)) == base
    assert installation_of(HOST, "/nowhere/bin/python") == ""


def test_what_the_system_manages_says_so_by_a_file(tmp_path: Path) -> None:
    root = files(tmp_path, "lib/python3.12/os.py")
    assert not is_managed(HOST, str(root))
    files(root, "lib/python3.12/EXTERNALLY-MANAGED")
    assert is_managed(HOST, str(root))


@pytest.mark.parametrize(
    ("metadata", "systems"),
    [
        ("/usr/lib/python3/dist-packages/numpy-1.24.2.egg-info", True),
        ("/usr/lib/python3.12/site-packages/numpy-1.26.4.dist-info", True),
        ("/usr/lib64/python3.12/site-packages/numpy-1.26.4.dist-info", True),
        ("/usr/local/lib/python3.11/dist-packages/numpy-1.26.4.dist-info", False),
        ("/home/ada/env/lib/python3.11/site-packages/numpy-1.26.4.dist-info", False),
    ],
)
def test_the_systems_own_packages_are_told_by_their_place(metadata: str, systems: bool) -> None:
    assert of_the_system(HOST, item(metadata)) is systems
