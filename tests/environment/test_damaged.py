"""Reading environments that are broken, and refusing what is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.environment.damaged import read_broken, unowned
from provisioner.environment.read import read_site
from provisioner.errors import InputError
from provisioner.host.local import LocalHost
from tests.facts.fake_reader import FakeReader
from tests.support import PYTHON, SITE, distribution

HOST = LocalHost()


@pytest.fixture
def env(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(tmp_path / "env")], check=True)
    distribution(tmp_path / "env", "six-1.0", "six.py")
    return tmp_path / "env"


def test_a_healthy_one_is_read_as_ever(env: Path) -> None:
    assert read_broken(HOST, str(env)) == read_site(HOST, str(env))


def no_python(env: Path) -> None:
    (env / "bin" / "python").unlink()
    (env / "bin" / "python").symlink_to("/gone/python3")


def no_config(env: Path) -> None:
    (env / "pyvenv.cfg").unlink()


def wrong_config(env: Path) -> None:
    (env / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.4.1\n")


def junk_config(env: Path) -> None:
    (env / "pyvenv.cfg").write_bytes(b"\xff\x00 junk")


def config_is_a_folder(env: Path) -> None:
    (env / "pyvenv.cfg").unlink()
    (env / "pyvenv.cfg").mkdir()


@pytest.mark.parametrize("damage", [no_python, no_config, wrong_config, junk_config, config_is_a_folder])
def test_a_broken_one_still_says_what_is_installed(env: Path, damage) -> None:
    damage(env)
    site = read_broken(HOST, str(env))
    assert site.state.python_version.startswith(PYTHON)
    assert site.state.site_packages == SITE
    assert [item.name for item in site.distributions] == ["six"]


def test_one_without_packages_is_an_environment_all_the_same(env: Path) -> None:
    (env / "lib").rename(env / "elsewhere")
    site = read_broken(HOST, str(env))
    assert (site.state.kind, site.state.site_packages, site.distributions) == ("venv", "", ())
    assert unowned(HOST, site) == ()


def installation(root: Path) -> None:
    for path in ("bin/python3", "lib/python3.11/os.py"):
        (root / path).parent.mkdir(parents=True)
        (root / path).touch()


def frozen(root: Path) -> None:
    (root / "conda-meta").mkdir(parents=True)
    (root / "conda-meta" / "frozen").write_text("")


@pytest.mark.parametrize(
    ("make", "words", "hint"),
    [
        (lambda root: None, "there is no environment", "tfsetup apply"),
        (lambda root: root.write_text(""), "it is a file, not an environment", "--env"),
        (frozen, "it is never changed: it is frozen", "beside it"),
        (lambda root: (root / "data").mkdir(parents=True), "it is no environment", "tfsetup apply"),
        (installation, "not a virtual environment", "a Python installation itself is never changed"),
    ],
)
def test_what_is_none_is_refused_with_what_to_do_instead(tmp_path: Path, make, words: str, hint: str) -> None:
    make(tmp_path / "x")
    with pytest.raises(InputError) as caught:
        read_broken(HOST, str(tmp_path / "x"))
    assert words in caught.value.message
    assert hint in caught.value.hint


def test_the_systems_python_is_named_as_such(tmp_path: Path) -> None:
    """PEP 668: the marker lies beside the standard library."""
    library = tmp_path / "usr" / "lib" / f"python{PYTHON}"
    (library / "site-packages").mkdir(parents=True)
    (tmp_path / "usr" / "bin").mkdir()
    for name in ("lib/python3.11/EXTERNALLY-MANAGED", "lib/python3.11/os.py", "bin/activate"):
        (tmp_path / "usr" / name.replace("3.11", PYTHON)).write_text("")
    with pytest.raises(InputError) as caught:
        read_broken(HOST, str(tmp_path / "usr"))
    assert "PEP 668" in caught.value.hint


def test_modules_that_nobody_installed_are_known(env: Path) -> None:
    (env / SITE / "my_module.py").write_text("")
    # What pip had moved out of the way when it was killed; and a folder that a wheel held empty.
    (env / SITE / "~umpy").mkdir()
    (env / SITE / "~umpy" / "core.py").write_text("")
    (env / SITE / "empty").mkdir()
    assert unowned(HOST, read_broken(HOST, str(env))) == ("my_module.py",)


def test_on_windows_the_wheels_tell_the_python_where_the_config_is_gone() -> None:
    """Its one folder of packages has no version in its name, and what made it again could not keep what is there."""
    info = "C:/e/Lib/site-packages/numpy-1.23.5.dist-info"
    there = {
        "C:/e/Scripts/activate": "",
        "C:/e/Scripts/python.exe": "",
        f"{info}/RECORD": "",
        f"{info}/WHEEL": "Tag: cp310-cp310-win_amd64\r\n",
    }
    site = read_broken(FakeReader(there, platform="win32"), "C:/e")
    assert (site.state.python_version, [item.name for item in site.distributions]) == ("3.10", ["numpy"])
