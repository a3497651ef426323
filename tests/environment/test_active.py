"""Which environment is meant: one rule for every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.environment import active
from provisioner.environment.active import meant, never_changed, own
from provisioner.errors import InputError
from provisioner.host.local import LocalHost
from tests.facts.fake_reader import FakeReader


class Shell(LocalHost):
    """The machine, as a shell with other variables and another working folder sees it."""

    def __init__(self, cwd: Path, python: str = "/usr/bin/python3", **env: str) -> None:
        self._cwd, self._python, self._env = str(cwd), python, env

    cwd = property(lambda self: self._cwd)
    python = property(lambda self: self._python)
    env = property(lambda self: self._env)


def venv(root: Path) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (root / "bin" / "python").symlink_to("/usr/bin/env")
    return root


def conda(root: Path, *, base: bool = False) -> Path:
    (root / "conda-meta").mkdir(parents=True)
    if base:
        (root / "condabin").mkdir()
        (root / "pkgs").mkdir()
    return root


@pytest.mark.parametrize("origin", ["option", "variable TFSETUP_ENV"])
def test_what_a_person_says_comes_first(tmp_path: Path, origin: str) -> None:
    shell = Shell(tmp_path, VIRTUAL_ENV=str(venv(tmp_path / "active")))
    assert meant(shell, "/said", origin) == ("/said", origin)


@pytest.mark.parametrize("origin", ["default", "file tfsetup.yaml"])
def test_the_active_one_comes_before_the_file_and_the_default(tmp_path: Path, origin: str) -> None:
    venv(tmp_path / "active")
    conda(tmp_path / "conda")
    both = Shell(tmp_path, VIRTUAL_ENV="active", CONDA_PREFIX=str(tmp_path / "conda"))
    assert meant(both, "/said", origin) == (str(tmp_path / "active"), "the active environment (VIRTUAL_ENV)")
    assert meant(Shell(tmp_path, CONDA_PREFIX=str(tmp_path / "conda")), "/said", origin)[0] == str(tmp_path / "conda")
    assert meant(Shell(tmp_path, VIRTUAL_ENV=str(tmp_path / "gone")), "/said", origin) == ("/said", origin)


def test_condas_own_which_is_active_all_the_time_is_not_meant(tmp_path: Path) -> None:
    base = conda(tmp_path / "miniforge3", base=True)
    assert meant(Shell(tmp_path, CONDA_PREFIX=str(base)), "/said", "default") == ("/said", "default")


def test_the_environment_that_runs_tfsetup_is_neither_meant_nor_changed(tmp_path: Path) -> None:
    mine = venv(tmp_path / "own")
    shell = Shell(tmp_path, python=str(mine / "bin" / "python"), VIRTUAL_ENV=str(mine), PATH=f"{mine}/bin:/usr/bin")
    assert meant(shell, "/said", "default") == ("/said", "default")
    with pytest.raises(InputError, match="tfsetup itself runs in"):
        active.refuse_own(shell, str(mine))
    link = tmp_path / "link"
    link.symlink_to(mine)
    with pytest.raises(InputError, match="tfsetup itself runs in"):
        active.refuse_own(shell, str(link))
    active.refuse_own(shell, str(tmp_path / "another"))
    # The first Python on PATH that is not tfsetup's.
    assert not active.choose(shell).python.startswith(str(mine))


def test_doctor_takes_the_same_one(tmp_path: Path) -> None:
    there = venv(tmp_path / "active")
    assert active.choose(Shell(tmp_path, VIRTUAL_ENV=str(there))).env == str(there)
    own = venv(tmp_path / "tf-env")
    assert active.choose(Shell(tmp_path)).env == str(own)


def test_on_windows_condas_python_lies_in_its_environment() -> None:
    files = {"C:/ana/envs/tool/conda-meta/history": "", "C:/ana/envs/tool/python.exe": ""}
    assert own(FakeReader(files, platform="win32", python="C:/ana/envs/tool/python.exe")) == "C:/ana/envs/tool"
    inside = {"C:/tool/pyvenv.cfg": "", "C:/tool/Scripts/python.exe": ""}
    assert own(FakeReader(inside, platform="win32", python="C:/tool/Scripts/python.exe")) == "C:/tool"


def test_what_no_command_changes_is_told_once_for_all(tmp_path: Path) -> None:
    shell = Shell(tmp_path, python=str(venv(tmp_path / "ours") / "bin" / "python"))
    assert never_changed(shell, "") == "a Python installation itself is never changed"
    assert never_changed(shell, str(tmp_path / "ours")) == "tfsetup itself runs in it"
    assert never_changed(shell, str(conda(tmp_path / "miniforge3", base=True))) == "it is conda's own environment (base)"
    assert never_changed(shell, str(conda(tmp_path / "conda"))) == ""
    assert never_changed(shell, str(venv(tmp_path / "env"))) == ""
    assert never_changed(shell, str(tmp_path / "absent")) == ""


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("C:/w/env/Scripts", "it is the folder of an environment's programs"),
        ("C:/w/env/Scripts/python.exe", "it is a file, not an environment"),
        ("C:/w/env/Lib", "it is no environment"),
    ],
)
def test_what_lies_in_an_environment_is_none_and_that_one_is_named(named: str, why: str) -> None:
    """On Windows the folder of programs has a Python in it, as conda's environments have."""
    files = {"C:/w/env/pyvenv.cfg": "", "C:/w/env/Scripts/python.exe": "", "C:/w/env/Lib/site-packages/x.py": ""}
    with pytest.raises(InputError, match=why) as refused:
        active.existing(FakeReader(files, platform="win32"), named)
    assert refused.value.hint == "it lies in the environment C:/w/env: name that with --env"


def test_what_is_not_there_is_made_where_it_was_named() -> None:
    with pytest.raises(InputError, match="there is no environment") as refused:
        active.existing(FakeReader({}, platform="win32"), "C:/my env")
    assert "`tfsetup apply --env 'C:/my env'`" in refused.value.hint
