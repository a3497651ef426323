"""An entry of PATH that means the working folder: nothing is started out of a repository because one happens to stand in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import Tool
from tests.hostile.conftest import Plant

PROGRAMS = ("conda", "mamba", "micromamba", "pixi", "git", "uv", "uname", "nvidia-smi", "python", "python3", "python3.11", "ptxas")
ENTRIES = ("", ".", "bin", "./bin", "~/bin")
COMMANDS = (("detect",), ("plan", "--env", "env"), ("doctor",))


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_entry_of_path_means_the_working_folder(
    tool: Tool, work: Path, tiny: dict[str, str], plant: Plant, mark: Path, command: tuple[str, ...]
) -> None:
    for folder in ("", "bin", "~/bin"):
        for name in PROGRAMS:
            plant(work / folder / name)
    # The planted one comes first, and last, where a system has none of that name.
    path = ":".join([*ENTRIES, tool.env["PATH"], *ENTRIES, ""])
    tool(*command, **tiny, PATH=path, CONDA_EXE="./conda", MAMBA_EXE="./mamba", PYENV_ROOT="bin", TFSETUP_CACHE_DIR=str(work / "cache"))
    assert not mark.exists(), mark.read_text()
