"""The shapes of an environment, against what Python itself says of them."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from provisioner.environment.layout import POSIX, SHAPES, WINDOWS, is_site_packages, layout, version_of
from tests.support import PYTHON


@pytest.mark.parametrize(("platform", "shape"), [("linux", POSIX), ("darwin", POSIX), ("win32", WINDOWS), ("windows-x86_64", WINDOWS)])
def test_the_shape_of_each_system(platform: str, shape: object) -> None:
    assert layout(platform) is shape


@pytest.mark.parametrize(("shape", "scheme"), [(POSIX, "posix_prefix"), (WINDOWS, "nt")])
def test_python_itself_says_the_same(shape, scheme: str) -> None:
    root = {"base": "/e", "platbase": "/e", "installed_base": "/e", "installed_platbase": "/e"}
    paths = {name: path.replace("\\", "/") for name, path in sysconfig.get_paths(scheme, root).items()}
    assert paths["purelib"] == f"/e/{shape.site_packages(PYTHON)}"
    assert paths["scripts"] == f"/e/{shape.scripts}"


def test_an_environment_made_here(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    shape = layout(sys.platform)
    assert (tmp_path / shape.python).exists()
    assert (tmp_path / shape.activate).exists()
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.glob(shape.packages)] == [shape.site_packages(PYTHON)]
    assert all(shape.is_made(path.name) for path in (tmp_path / shape.scripts).iterdir())
    assert {path.name for path in tmp_path.iterdir()} - {shape.scripts, ".gitignore"} <= set(shape.made)


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/e/lib/python3.11/site-packages", "3.11"),
        ("/e/lib64/python3.9/site-packages", "3.9"),
        ("lib/python3.13t/site-packages", "3.13"),
        ("/e/Lib/site-packages", ""),
        ("/e/lib/python3.11", ""),
        ("/e/mylib/python3.11/site-packages", ""),
    ],
)
def test_the_python_of_a_folder_of_packages(path: str, version: str) -> None:
    assert version_of(path) == version


@pytest.mark.parametrize("shape", SHAPES)
def test_a_folder_of_packages_is_known_in_either_shape(shape) -> None:
    assert is_site_packages(shape.site_packages("3.11.7"))
    assert not is_site_packages(f"../{shape.site_packages('3.11')}")


@pytest.mark.parametrize(
    ("shape", "path", "own"),
    [
        (POSIX, "bin/python3.11", True),
        (POSIX, "bin/activate.fish", True),
        (POSIX, "pyvenv.cfg", True),
        (POSIX, "bin/pip", False),
        (POSIX, "lib/python3.11/site-packages/six.py", False),
        (WINDOWS, "python.exe", True),
        (WINDOWS, "Scripts/pythonw.exe", True),
        (WINDOWS, "Scripts/activate.bat", True),
        (WINDOWS, "Scripts/pip.exe", False),
    ],
)
def test_what_no_distribution_can_own(shape, path: str, own: bool) -> None:
    assert shape.makes_environment(path) is own
