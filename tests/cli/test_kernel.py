"""``tfsetup kernel`` as a process: what it shows, what it refuses, and what is left where the proof fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import Tool
from tests.support import make_wheel


@pytest.fixture
def offered(shared: Path, tiny: dict[str, str]) -> dict[str, str]:
    """Variables with an ipykernel that can be installed."""
    make_wheel(shared / "wheels", "ipykernel", "7.0", {"ipykernel_launcher.py": ""})
    return tiny


def spec(tool: Tool) -> Path:
    return Path(tool.env["HOME"]) / ".local/share/jupyter/kernels/tf-env/kernel.json"


def test_what_would_be_done(tool: Tool, offered) -> None:
    ended = tool("kernel", "--dry-run", **offered)
    assert ended.code == 0, ended.err
    words = " ".join(ended.out.split())
    assert "ipykernel 7.0" in words
    assert f"{spec(tool)}: the notebook kernel `tf-env` of this user" in words
    assert "what ipykernel adds was not part of that" in words
    assert not spec(tool).exists()


def test_a_proof_that_fails_leaves_no_kernel(tool: Tool, offered) -> None:
    ended = tool("kernel", "--yes", **offered)
    assert ended.code == 14, ended.err
    assert not spec(tool).exists()
    assert not (Path(tool.env["HOME"]) / ".local").exists()


def test_names_that_cannot_be_are_refused(tool: Tool, offered) -> None:
    assert tool("kernel", "--yes", "--name", "a b", **offered).code == 2
    spec(tool).parent.mkdir(parents=True)
    spec(tool).write_text('{"argv": ["/other/bin/python"]}')
    ended = tool("kernel", "--yes", **offered)
    assert ended.code == 2
    assert "/other/bin/python" in ended.err
    assert "--name" in ended.err


def test_a_file_that_is_no_notebook(tool: Tool, work: Path) -> None:
    (work / "x.ipynb").write_text("{}")
    ended = tool("doctor", "x.ipynb", "--env", "nowhere")
    assert ended.code == 2
    assert "x.ipynb: is no notebook" in ended.err
    assert "hint: name a notebook that is there" in tool("doctor", "y.ipynb").err
