"""``tfsetup lock`` writes into the project alone, and git reads it without the programs that the repository's configuration names."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.support import Tool
from tests.hostile.conftest import Plant
from tests.support import PYTHON, snapshot

DECLARATION = """\
tensorflow: "2.20"
pythons: ["{python}"]
targets: [{{name: ci, platform: linux-x86_64, device: cpu}}]
formats: [requirements]
folder: {folder}
"""


@pytest.fixture
def outside(work: Path) -> Path:
    folder = work.parent / "outside"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"write": ["precious"], "remove": []}')
    (folder / "precious").write_text("mine")
    return folder


@pytest.mark.parametrize("folder", ["../outside", "locks/../../outside", "link", "deep/link/below", ".."])
def test_a_folder_that_leads_out_of_the_project_is_refused(
    tool: Tool, tiny: dict[str, str], work: Path, outside: Path, folder: str
) -> None:
    (work / "deep").mkdir()
    for link in (work / "link", work / "deep" / "link"):
        link.symlink_to(outside)
    (work / "tfsetup.yaml").write_text(DECLARATION.format(python=PYTHON, folder=folder))
    before = snapshot(outside)
    for command in (("lock",), ("lock", "--check"), ("lock", "--diff"), ("apply", "--locked", "--yes")):
        ended = tool(*command, **tiny)
        assert ended.code == 2, ended.err
        assert "tfsetup.yaml" in ended.err
        assert folder in ended.err
    assert snapshot(outside) == before


@pytest.mark.parametrize("name", [".tfsetup-lock-pending", ".tfsetup-lock-new"])
def test_a_link_in_the_place_of_a_pending_change_is_named_and_left_alone(
    tool: Tool, tiny: dict[str, str], work: Path, outside: Path, name: str
) -> None:
    (work / "tfsetup.yaml").write_text(DECLARATION.format(python=PYTHON, folder="."))
    (work / name).symlink_to(outside)
    before = snapshot(outside)
    ended = tool("lock", **tiny)
    assert (ended.code, name in ended.err) == (2, True), ended.err
    assert snapshot(outside) == before


def test_git_fetches_nothing_by_a_program_that_the_repository_s_configuration_names(
    tool: Tool, tiny: dict[str, str], work: Path, plant: Plant, mark: Path
) -> None:
    def git(*args: str) -> str:
        argv = ["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", *args]
        return subprocess.run(argv, cwd=work, check=True, capture_output=True, text=True).stdout.strip()

    (work / "tfsetup.yaml").write_text(DECLARATION.format(python=PYTHON, folder="."))
    assert tool("lock", **tiny).code == 0
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    blob = git("rev-parse", "HEAD:tfsetup.lock.json")
    settings = {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "evil",
        "remote.evil.url": f"ext::{plant(work.parent / 'evil')}",
        "remote.evil.promisor": "true",
        "protocol.ext.allow": "always",
    }
    for key, value in settings.items():
        git("config", key, value)
    (work / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    tool("lock", "--diff", **tiny)
    assert not mark.exists()
