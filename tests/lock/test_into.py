"""``lock --into``: what is locked, written for other tools' resolvers, and the real ones give the same set from it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

from provisioner.commands import lock_check
from provisioner.commands.lock_into import Edit
from provisioner.engines.uv import find_uv
from provisioner.errors import ConsentError, UsageError
from provisioner.host.local import LocalHost
from provisioner.lock.formats import constraints, uv_project
from provisioner.session import Session
from tests.lock.conftest import LINUX, MAC, Team
from tests.lock.index import Index
from tests.support import PYTHON

OWN = """\
# ours
[project]
name = "ours"
version = "1"
dependencies = ["tensorflow-cpu", "pandas"]  # both

[tool.uv]
constraint-dependencies = ["numpy>=1", "elsewhere==3"]
"""


def agreed(_: Edit) -> None:
    pass


def write(team: Team, text: str = OWN) -> Path:
    path = team.folder / "pyproject.toml"
    path.write_text(text)
    return path


def locked_by_uv(team: Team) -> dict[str, str]:
    argv = [find_uv(LocalHost()), "lock", "--quiet", "--project", str(team.folder), "--python", sys.executable]
    subprocess.run(argv, check=True, cwd=team.folder)
    data = tomllib.loads((team.folder / "uv.lock").read_text())
    return {item["name"]: item["version"] for item in data["package"] if item["name"] != "ours"}


def test_uv_locks_the_known_good_set(team: Team) -> None:
    """Without the limits uv would take NumPy 2.0 and pandas 3.0."""
    path = write(team)
    locked_as_it_was = locked_by_uv_from(team)
    done = team.lock(into=("uv",), agree=agreed)
    assert "pyproject.toml" in done.changed
    assert locked_by_uv(team) == team.versions(done) == {"numpy": "1.26", "pandas": "2.0", "pytz": "1.0", "tensorflow-cpu": "2.20.0"}
    assert locked_as_it_was["numpy"] == "2.0"
    there = team.folder / ".venv"
    subprocess.run([find_uv(LocalHost()), "sync", "--quiet", "--project", str(team.folder), "--python", sys.executable], check=True)
    names = sorted(item.name.removesuffix(".dist-info") for item in there.rglob("*.dist-info"))
    assert names == ["numpy-1.26", "pandas-2.0", "pytz-1.0", "tensorflow_cpu-2.20.0"]
    text = path.read_text()
    assert text.startswith("# ours\n[project]\n")
    assert 'dependencies = ["tensorflow-cpu", "pandas"]  # both' in text
    said = tomllib.loads(text)["tool"]["uv"]
    assert said["constraint-dependencies"][:2] == ["numpy>=1", "elsewhere==3"]
    assert "index" in said


def locked_by_uv_from(team: Team) -> dict[str, str]:
    """What uv makes of the project by itself, on the same index."""
    path = team.folder / "pyproject.toml"
    before = path.read_text()
    path.write_text(f'{before}\n[[tool.uv.index]]\nname = "all"\nurl = "{team.index.url}"\ndefault = true\n')
    try:
        return locked_by_uv(team)
    finally:
        path.write_text(before)
        (team.folder / "uv.lock").unlink()


def test_the_second_run_changes_nothing_and_an_upgrade_moves_the_limits(team: Team) -> None:
    path = write(team)
    team.lock(into=("uv", "constraints"), agree=agreed)
    before, text = path.read_bytes(), (team.folder / "constraints.txt").read_text()
    assert "numpy==1.26\n" in text
    again = team.lock(into=("uv",))
    assert (again.changed, path.read_bytes()) == ((), before)
    team.index.add("pytz", "2.0")
    moved = team.lock(upgrade=("pytz",), into=("uv",), agree=agreed)
    assert team.versions(moved)["pytz"] == "2.0"
    assert "pytz==1.0" not in path.read_text()
    assert "pytz==2.0\n" in (team.folder / "constraints.txt").read_text()
    assert team.lock(into=("uv",)).changed == ()


def test_check_names_a_project_that_does_not_hold_the_lock(team: Team) -> None:
    path = write(team)
    team.lock(into=("uv",), agree=agreed)
    session = Session(LocalHost())
    assert lock_check.check_declared(session, team.declared()).differences == ()
    path.write_text(path.read_text().replace("numpy==1.26", "numpy==2.0"))
    (found,) = lock_check.check_declared(session, team.declared()).differences
    assert (found.kind, found.name) == ("file", "pyproject.toml")
    assert "lock --into uv" in found.why


def test_nothing_is_written_where_nobody_agrees(team: Team) -> None:
    path = write(team)
    with pytest.raises(ConsentError):
        team.lock(into=("uv",))
    assert path.read_text() == OWN
    assert sorted(item.name for item in team.folder.iterdir()) == ["pyproject.toml"]


def test_without_a_project_there_is_nothing_to_write_into(team: Team) -> None:
    with pytest.raises(UsageError, match="no such file"):
        team.lock(into=("uv",), agree=agreed)


def test_a_project_that_asks_for_no_tensorflow_is_told(team: Team) -> None:
    write(team, '[project]\nname = "ours"\nversion = "1"\ndependencies = ["pandas"]\n')
    done = team.lock(into=("uv",), agree=agreed)
    assert [text for text in done.warnings if "uv add 'tensorflow==2.20.0'" in text]


def test_pip_takes_the_limits(team: Team, tmp_path: Path) -> None:
    team.lock(into=("constraints",))
    argv = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--index-url", team.index.url]
    argv += ["--target", str(tmp_path / "there"), "--constraint", str(team.folder / "constraints.txt"), "pandas"]
    subprocess.run(argv, check=True)
    assert {path.name for path in (tmp_path / "there").glob("*.dist-info")} == {
        "pandas-2.0.dist-info",
        "numpy-1.26.dist-info",
        "pytz-1.0.dist-info",
    }


def test_targets_that_differ_get_markers(team: Team, index: Index) -> None:
    index.add("tensorflow", "2.20.0", "numpy")
    team.targets = (LINUX, MAC)
    done = team.lock()
    linux, mac = done.lock.targets
    newer = tuple(dataclasses.replace(file, version="3.0") if file.name == "pandas" else file for file in mac.files)
    found = constraints.limits((linux, dataclasses.replace(mac, files=newer)))
    system = f"sys_platform == 'linux' and platform_machine == 'x86_64' and python_version == '{PYTHON}'"
    assert f"pandas==2.0 ; {system}" in found
    assert "numpy==1.26" in found
    assert {"tensorflow==2.20.0", "tensorflow-cpu==2.20.0"} <= set(found)
    with pytest.raises(UsageError, match="in another target"):
        constraints.limits((linux, dataclasses.replace(linux, files=newer)))


def test_source_distributions_tell_uv_what_they_need(team: Team) -> None:
    done = team.lock()
    (linux,) = done.lock.targets
    files = tuple(dataclasses.replace(file, source=file.name == "pandas") for file in linux.files)
    lock = dataclasses.replace(done.lock, targets=(dataclasses.replace(linux, files=files),))
    text = uv_project.edited(OWN, lock, None, file="pyproject.toml")
    (said,) = tomllib.loads(text)["tool"]["uv"]["dependency-metadata"]
    assert said == {"name": "pandas", "version": "2.0", "requires-dist": ["numpy", "pytz"]}
    assert uv_project.edited(text, lock, lock, file="pyproject.toml") == text
