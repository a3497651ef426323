"""Source distributions in a lock, with real uv and a real index: whose code is run, and whose is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.engines.builds import BuildError
from provisioner.errors import OperationError
from provisioner.lock.building import NeedsBuildError
from provisioner.lock.wheelless import lacking
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
        ("all of: pymongo[srv]==3.10.0 pymongo[tls,srv]==3.10.1 have no usable wheels", {"pymongo"}),
        ("only pymongo>=3.8, 3.10.1 has no usable wheels", set()),
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


def stating(index: Index, folder: Path, name: str, *needs: str) -> Path:
    """Put a source distribution on the index that says what it needs as setuptools writes it down, and would leave a mark if it were run."""
    mark = folder / f"{name}-was-run"
    text = SETUP.format(mark=str(mark), name=name, version="1.0", needs=list(needs))
    index.add_tree(name, "1.0", {"setup.py": text, f"{name}.egg-info/requires.txt": "\n".join(needs)})
    return mark


@pytest.mark.slow
def test_what_a_package_without_a_wheel_says_it_needs_is_part_of_the_one_question(team: Team, index: Index, tmp_path: Path) -> None:
    """gpt-neo's list: tpunicorn has no wheel, nor has ring, which it needs."""
    marks = [stating(index, tmp_path, name, *needs) for name, needs in {"one": ("two",), "two": ("three", "pytz"), "three": ()}.items()]
    team.requirements = ("one",)
    with pytest.raises(NeedsBuildError) as caught:
        team.lock()
    assert caught.value.names == ("one", "three", "two")
    assert not any(mark.exists() for mark in marks)


@pytest.mark.slow
def test_what_a_package_says_may_be_wrong(team: Team, index: Index, tmp_path: Path) -> None:
    """What it needs is for a build to tell: the question is put although what is written down does not go."""
    mark = stating(index, tmp_path, "one", "numpy>=99")
    team.requirements = ("one",)
    with pytest.raises(NeedsBuildError) as caught:
        team.lock()
    assert caught.value.names == ("one",)
    assert not mark.exists()


@pytest.mark.slow
def test_what_clashes_whatever_a_package_says_is_told_as_that(team: Team, index: Index, tmp_path: Path) -> None:
    stating(index, tmp_path, "one", "pytz>=99")
    team.requirements = ("one", "numpy>=99")
    with pytest.raises(OperationError, match="numpy>=99") as caught:
        team.lock()
    assert not isinstance(caught.value, NeedsBuildError)


@pytest.mark.slow
def test_the_line_to_paste_keeps_what_is_allowed_already(team: Team, index: Index, tmp_path: Path) -> None:
    source(index, tmp_path, "two")
    team.requirements = ("two",)
    team.settings["policy"] = Policy(built=("jieba",))
    with pytest.raises(NeedsBuildError) as caught:
        team.lock()
    assert "`policy: {source_builds: [jieba, two]}`" in caught.value.hint


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
    assert {"setuptools", "wheel"} <= {file.name for file in builders.lock().lock.targets[0].builders}
    assert not {"setuptools", "wheel"} & set(files)
    assert "--no-binary two" in builders.written()["requirements.linux.txt"].decode()


@pytest.mark.slow
def test_a_wheel_is_taken_where_there_is_one(builders: Team, index: Index, tmp_path: Path) -> None:
    mark = source(index, tmp_path, "two", "2.0")
    index.add("two", "2.0")
    builders.requirements = ("two",)
    builders.settings["policy"] = Policy(built=("two",))
    (file,) = [item for item in builders.lock().lock.targets[0].files if item.name == "two"]
    assert (file.source, mark.exists()) == (False, False)


@pytest.mark.slow
def test_of_a_package_whose_versions_all_clash_few_are_built(builders: Team, index: Index, tmp_path: Path) -> None:
    """kashgari's list: a hundred versions of bert4keras, each of which needs an old Keras."""
    versions = [f"0.{series}.{patch}" for series in range(9) for patch in range(2)]
    marks = {version: source(index, tmp_path / version, "two", version, needs=("pytz<2",)) for version in versions}
    index.add("pytz", "2.0")
    builders.requirements = ("two", "pytz>=2")
    builders.settings["policy"] = Policy(built=("two",))
    for version in versions:
        (tmp_path / version).mkdir()
    with pytest.raises(OperationError, match="pytz>=2"):
        builders.lock()
    assert [version for version, mark in marks.items() if mark.exists()] == ["0.4.1", "0.5.1", "0.6.1", "0.7.1", "0.8.1"]


