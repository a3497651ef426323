"""Conda-like tools, on recorded homes."""

from __future__ import annotations

import pytest

from provisioner.facts import conda
from provisioner.model.facts import Tool
from tests.facts.fake_reader import FakeReader

ROOT = "/home/me/miniforge3"
FILES = {
    f"{ROOT}/bin/conda": "",
    f"{ROOT}/bin/mamba": "",
    f"{ROOT}/conda-meta/history": "",
    f"{ROOT}/conda-meta/conda-24.1.2-py310_0.json": "{}",
    f"{ROOT}/conda-meta/conda-libmamba-solver-24.1.0-py.json": "{}",
    f"{ROOT}/envs/tf/conda-meta/history": "",
    "/work/env/conda-meta/history": "",
    "/home/me/.conda/environments.txt": "/work/env\n/gone\n\n",
    "/home/me/.pixi/bin/pixi": "",
}


def test_found_without_path_and_without_starting_anything() -> None:
    machine = FakeReader(FILES, env={"HOME": "/home/me"})
    assert conda.probe(machine, full=False).value == (
        Tool(name="conda", path=f"{ROOT}/bin/conda", version="24.1.2"),
        Tool(name="mamba", path=f"{ROOT}/bin/mamba"),
        Tool(name="pixi", path="/home/me/.pixi/bin/pixi"),
    )
    assert machine.started == []


def test_in_full_a_tool_without_a_record_is_asked() -> None:
    commands = {(f"{ROOT}/bin/mamba",): "mamba 1.5.8\nconda 24.1.2\n", ("/home/me/.pixi/bin/pixi",): OSError(8, "Exec format error")}
    found = conda.probe(FakeReader(FILES, env={"HOME": "/home/me"}, commands=commands), full=True).value
    assert found
    assert [tool.version for tool in found] == ["24.1.2", "1.5.8", ""]


def test_environments() -> None:
    machine = FakeReader(FILES, env={"HOME": "/home/me", "CONDA_PREFIX": f"{ROOT}/envs/tf"})
    assert conda.environments(machine) == (f"{ROOT}/envs/tf", "/work/env", ROOT)


def test_none() -> None:
    assert conda.probe(FakeReader(), full=True).status == "absent"


@pytest.mark.parametrize(("text", "version"), [("conda 23.11.0", "23.11.0"), ("1.5.8\n", "1.5.8"), ("pixi 0.39.0", "0.39.0"), ("oops", "")])
def test_parse_version(text: str, version: str) -> None:
    assert conda.parse_version(text) == version
