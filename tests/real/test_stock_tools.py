"""The written files in the hands of the stock tools, nothing of ours installed: each makes the same environment, and it computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from tests.support import PYTHON

DECLARATION = """\
tensorflow: "2.20"
pythons: ["{python}"]
targets:
  - {{name: ci, platform: linux-x86_64, device: cpu, floor: "2.28"}}
requirements: [pandas]
"""
UV = uv.find_uv_bin()
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input"]


def run(*argv: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(part) for part in argv], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def tfsetup(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "provisioner", *argv, cwd=cwd)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("team")
    (folder / "tfsetup.yaml").write_text(DECLARATION.format(python=PYTHON))
    tfsetup("lock", "--cutoff", "2026-06-01", cwd=folder)
    return folder


def pins(project: Path) -> dict[str, str]:
    (target,) = json.loads((project / "tfsetup.lock.json").read_text())["targets"]
    return {file["name"]: file["version"] for file in target["files"]}


def installed(python: Path, cwd: Path) -> dict[str, str]:
    done = run(UV, "pip", "list", "--format", "json", "--python", python, cwd=cwd)
    return {item["name"].lower().replace("_", "-").replace(".", "-"): item["version"] for item in json.loads(done.stdout)}


def by_pip(python: Path, project: Path) -> None:
    run(python, *PIP, "install", "--require-hashes", "-r", project / "requirements.ci.txt", cwd=project)


def by_pip_sync(python: Path, project: Path) -> None:
    run(sys.executable, "-m", "piptools", "sync", "--python-executable", python, project / "requirements.ci.txt", cwd=project)


def by_uv_requirements(python: Path, project: Path) -> None:
    run(UV, "pip", "sync", "--require-hashes", "--python", python, project / "requirements.ci.txt", cwd=project)


def by_uv_pylock(python: Path, project: Path) -> None:
    run(UV, "pip", "sync", "--python", python, project / "pylock.ci.toml", cwd=project)


def by_tfsetup(python: Path, project: Path) -> None:
    tfsetup("apply", "--locked", "--env", python.parents[1], "--yes", cwd=project)


@pytest.mark.real
@pytest.mark.parametrize("install", [by_pip, by_pip_sync, by_uv_requirements, by_uv_pylock, by_tfsetup])
def test_every_tool_makes_the_same_environment_and_it_computes(install, project: Path, tmp_path: Path) -> None:
    env = tmp_path / "env"
    # Not made by our tool, as a person would.
    run(sys.executable, "-m", "venv", env, cwd=tmp_path)
    python = env / "bin" / "python"
    install(python, project)
    assert installed(python, tmp_path) == pins(project)
    assert "Verified: " in tfsetup("verify", "--env", env, cwd=tmp_path).stdout


@pytest.mark.real
def test_pip_refuses_a_file_that_was_tampered_with(project: Path, tmp_path: Path) -> None:
    text = (project / "requirements.ci.txt").read_text()
    pin = text.index("sha256:", text.index("six=="))
    (tmp_path / "requirements.txt").write_text(text[: pin + 7] + "0" * 64 + text[pin + 71 :])
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    argv = [tmp_path / "env" / "bin" / "python", *PIP, "install", "--require-hashes", "--no-deps", "-r", tmp_path / "requirements.txt"]
    done = subprocess.run([str(part) for part in argv], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr


@pytest.mark.real
def test_conda_lock_reads_its_file(project: Path, tmp_path: Path) -> None:
    """Its reader finds every package; it renders the file for conda, where the packages are pip's."""
    code = (
        "import json, pathlib, sys\n"
        "from conda_lock.lockfile import parse_conda_lock_file\n"
        "lock = parse_conda_lock_file(pathlib.Path(sys.argv[1]))\n"
        "print(json.dumps({item.name: [item.version, item.hash.sha256, item.manager, item.platform] for item in lock.package}))\n"
    )
    done = run(sys.executable, "-W", "ignore", "-c", code, project / "conda-lock.yml", cwd=tmp_path)
    (target,) = json.loads((project / "tfsetup.lock.json").read_text())["targets"]
    meant = {file["name"]: [file["version"], file["sha256"], "pip", "linux-64"] for file in target["files"]}
    assert json.loads(done.stdout) == meant
    run(sys.executable, "-m", "conda_lock", "render", "--kind", "env", "-p", "linux-64", project / "conda-lock.yml", cwd=tmp_path)
    rendered = (tmp_path / "conda-linux-64.lock.yml").read_text()
    for file in target["files"]:
        assert f"- {file['name']} == {file['version']} --hash=sha256:{file['sha256']}" in rendered