@pytest.mark.slow
def test_an_older_version_that_goes_is_found_beside_others_that_are_built(builders: Team, index: Index, tmp_path: Path) -> None:
    """magenta's list: mir-eval 0.8 needs a newer SciPy, 0.7 does not; sonnet, which is built, too, has one series and goes as it is."""
    for version, needs in {"0.8.1": "pytz>=2", "0.8.2": "pytz>=2", "0.7": "pytz<2"}.items():
        source(index, tmp_path, "two", version, needs=(needs,))
    for version in ("0.1.5", "0.1.6"):
        source(index, tmp_path, "one", version, needs=("colours",))
    index.add("pytz", "2.0")
    builders.requirements = ("one", "two", "pytz<2")
    builders.settings["policy"] = Policy(built=("one", "two"))
    assert {name: version for name, version in builders.versions(builders.lock()).items() if name in {"one", "two"}} == {
        "one": "0.1.6",
        "two": "0.7",
    }


@pytest.mark.slow
def test_the_version_before_the_newest_is_found(builders: Team, index: Index, tmp_path: Path) -> None:
    """stardist's list: gputools 0.2.16 needs a newer reikna, 0.2.15 does not, and both are of one series."""
    for version, needs in {"0.2.16": "pytz>=2", "0.2.15": "pytz<2"}.items():
        text = SETUP.format(mark=str(tmp_path / version), name="two", version=version, needs=[needs])
        index.add_tree("two", version, {"setup.py": text, "two.egg-info/requires.txt": needs})
    index.add("pytz", "2.0")
    builders.requirements = ("two", "pytz<2")
    builders.settings["policy"] = Policy(built=("two",))
    assert builders.versions(builders.lock())["two"] == "0.2.15"


@pytest.mark.slow
def test_of_older_versions_only_one_that_says_it_goes_is_built(builders: Team, index: Index, tmp_path: Path) -> None:
    """magenta's list: nine series of gym need a newer NumPy, and say so without being built; 0.18 cannot be built, 0.17 can."""
    marks = {}
    index.add_tree("two", "0.1.0", {"setup.py": "raise SystemExit\n", "two.egg-info/requires.txt": "pytz<2"})
    for series in (0, *range(2, 9)):
        version, needs = f"0.{series}.0", "pytz<2" if not series else "pytz>=2"
        marks[version] = tmp_path / f"two-{version}"
        text = SETUP.format(mark=str(marks[version]), name="two", version=version, needs=[needs])
        index.add_tree("two", version, {"setup.py": text, "two.egg-info/requires.txt": needs})
    index.add("pytz", "2.0")
    builders.requirements = ("two", "pytz<2")
    builders.settings["policy"] = Policy(built=("two",))
    assert builders.versions(builders.lock())["two"] == "0.0.0"
    assert [version for version, mark in marks.items() if mark.exists()] == ["0.0.0", "0.8.0"]


@pytest.mark.slow
def test_source_is_not_asked_for_where_a_wheel_clashes_with_what_may_move(builders: Team, index: Index) -> None:
    """object-detection's list: apache-beam has wheels, whose limit on protobuf the set has room for."""
    index.add_source("beam", "1.0", "raise SystemExit\n")
    index.add("beam", "2.0", "colours<1")
    index.add("colours", "0.9")
    builders.requirements = ("beam",)
    versions = {file.name: (file.version, file.source) for file in builders.lock().lock.targets[0].files}
    assert versions["beam"] == ("2.0", False)
    assert versions["colours"] == ("0.9", False)


def test_a_source_distribution_of_the_set_is_not_run(team: Team, index: Index, tmp_path: Path) -> None:
    """What the set pins is in the set with all that it needs: no code is run to find that out."""
    mark = tmp_path / "termcolor-was-run"
    text = SETUP.format(mark=str(mark), name="termcolor", version="1.1.0", needs=[])
    team.files = (*team.files, index.add_source("termcolor", "1.1.0", text))
    files = {file.name: file for file in team.lock().lock.targets[0].files}
    assert files["termcolor"].source
    assert not mark.exists()


