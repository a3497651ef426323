"""Locking conda targets from a local channel: what is solved for which machines, what stays, what is written, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from provisioner.lock.formats import conda_lock
from tests.channel.build import Channel, build
from tests.channel.packages import Package, write
from tests.channel.python import needs
from tests.channel.serve import Server
from tests.lock.conda.conftest import OTHER, Project
from tests.lock.index import allow
from tests.support import PYTHON

SECRET = "s3cr3t-t0ken"
CHANNEL = {"kind": "conda", "source": "conda", "platform": "linux-x86_64", "python": OTHER}
CPU = {"name": "cpu", "device": "cpu", "tensorflow": "2.19", **CHANNEL}
GPU = {"name": "gpu", "device": "cuda", "tensorflow": "2.19", "driver": "570.86.15", **CHANNEL}
WHEELS = {"name": "wheels", "kind": "conda", "platform": "linux-x86_64", "device": "cpu", "floor": "2.28"}
VENV = {"name": "venv", "platform": "linux-x86_64", "device": "cpu"}


def of_both(project: Project, channel: Channel, *targets: dict, **more: object) -> Project:
    project.declare(channels=[channel.url], targets=list(targets), **more)
    return project


@needs(PYTHON)
def test_four_targets_two_of_them_conda(project: Project, whole_channel: Channel) -> None:
    """The wheels of a conda target are those of the set, but for pip, which conda brings; everything of the other comes from the channel."""
    of_both(project, whole_channel, VENV, WHEELS, GPU, {**VENV, "name": "old", "floor": "2.31"})
    told = project.lock("--cutoff", "2026-06-01").out
    assert "wheels: TensorFlow 2.20.0" in told
    assert "solved for: __unix=0=0, __linux=0=0, __glibc=2.28=0, __archspec=1=x86_64; from file://" in told
    assert "gpu: TensorFlow 2.19.1" in told
    assert "__cuda=12.8=0" in told
    names = sorted(path.name for path in project.folder.iterdir())
    assert names == [
        *("conda-lock.yml", "gpu.conda-lock.yml", "old.conda-lock.yml", "pylock.old.toml", "pylock.venv.toml", "requirements.old.txt"),
        *("requirements.venv.txt", "tfsetup.lock.json", "tfsetup.yaml", "wheels.conda-lock.yml"),
    ]
    assert {file["name"] for file in project.target("wheels")["files"]} <= {"numpy", "tensorflow-cpu", "pip"}
    brought = "pip" in project.conda("wheels")
    assert ("pip" in {file["name"] for file in project.target("wheels")["files"]}) != brought
    assert project.target("gpu")["files"] == []
    assert project.target("gpu")["needs"]["virtual"][-1] == "__cuda >=12"
    before = project.bytes()
    assert "Nothing has changed" in project.lock().out
    assert project.bytes() == before
    assert "is fresh" in project.lock("--check").out
    assert "fresh; each of its" in project.lock("--check", "--online").out


@pytest.mark.slow
def test_conda_lock_itself_renders_the_file_as_explicit_and_as_environment(project: Project, declared_channel: Channel) -> None:
    of_both(project, declared_channel, CPU, GPU).lock("--cutoff", "2026-06-01")
    text = (project.folder / "gpu.conda-lock.yml").read_text()
    assert yaml.safe_load(text)["metadata"]["custom_metadata"]["virtual_packages.linux-64"].endswith("__cuda=12.8=0")
    held = conda_lock.read(text, file="gpu.conda-lock.yml")["linux-x86_64"]
    assert ("tensorflow", "2.19.1") in {(name, version) for name, version, _ in held}
    for kind, ending in (("explicit", "lock"), ("env", "lock.yml")):
        argv = [sys.executable, "-W", "ignore", "-m", "conda_lock", "render", "--kind", kind, "gpu.conda-lock.yml"]
        done = subprocess.run(argv, cwd=project.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        rendered = (project.folder / f"conda-linux-64.{ending}").read_text()
        for package in project.target("gpu")["conda"]["packages"]:
            wanted = (
                f"{package['url']}#{package['md5']}" if kind == "explicit" else f"{package['name']}={package['version']}={package['build']}"
            )
            assert wanted in rendered


@pytest.mark.slow
def test_the_machines_are_the_target_s_and_never_a_default(project: Project, declared_channel: Channel) -> None:
    """CUDA by the oldest driver; without one that of the newest build. A target for the processor has none, whatever conda-lock's default is."""
    of_both(project, declared_channel, {**GPU, "driver": "470.57.02"})
    told = project.lock(code=12)
    assert "The conda packages that are needed do not go together" in told.err
    assert "(gpu)" in told.err
    assert "__cuda=11.4=0" in told.err
    project.declare(targets=[{name: value for name, value in GPU.items() if name != "driver"}])
    project.lock()
    assert "__cuda=13.0=0" in project.target("gpu")["conda"]["virtual"]
    project.declare(targets=[{**GPU, "driver": "300.1.1"}])
    assert "is older than every CUDA that is known here" in project.lock(code=12).err
    project.declare(targets=[CPU])
    project.lock()
    assert not any(text.startswith("__cuda") for text in project.target("cpu")["conda"]["virtual"])
    project.declare(targets=[{"name": "arm", **CHANNEL, "platform": "linux-aarch64", "device": "cuda", "tensorflow": "2.19"}])
    assert "computes on a GPU of Linux on aarch64 (arm)" in project.lock(code=12).err


