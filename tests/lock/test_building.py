"""Source distributions in a lock, with real uv and a real index: whose code is run, and whose is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.lock.building import NeedsBuildError, lacking
from provisioner.model.policy import ANY, Policy
from tests.lock.conftest import Team
from tests.lock.index import Index

# A setup.py that leaves a mark when it is run, and needs another package.
SETUP = """
import pathlib
pathlib.Path({mark!r}).touch()
from setuptools import setup
setup(name={name!r}, version={version!r}, install_requires={needs!r}, py_modules=[])
"""


@pytest.fixture
def builders(team: Team, index: Index) -> Team:
    """A team whose index has what source distributions are built with: this machine's own, real."""
    for requirement in ("setuptools<82", "wheel", "packaging"):
        index.mirror(requirement)
    team.files = (*team.files, index.add("colours", "1.0"))
    return team


def source(index: Index, folder: Path, name: str, version: str = "1.0", needs: tuple[str, ...] = ()) -> Path:
    mark = folder / f"{name}-was-run"
    index.add_source(name, version, SETUP.format(mark=str(mark), name=name, version=version, needs=list(needs)))
    return mark


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Because all versions of jieba have no usable wheels and you require jieba", {"jieba"}),
        ("Because gym==0.21.0 has no usable wheels", {"gym"}),
        ("hint: Wheels are required for `Pendulum` because building from source is disabled", {"pendulum"}),
        ("Because tensorflow-cpu==2.9.0 has no wheels with a matching Python ABI tag", set()),
        ("Because numpy<2 and numpy>=2", set()),
    ],
)
def test_what_uv_says_of_packages_without_wheels(said: str, names: set[str]) -> None:
    assert lacking(said) == names


def test_what_nobody_allowed_is_named_all_at_once_and_not_run(team: Team, index: Index, tmp_path: Path) -> None:
    marks = [source(index, tmp_path, name) for name in ("one", "two")]
    team.requirements = ("pandas", "one", "two>=1")
    with pytest.raises(NeedsBuildError) as caught:
        team.lock()
    assert caught.value.names == ("one", "two")
    assert "`policy: {source_builds: [one, two]}`" in caught.value.hint
    assert not any(mark.exists() for mark in marks)


@pytest.mark.slow
@pytest.mark.parametrize("built", [("two",), (ANY,)])
def test_what_was_allowed_is_built_and_locked_by_hash(builders: Team, index: Index, tmp_path: Path, built: tuple[str, ...]) -> None:
    mark = source(index, tmp_path, "two", needs=("pytz",))
    builders.requirements = ("two",)
    builders.settings["policy"] = Policy(built=built)
    files = {file.name: file for file in builders.lock().lock.targets[0].files}
    assert mark.exists()
    assert (files["two"].source, files["two"].filename) == (True, "two-1.0.tar.gz")
    assert files["pytz"].via == ("two",)
    assert {"setuptools", "wheel"} <= set(files)
    assert "--no-binary two" in builders.written()["requirements.linux.txt"].decode()


@pytest.mark.slow
def test_a_wheel_is_taken_where_there_is_one(builders: Team, index: Index, tmp_path: Path) -> None:
    mark = source(index, tmp_path, "two", "2.0")
    index.add("two", "2.0")
    builders.requirements = ("two",)
    builders.settings["policy"] = Policy(built=("two",))
    (file,) = [item for item in builders.lock().lock.targets[0].files if item.name == "two"]
    assert (file.source, mark.exists()) == (False, False)


def test_a_source_distribution_of_the_set_is_not_run(team: Team, index: Index, tmp_path: Path) -> None:
    """What the set pins is in the set with all that it needs: no code is run to find that out."""
    mark = tmp_path / "termcolor-was-run"
    text = SETUP.format(mark=str(mark), name="termcolor", version="1.1.0", needs=[])
    team.files = (*team.files, index.add_source("termcolor", "1.1.0", text))
    files = {file.name: file for file in team.lock().lock.targets[0].files}
    assert files["termcolor"].source
    assert not mark.exists()
