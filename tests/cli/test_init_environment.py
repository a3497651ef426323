"""``tfsetup init`` beside conda's environment file: which kind of environment it declares, and that what it declares locks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.catalogue import find_profiles
from provisioner.declared.declaration import read_declaration
from provisioner.host.local import LocalHost
from provisioner.model.team import Declaration
from tests.channel.build import build
from tests.channel.packages import Package
from tests.cli.support import Ended, Inside, make_profiles
from tests.lock.conftest import index
from tests.lock.index import Index
from tests.support import PYTHON

__all__ = ["index"]
WRITTEN = """
channels: [{channel}, defaults]
dependencies:
  - python={python}
  - tensorflow=2.20
  - numpy
  - own-tool>=1
  - pip
  - pip: [pandas]
"""


@pytest.fixture
def inside(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    for name in ("CONDA_EXE", "MAMBA_EXE", "CONDA_PREFIX", "VIRTUAL_ENV", "TFSETUP_KIND"):
        monkeypatch.delenv(name, raising=False)
    return Inside(capsys, monkeypatch)


@pytest.fixture
def team(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    files = (index.add("tensorflow-cpu", "2.20.0", "numpy"), index.add("numpy", "1.26"), index.add("pip", "1.0"))
    index.add("pandas", "2.0", "numpy")
    profiles = make_profiles(tmp_path / "profiles", tuple(sorted(files, key=lambda file: file.filename)))
    shutil.copy(Path(find_profiles()) / "conda-names.yaml", profiles / "conda-names.yaml")
    monkeypatch.setenv("TFSETUP_PROFILES", str(profiles))
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    # No conda of this machine's is found.
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), "/usr/bin", "/bin"]))
    packages = [
        Package(name="python", version=f"{PYTHON}.9"),
        Package(name="own-tool", version="1.5"),
        Package(name="own-tool", version="0.5"),
    ]
    channel = build(tmp_path / "channel", packages)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "environment.yml").write_text(WRITTEN.format(channel=channel.url, python=PYTHON))
    monkeypatch.chdir(folder)
    yield folder
    monkeypatch.undo()


def said(ended: Ended) -> str:
    assert ended.code == 0, ended.err
    return " ".join(ended.err.split())


def declared(folder: Path) -> Declaration:
    return read_declaration(LocalHost(), str(folder))


@pytest.mark.slow
def test_what_only_conda_has_makes_a_conda_environment_that_locks(inside: Inside, team: Path) -> None:
    words = said(inside("init"))
    assert "environment.yml: a conda environment, for nothing is known to be on PyPI of own-tool>=1" in words
    assert "init --kind venv` declares a virtual environment" in words
    assert "as wheels of PyPI, which the known-good set was run with: numpy" in words
    assert "the channel defaults is not asked" in words
    found = declared(team)
    (target,) = found.targets
    assert (target.name, target.kind, target.device, target.python) == ("linux-x86_64-cpu-conda", "conda", "cpu", PYTHON)
    assert (found.requirements, found.conda) == (("pandas", "numpy"), ("own-tool>=1",))
    assert (len(found.channels), found.channels[1]) == (2, "conda-forge")
    # conda-forge is out of reach here.
    text = (team / "tfsetup.yaml").read_text().replace(', "conda-forge"]', "]")
    (team / "tfsetup.yaml").write_text(text)
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code == 0, ended.err
    assert "a conda environment of 2 conda packages and 4 wheels" in ended.out
    assert inside("lock", "--check").code == 0


@pytest.mark.slow
def test_a_virtual_environment_is_told_what_it_lacks(inside: Inside, team: Path) -> None:
    words = said(inside("init", "--kind", "venv"))
    assert "nothing that is known to be on PyPI: own-tool>=1; if it is, name it under `requirements`" in words
    assert "--kind" not in words
    found = declared(team)
    assert (found.targets[0].kind, found.requirements, found.conda, found.channels) == ("venv", ("pandas", "numpy"), (), ())
    ended = inside("lock", "--cutoff", "2026-06-01")
    assert ended.code == 0, ended.err


@pytest.mark.slow
def test_the_kind_is_that_of_the_machine_where_pypi_has_all(inside: Inside, team: Path, tmp_path: Path) -> None:
    path = team / "environment.yml"
    path.write_text(path.read_text().replace("  - own-tool>=1\n", ""))
    words = said(inside("init"))
    assert "a virtual environment, for PyPI has what it names, and no conda is here; " in words
    assert "init --kind conda` declares a conda environment" in words
    assert declared(team).targets[0].kind == "venv"
    program = tmp_path / "bin" / "mamba"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    words = said(inside("init", "--yes"))
    assert "a conda environment, for mamba is here" in words
    assert declared(team).targets[0].kind == "conda"
    assert declared(team).conda == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("packages", "kind", "device", "words"),
    [
        ("python=3.8, tensorflow-gpu=2.4, cudatoolkit=11.0", "conda", "cuda", "for only conda has the CUDA libraries of TensorFlow 2.4.4"),
        ("python=3.10, tensorflow=2.10, cudatoolkit=11.2, cudnn", "venv", "cuda", "for PyPI has what it names"),
        ("python=3.10, tensorflow=2.10", "venv", "cpu", "for PyPI has what it names"),
        ("python=3.11, tensorflow-gpu, ffmpeg", "conda", "cuda", "nothing is known to be on PyPI of ffmpeg"),
    ],
)
def test_a_gpu_that_is_asked_for_counts_most(
    inside: Inside, team: Path, monkeypatch: pytest.MonkeyPatch, packages: str, kind: str, device: str, words: str
) -> None:
    monkeypatch.delenv("TFSETUP_PROFILES")
    (team / "environment.yml").write_text(f"dependencies: [{packages}]\n")
    assert words in said(inside("init", "--offline"))
    (target,) = declared(team).targets
    assert (target.kind, target.device) == (kind, device)


def test_pip_s_lines_are_read_as_pip_reads_them(inside: Inside, team: Path) -> None:
    (team / "more").mkdir()
    (team / "more/base.txt").write_text("six\n")
    (team / "environment.yml").write_text(
        "dependencies: [{pip: ['-r more/base.txt', '--extra-index-url https://x.example.com/simple', '--pre']}]\n"
    )
    words = said(inside("init", "--offline"))
    assert declared(team).files == ("more/base.txt",)
    assert "environment.yml: `--extra-index-url https://x.example.com/simple` names a second index" in words
    assert "environment.yml: `--pre` is an option that a lock does not take over" in words


def test_a_file_that_is_none_is_told(inside: Inside, team: Path) -> None:
    (team / "environment.yml").write_text("a: [\n")
    (team / "requirements.txt").write_text("six\n")
    assert "environment.yml" in said(inside("init", "--offline"))
    assert declared(team).files == ("requirements.txt",)