@pytest.mark.slow
def test_what_is_locked_stays_until_it_is_upgraded(project: Project, tmp_path: Path) -> None:
    """By the date, by preference for what is locked, and by names."""
    day = 86_400_000
    at = {"1.0": 1_700_000_000_000, "2.0": 1_700_000_000_000 + 400 * day}
    tensorflow = Package(name="tensorflow", version="2.19.1", build="cpu_0", depends=("a", "b"))
    others = [Package(name=name, version="1.0") for name in ("a", "b", "python", "pip")]
    others = [Package(name="python", version=f"{OTHER}.9"), *(item for item in others if item.name != "python")]
    channel = build(tmp_path / "moving", [tensorflow, *others])
    of_both(project, channel, CPU)
    project.lock("--cutoff", "2024-06-01")
    assert project.conda("cpu") == {"a": "1.0", "b": "1.0", "pip": "1.0", "python": f"{OTHER}.9", "tensorflow": "2.19.1"}
    newer = [write(Package(name=name, version="2.0"), channel.folder / "linux-64") for name in ("a", "b")]
    for item in newer:
        item.record["timestamp"] = at["2.0"]
    channel = Channel(channel.folder, (*channel.packages, *newer))
    channel.index()
    project.declare(requirements=["b>=1"])
    project.lock()
    assert project.conda("cpu")["a"] == project.conda("cpu")["b"] == "1.0"
    told = project.lock("--upgrade", "a").out
    assert "a (conda) 1.0 -> 2.0 [cpu]" in told
    assert project.conda("cpu")["b"] == "1.0"
    project.declare(requirements=["b>=1.0"])
    project.lock()
    assert (project.conda("cpu")["a"], project.conda("cpu")["b"]) == ("2.0", "1.0")
    project.lock("--upgrade")
    assert project.conda("cpu")["b"] == "2.0"
    assert "is not in the lock" in project.lock("--upgrade", "c", code=2).err


@pytest.mark.slow
def test_a_requirement_of_the_team_is_the_channel_s(project: Project, declared_channel: Channel) -> None:
    of_both(project, declared_channel, CPU, requirements=["requests>=2.30", "cached-property; sys_platform == 'win32'", "tensorflow>=2.15"])
    project.lock()
    assert project.target("cpu")["conda"]["specs"] == [
        "tensorflow 2.19.*,>=2.15 cpu*", f"python {OTHER}.*", "pip", "requests >=2.30",
    ]  # fmt: skip
    project.declare(requirements=["requests[socks]"])
    assert "cannot be asked of a conda channel" in project.lock(code=2).err
    project.declare(requirements=[], policy={"signed_off": [{"release": "2.19.1", "by": "Ada", "date": "2026-01-01"}]})
    project.lock()
    assert project.target("cpu")["conda"]["specs"][0] == "tensorflow 2.19.*,==2.19.1 cpu*"


def test_what_cannot_be_is_said(project: Project, declared_channel: Channel) -> None:
    of_both(project, declared_channel, CPU, formats=["requirements"])
    assert "cpu: only the format conda-lock can hold conda environments" in project.lock(code=2).err
    project.declare(targets=[VENV])
    assert "no target is a conda environment" in project.lock("--engine", "conda-lock", code=2).err
    project.declare(targets=[CPU], formats=["conda-lock"])
    assert "none of them is on this machine" in project.lock("--engine", "conda-lock", code=2, PATH="/nowhere").err
    project.declare(channels=["./nowhere"])
    assert "the channel, or a package of it, is not there" in project.lock(code=1).err


@pytest.mark.slow
def test_a_channel_with_a_token_is_locked_without_it(project: Project, declared_channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNEL_TOKEN", SECRET)
    with Server(declared_channel.folder, token=SECRET) as server:
        allow(server.host, "CHANNEL_TOKEN")
        of_both(project, declared_channel, CPU)
        project.declare(channels=[f"http://{server.host}/t/${{CHANNEL_TOKEN}}"])
        told = project.lock()
        assert SECRET not in told.out + told.err + "".join(data.decode() for data in project.bytes().values())
        data = yaml.safe_load((project.folder / "conda-lock.yml").read_text())
        assert data["metadata"]["channels"][0]["used_env_vars"] == ["CHANNEL_TOKEN"]
        assert all("/t/${CHANNEL_TOKEN}/" in item["url"] for item in data["package"])
        assert "is fresh" in project.lock("--check", "--online").out
        monkeypatch.delenv("CHANNEL_TOKEN")
        assert "the variable CHANNEL_TOKEN is not set" in project.lock("--upgrade", code=2).err


@pytest.mark.slow
def test_check_online_names_what_a_channel_lost(project: Project, declared_channel: Channel, tmp_path: Path) -> None:
    mine = build(tmp_path / "mine", declared_channel.packages)
    of_both(project, mine, CPU).lock()
    path = mine.package("gast", "0.6.0").path
    path.rename(tmp_path / path.name)
    told = project.lock("--check", "--online", code=10).out
    assert f"{path.name}: is not in the channel any more" in told
    path.write_bytes(b"something else")
    assert f"{path.name}: is served with another hash" in project.lock("--check", "--online", code=10).out


@pytest.mark.slow
def test_the_difference_names_conda_packages_and_machines(project: Project, declared_channel: Channel, tmp_path: Path) -> None:
    of_both(project, declared_channel, CPU).lock()
    old = tmp_path / "old.json"
    old.write_bytes((project.folder / "tfsetup.lock.json").read_bytes())
    project.declare(targets=[{**CPU, "tensorflow": "2.10", "floor": "2.31"}])
    project.lock()
    told = project("lock", "--diff", str(old), "--markdown").out
    assert "| tensorflow (conda) | 2.19.1 | 2.10.0 | cpu |  |" in told
    assert "__glibc=2.31=0" in told
    data = json.loads(project("lock", "--diff", str(old), "--json").out)
    assert {"name": "keras (conda)", "old": "3.11.3", "new": "2.10.0", "targets": ["cpu"], "why": ""} in data["packages"]
