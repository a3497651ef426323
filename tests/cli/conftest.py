"""The command line's fixtures: a small catalogue, made once, and the two ways to run the command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import Inside, Tool, base_environment, make_profiles, tiny_set


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels, profiles and the tool's cache of one session: facts about the Pythons here are gathered once."""
    root = tmp_path_factory.mktemp("shared")
    make_profiles(root / "profiles", tiny_set(root / "wheels"))
    (root / "cache").mkdir()
    return root


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def variables(shared: Path, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "own home").mkdir()
    return base_environment(tmp_path / "own home", shared / "cache")


@pytest.fixture
def tiny(shared: Path) -> dict[str, str]:
    """Variables that make the command choose from the tiny wheels."""
    return {"TFSETUP_PROFILES": str(shared / "profiles"), "UV_FIND_LINKS": str(shared / "wheels"), "UV_OFFLINE": "1"}


@pytest.fixture
def tool(work: Path, variables: dict[str, str]) -> Tool:
    return Tool(work, variables)


@pytest.fixture
def inside(work: Path, variables: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    """The command in this process; the working folder is ``work`` meanwhile."""
    for name in list(os.environ):
        if name not in variables and not name.startswith(("PYTEST", "COVERAGE", "COV_", "HYPOTHESIS")):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = Path.cwd()
    os.chdir(work)
    yield Inside(capsys, monkeypatch)
    os.chdir(before)
