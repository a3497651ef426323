"""Commands for an environment that a project's tool keeps."""

from __future__ import annotations

import pytest

from provisioner.model.keeper import Keeper, KeepingTool
from provisioner.remedies.kept import holds, installs

LOCKED = {"numpy": ("1.26.4", "2.1.0"), "project": ()}


def keeper(program: KeepingTool = "uv", project: str = "/p") -> Keeper:
    return Keeper(program=program, project=project, lock=f"{project}/lock", locked=LOCKED)


@pytest.mark.parametrize(
    ("requirement", "there"),
    [
        ("numpy", True),
        ("NumPy<2", True),
        ("numpy>=1.23.5,<2", True),
        ("numpy==1.26.4", True),
        ("numpy==1.26.5", False),
        ("numpy>3", False),
        ("keras", False),
        ("project", False),
        ("numpy[extra]", False),
        ("numpy; python_version < '3'", False),
        ("numpy<two", False),
    ],
)
def test_what_the_lock_has(requirement: str, there: bool) -> None:
    assert holds(keeper(), requirement) is there


@pytest.mark.parametrize(
    ("program", "synced", "added"),
    [
        ("uv", "uv sync --project /p", 'uv add --project /p "numpy>3" keras'),
        ("poetry", "poetry install --directory /p", 'poetry add --directory /p "numpy>3" keras'),
        ("pdm", "pdm sync --project /p", 'pdm add --project /p "numpy>3" keras'),
        ("pipenv", "cd /p && pipenv sync", 'cd /p && pipenv install "numpy>3" keras'),
    ],
)
def test_from_the_lock_where_it_has_them_else_into_the_project(program: KeepingTool, synced: str, added: str) -> None:
    assert installs(keeper(program), ("numpy<2",), windows=False) == synced
    assert installs(keeper(program), ("numpy>3", "keras"), windows=False) == added
    assert installs(keeper(program), ("numpy<2", "keras"), windows=False).endswith('"numpy<2" keras')


def test_folders_are_quoted() -> None:
    assert installs(keeper(project="/my p"), ("numpy",), windows=False) == "uv sync --project '/my p'"
    assert installs(keeper(project="C:/my p"), ("numpy",), windows=True) == 'uv sync --project "C:/my p"'
