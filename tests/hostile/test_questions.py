"""At a terminal: what an honest file names is asked about once; a program inside the repository by itself; no is no."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import VERSION, Tool, make_profiles
from tests.cli.terminal import answering
from tests.hostile.conftest import Plant
from tests.hostile.test_addresses import declare
from tests.lock.index import CUTOFF, Index
from tests.support import PYTHON

pytestmark = pytest.mark.slow


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    found = Index(tmp_path / "index")
    yield found
    found.close()


def at_terminal(tool: Tool, *args: str, answers: list[str], **env: str) -> tuple[int, str, int]:
    """Return the code, what it said, and how often it asked."""
    ended, asked = answering(tool, [f"{answer}\n".encode() for answer in answers], *args, **env)
    return ended.code, ended.err, asked


def test_an_honest_project_asks_one_question_more(tool: Tool, work: Path, tmp_path: Path, index: Index) -> None:
    files = (index.add("numpy", "1.26"), index.add("tensorflow-cpu", VERSION, "numpy"))
    index.add("pandas", "2.0", "numpy")
    given = {"TFSETUP_PROFILES": str(make_profiles(tmp_path / "profiles", files))}
    declare(work, f"indexes: [{{url: '{index.url}'}}]\nfolder: locks\nenv: ./env")
    code, said, asked = at_terminal(tool, "lock", "--cutoff", CUTOFF[:10], answers=["n"], **given)
    assert (code, asked, index.seen) == (15, 1, []), said
    code, said, asked = at_terminal(tool, "lock", "--cutoff", CUTOFF[:10], answers=["y"], **given)
    assert (code, asked) == (0, 1), said
    assert "Ask what only tfsetup.yaml names? [y/N]" in said
    code, said, asked = at_terminal(tool, "apply", "--locked", answers=["y", "n"], **given)
    assert (code, asked) == (15, 2), said
    code, said, asked = at_terminal(tool, "apply", "--locked", answers=["n"], **given)
    assert (code, asked) == (15, 1), said


def test_a_program_inside_the_repository_is_asked_about_by_itself(
    tool: Tool, tiny: dict[str, str], work: Path, plant: Plant, mark: Path
) -> None:
    plant(work / "bin" / f"python{PYTHON}")
    (work / "tfsetup.yaml").write_text(f"python: bin/python{PYTHON}\n")
    code, said, asked = at_terminal(tool, "apply", answers=["n"], **tiny)
    assert (code, asked, mark.exists()) == (15, 1, False), said
    assert "lies in the folder of the file itself" in said
    code, said, asked = at_terminal(tool, "plan", answers=["y"], **tiny)
    assert (code, asked, mark.exists()) == (15, 0, False), said
    code, said, asked = at_terminal(tool, "apply", answers=["y", "n"], **tiny)
    assert (code, asked, mark.exists()) == (15, 2, True), said
