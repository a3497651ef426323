"""``--engine conda-lock``: the real conda-lock with the real conda that it carries, against the same channel as rattler."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.channel.build import Channel
from tests.channel.conda import NEEDS_CONDA, executable
from tests.lock.conda.conftest import Project
from tests.lock.conda.test_locking import CPU, GPU


def pins(project: Project, name: str) -> set[tuple[str, ...]]:
    return {
        (item["name"], item["version"], item["build"], item["sha256"], item["url"]) for item in project.target(name)["conda"]["packages"]
    }


@pytest.mark.slow
@NEEDS_CONDA
def test_the_same_packages_as_ours(project: Project, declared_channel: Channel, tmp_path: Path) -> None:
    """The conda is no stand-in: it is conda 24.7.1 with its own solver, as conda-lock vendors it (see ``tests/channel/conda.py``)."""
    program = executable(tmp_path / "conda")
    arm = {**CPU, "name": "arm", "platform": "linux-aarch64"}
    mac = {**CPU, "name": "mac", "platform": "macos-aarch64"}
    project.declare(channels=[declared_channel.url], targets=[CPU, GPU, arm, mac])
    project.lock("--cutoff", "2026-06-01")
    names = ("cpu", "gpu", "arm", "mac")
    ours = {name: pins(project, name) for name in names}
    written = (project.folder / "gpu.conda-lock.yml").read_bytes()
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    told = project.lock("--engine", "conda-lock", PATH=path)
    assert "conda-lock knows no dates" in told.out
    assert {name: pins(project, name) for name in names} == ours
    assert (project.folder / "gpu.conda-lock.yml").read_bytes() == written
    # Nothing is solved again with the same engine, and there need be no conda to see that.
    assert "Nothing has changed" in project.lock().out
    assert "is fresh" in project.lock("--check").out


@pytest.mark.slow
@NEEDS_CONDA
def test_what_it_cannot_solve_or_hold_to_is_said(project: Project, declared_channel: Channel, tmp_path: Path) -> None:
    path = f"{executable(tmp_path / 'conda').parent}{os.pathsep}{os.environ['PATH']}"
    project.declare(channels=[declared_channel.url], targets=[{**GPU, "driver": "470.57.02"}])
    assert "hat conda-lock has chosen does not go together" in project.lock("--engine", "conda-lock", code=12, PATH=path).err
    project.declare(targets=[{**CPU, "tensorflow": "2.17"}])
    ended = project.lock("--engine", "conda-lock", code=1, PATH=path)
    assert "cpu: conda-lock found no set of conda packages" in ended.err
    assert not (project.folder / "tfsetup.lock.json").exists()
    project.declare(targets=[CPU], policy={"cool_down": 7})
    assert "nobody can say whether the conda packages have cooled down" in project.lock("--engine", "conda-lock", code=2, PATH=path).err
