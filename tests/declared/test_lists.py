"""What a project's own lists ask for: each tool's words, turned once, and nothing of the project run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.declared.declaration import read_declaration
from provisioner.declared.environment_file import Entry, EnvironmentFile
from provisioner.declared.lists import Lists, read_lists
from provisioner.host.local import LocalHost

POETRY = """
[tool.poetry.dependencies]
python = ">=3.9,<3.12"
tensorflow = "~2.15"
numpy = "^1.23.5"
click = "^0.4.2"
rich = {version = "*", extras = ["jupyter"], markers = "sys_platform == 'linux'"}
ours = {path = "../ours"}
docs = {version = "1.0", optional = true}
"""
PIPFILE = """
[packages]
pandas = "*"
tensorflow = {version = ">=2.17", extras = ["and-cuda"]}
flask = "==2.0.2"
ours = {git = "https://example.com/ours.git"}

[requires]
python_version = "3.10"
"""
SETUP_CFG = """
[options]
python_requires = >=3.8
install_requires =
    tensorflow>=2.4 # the oldest that was tried
    jieba
"""
SETUP_PY = """
import setuptools
NEEDS = ["tensorflow>=2.4", "attrs"]
setuptools.setup(name="x", version="1", python_requires=">=3.8", install_requires=NEEDS + ["jieba"])
raise SystemExit("it was run")
"""
CONDA = """
name: work
channels: [conda-forge]
dependencies:
  - python=3.9
  - conda-forge::tensorflow=2.10
  - scipy
  - pip
  - pip:
    - gym==0.21.0
    - -e .
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, Lists()),
        (
            {"requirements.txt": "tensorflow==2.9\nnumpy<2\n"},
            Lists(read=("requirements.txt",), files=("requirements.txt",), tensorflow="==2.9"),
        ),
        (
            {"pyproject.toml": POETRY},
            Lists(
                read=("pyproject.toml",),
                requirements=(
                    "tensorflow<2.16,>=2.15",
                    "numpy<2,>=1.23.5",
                    "click<0.5,>=0.4.2",
                    'rich[jupyter]; sys_platform == "linux"',
                    "../ours",
                ),
                python=">=3.9,<3.12",
                tensorflow="<2.16,>=2.15",
            ),
        ),
        (
            {"Pipfile": PIPFILE},
            Lists(
                read=("Pipfile",),
                requirements=("pandas", "tensorflow[and-cuda]>=2.17", "flask==2.0.2", "ours @ git+https://example.com/ours.git"),
                python="==3.10.*",
                tensorflow=">=2.17",
            ),
        ),
        (
            {"setup.cfg": SETUP_CFG},
            Lists(read=("setup.cfg",), requirements=("tensorflow>=2.4", "jieba"), python=">=3.8", tensorflow=">=2.4"),
        ),
        (
            {"environment.yml": CONDA},
            Lists(
                read=("environment.yml",),
                requirements=("tensorflow==2.10.*", "gym==0.21.0", "-e ."),
                python="==3.9.*",
                tensorflow="==2.10.*",
                environment=EnvironmentFile(
                    name="environment.yml",
                    python="==3.9.*",
                    tensorflow=("tensorflow==2.10.*",),
                    entries=(Entry(name="scipy", text="scipy"), Entry(name="pip", text="pip")),
                    channels=("conda-forge",),
                    pip=("gym==0.21.0", "-e ."),
                ),
            ),
        ),
        (
            {"pyproject.toml": '[project]\nname = "x"\nrequires-python = ">=3.10"\ndependencies = ["numpy"]\n'},
            Lists(read=("pyproject.toml",), project=True, python=">=3.10"),
        ),
        ({"pyproject.toml": "[tool.ruff]\n", "setup.cfg": "[flake8]\nmax-line-length = 100\n"}, Lists()),
        (
            {"Pipfile": f"[packages]\n{'a.' * 501}b = 1\n"},
            Lists(read=("Pipfile",), left_out=("Pipfile:2: a key of more than 500 parts",)),
        ),
        (
            {"setup.cfg": f"[options]\ninstall_requires = {'a' * 17_000}\n"},
            Lists(
                read=("setup.cfg",),
                left_out=(f"setup.cfg: `{'a' * 17_000}` is longer, deeper, or has more digits than any requirement",),
            ),
        ),
        (
            {"setup.py": SETUP_PY},
            Lists(read=("setup.py",), requirements=("tensorflow>=2.4", "attrs", "jieba"), python=">=3.8", tensorflow=">=2.4"),
        ),
        (
            {"setup.py": "from setuptools import setup\nsetup(name='x', install_requires=open('r.txt').read().split())\n"},
            Lists(
                read=("setup.py",),
                left_out=("setup.py: computes what it depends on, and is not run: say it in `[project]`, or under `requirements`",),
            ),
        ),
        ({"Pipfile": "[packages\n"}, Lists(read=("Pipfile",), left_out=("Pipfile:1:10: Expected ']' at the end of a table declaration",))),
    ],
)
def test_each_tools_words(tmp_path: Path, files: dict[str, str], expected: Lists) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert read_lists(LocalHost(), str(tmp_path)) == expected


def init(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``tfsetup init`` for a project, without the network."""
    command = [sys.executable, "-m", "provisioner", "init", "--project", str(folder), "--env", str(folder / "env"), "--yes", "--offline"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "tensorflow", "python"),
    [
        ({"requirements.txt": "tensorflow==2.9\nnumpy<2\n"}, "==2.9", "3.10"),
        ({"pyproject.toml": POETRY}, "<2.16,>=2.15", "3.11"),
        ({"Pipfile": PIPFILE}, ">=2.17", "3.10"),
        ({"environment.yml": CONDA}, "==2.10.*", "3.9"),
    ],
)
def test_init_declares_what_the_lists_say(tmp_path: Path, files: dict[str, str], tensorflow: str, python: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = init(tmp_path)
    assert done.returncode == 0, done.stderr
    declared = read_declaration(LocalHost(), str(tmp_path))
    assert (declared.tensorflow, declared.targets[0].python) == (tensorflow, python)
    if "requirements.txt" in files:
        assert declared.files == ("requirements.txt",)
    else:
        assert declared.requirements


@pytest.mark.slow
def test_lists_that_nothing_goes_with_are_said(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tensorflow==1.5\n")
    done = init(tmp_path)
    assert done.returncode == 12
    assert "requirements.txt" in done.stderr
    assert "==1.5" in done.stderr
    assert "`tensorflow==1.15.0`" in done.stderr


def test_only_what_holds_on_the_platform_counts_for_the_release(tmp_path: Path) -> None:
    """rasa's list: one TensorFlow for Apple's processors, another one for all else."""
    (tmp_path / "requirements.txt").write_text(
        "tensorflow>=2.8.4,<2.9; sys_platform != 'darwin' or platform_machine != 'arm64'\n"
        "tensorflow-macos==2.8.0; sys_platform == 'darwin' and platform_machine == 'arm64'\n"
        "tensorflow<2.20; python_version >= '3.11'\n"
    )
    assert read_lists(LocalHost(), str(tmp_path), "linux-x86_64").tensorflow == "<2.9,>=2.8.4,<2.20"
    assert read_lists(LocalHost(), str(tmp_path), "macos-aarch64").tensorflow == "==2.8.0,<2.20"