PROJECT = '[project]\nname = "three"\nversion = "1.0"\ndescription = "x"\ndependencies = ["pytz"]\n'
POETRY = '[tool.poetry]\nname = "three"\nversion = "1.0"\ndescription = "x"\nauthors = []\n[tool.poetry.dependencies]\npytz = "^1.0"\n'
HATCH = '[tool.hatch.build.targets.wheel]\nonly-include = ["three.py"]\n'
# The requirements of the build, its back end, the rest of pyproject.toml, and what that back end needs itself.
BACKENDS = {
    "hatchling": ("hatchling", "hatchling.build", PROJECT + HATCH, ("packaging", "pathspec", "pluggy", "trove-classifiers", "tomlkit")),
    "flit-core": ("flit_core<4", "flit_core.buildapi", PROJECT, ()),
    "poetry-core": ("poetry-core", "poetry.core.masonry.api", POETRY, ()),
    "pdm-backend": ("pdm-backend", "pdm.backend", PROJECT, ()),
    "setuptools": ("setuptools", "ours", PROJECT + '[tool.setuptools]\npy-modules = ["three"]\n', ("wheel", "packaging")),
}


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_whatever_builds_it_is_locked_by_hash(team: Team, index: Index, backend: str) -> None:
    requirement, module, rest, needed = BACKENDS[backend]
    for name in (requirement, *needed):
        index.mirror(name)
    path = 'backend-path = ["."]\n' if module == "ours" else ""
    pyproject = f'[build-system]\nrequires = ["{requirement}"]\nbuild-backend = "{module}"\n{path}{rest}'
    index.add_tree(
        "three", "1.0", {"pyproject.toml": pyproject, "three.py": '"""Three."""\n', "ours.py": "from setuptools.build_meta import *\n"}
    )
    team.requirements = ("three",)
    team.settings["policy"] = Policy(built=("three",))
    target = team.lock().lock.targets[0]
    files = {file.name: file for file in target.files}
    assert files["three"].source
    assert files["pytz"].via == ("three",)
    assert backend in {file.name for file in target.builders}
    assert all(len(file.sha256) == 64 for file in target.builders)


@pytest.mark.slow
def test_one_that_cannot_be_built_says_why(builders: Team, index: Index) -> None:
    index.add_source("two", "1.0", "import numpy_of_ours\n")
    builders.requirements = ("two",)
    builders.settings["policy"] = Policy(built=("two",))
    with pytest.raises(BuildError, match="No module named 'numpy_of_ours'") as caught:
        builders.lock()
    assert "its setup asks for numpy_of_ours, which it does not name among its build requirements" in caught.value.hint


@pytest.mark.slow
def test_a_setup_that_fetches_something_and_gets_no_answer(builders: Team, index: Index) -> None:
    """crepe's setup.py downloads its models."""
    index.add_source("two", "1.0", "from urllib.request import urlopen\nurlopen('http://127.0.0.1:9/model')\n")
    builders.requirements = ("two",)
    builders.settings["policy"] = Policy(built=("two",))
    with pytest.raises(BuildError) as caught:
        builders.lock()
    assert caught.value.hint.startswith(
        "its setup fetches something from the network, and got no answer here: lock where it does; or name another"
    )


@pytest.mark.slow
def test_what_no_installer_would_take_is_refused_before(builders: Team, index: Index) -> None:
    index.add_tree(
        "two",
        "1.0",
        {"pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "ours"\nbackend-path = ["."]\n', "ours.py": LOOSE},
    )
    builders.requirements = ("two",)
    builders.settings["policy"] = Policy(built=("two",))
    with pytest.raises(BuildError, match=r"`opencv-python>=3\.`, which today's installers refuse"):
        builders.lock()


# As gym 0.21.0: a version that ends with a point.
LOOSE = """
import os
def get_requires_for_build_wheel(config_settings=None):
    return []
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    os.mkdir(os.path.join(folder, "two-1.0.dist-info"))
    with open(os.path.join(folder, "two-1.0.dist-info", "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: two\\nVersion: 1.0\\nRequires-Dist: opencv-python>=3.\\n")
    return "two-1.0.dist-info"
"""
