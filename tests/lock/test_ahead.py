"""Targets that are resolved together ask an index once, where its answers hold; one that tells no such thing is asked by each."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from provisioner.host.local import LocalHost
from provisioner.lock.how import How
from provisioner.lock.resolve import UnmetError, lock_targets
from provisioner.model.team import Index as TeamIndex
from tests.lock.conftest import LINUX, MAC, WINDOWS, Team
from tests.lock.index import CUTOFF, Index
from tests.support import PYTHON


@pytest.fixture
def team(team: Team, index: Index) -> Team:
    """All packages come from an index of the team's, by name: it is asked under the very address whose answers are said to hold."""
    names = ("colorama", "numpy", "nowhere", "pandas", "pytz", "tensorflow-cpu")
    team.settings["indexes"] = (TeamIndex(url=index.url, name="own", packages=names),)
    team.requirements = ("pandas", "pytz")
    return team


def ask(team: Team, tmp_path: Path, *, built_in: str = "") -> Counter[str]:
    """Lock three targets; return how often the index was asked for each of its pages and files."""
    team.targets = (LINUX, MAC, WINDOWS)
    declared = team.declared()
    how = How(engine="uv", cutoff=CUTOFF, cutoffs={}, folder=str(tmp_path / "run"), cache="", built_in=built_in)
    locked = lock_targets(
        LocalHost(), declared.declaration, declared.inputs, team.sets(), catalogue=declared.catalogue, previous=None, how=how
    )
    assert [item.target.name for item in locked.lock.targets] == ["linux", "mac", "windows"]
    return Counter(team.index.seen)


def test_each_page_and_file_is_asked_for_once(team: Team, index: Index, tmp_path: Path) -> None:
    seen = ask(team, tmp_path, built_in=index.url)
    assert {path for path in seen if path.startswith("/simple/")} == {
        f"/simple/{name}/" for name in ("numpy", "pandas", "pytz", "tensorflow-cpu")
    }
    # Of a wheel uv asks for its length and then for its end.
    assert max(seen[path] for path in seen if path.startswith("/simple/")) == 1
    assert max(seen.values()) <= 2


def test_no_python_of_the_path_is_started_to_resolve_for_another(team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyenv's shims took half a second, each of them in each run: uv keeps no answer of theirs."""
    shims, asked = tmp_path / "shims", tmp_path / "asked"
    shims.mkdir()
    for name in ("python", "python3", f"python{PYTHON}"):
        (shims / name).write_text(f'#!/bin/sh\necho "$0" >> "{asked}"\nexec "{sys.executable}" "$@"\n')
        (shims / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{shims}:{os.environ['PATH']}")
    ask(team, tmp_path)
    assert not asked.exists(), asked.read_text()


def test_what_is_for_one_target_alone_is_asked_for_by_that_one(team: Team, index: Index, tmp_path: Path) -> None:
    index.add("colorama", "1.0")
    team.requirements = ("pandas", "pytz", "colorama; sys_platform == 'win32'")
    assert ask(team, tmp_path, built_in=index.url)["/simple/colorama/"] == 1


def test_of_another_index_each_target_asks_by_itself(team: Team, tmp_path: Path) -> None:
    assert ask(team, tmp_path)["/simple/numpy/"] >= 3


def test_the_others_do_not_wait_for_one_that_fails(team: Team, index: Index, tmp_path: Path) -> None:
    team.requirements = ("pandas", "pytz", "nowhere; sys_platform == 'linux'")
    with pytest.raises(UnmetError) as raised:
        ask(team, tmp_path, built_in=index.url)
    assert [chosen[0].name for chosen, _ in raised.value.failures] == ["linux"]


def test_a_team_with_the_cut_off_of_another_day_finds_what_came_since(team: Team, index: Index, tmp_path: Path) -> None:
    """What holds are the answers of the index as a whole; which files count is judged by each run."""
    index.add("pytz", "2.0", uploaded="2026-07-01T00:00:00Z")
    declared = team.declared()
    found = []
    for cutoff in (CUTOFF, "2026-08-01T00:00:00Z"):
        how = How(engine="uv", cutoff=cutoff, cutoffs={}, folder=str(tmp_path / cutoff[:10]), cache="", built_in=index.url)
        made = lock_targets(
            LocalHost(), declared.declaration, declared.inputs, team.sets(), catalogue=declared.catalogue, previous=None, how=how
        )
        found.append({file.name: file.version for file in made.lock.targets[0].files}["pytz"])
    assert found == ["1.0", "2.0"]
