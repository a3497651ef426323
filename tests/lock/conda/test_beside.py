"""Conda packages that a team asks for beside TensorFlow's own wheels: what the solver is held to, and one owner for each distribution."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.change.execute import execute
from provisioner.commands.plan_locked import plan_locked
from provisioner.host.local import LocalHost
from provisioner.model.request import Request
from provisioner.session import Session
from tests.channel.build import Channel, build
from tests.channel.packages import File, Package
from tests.channel.python import needs
from tests.lock.conda.conftest import Project
from tests.lock.conda.test_applying import prove_passed
from tests.lock.index import Index
from tests.support import PYTHON

LAB = {"name": "lab", "kind": "conda", "platform": "linux-x86_64", "device": "cpu", "floor": "2.28"}
VENV = {"name": "venv", "platform": "linux-x86_64", "device": "cpu"}


def of_python(name: str, version: str, *depends: str, **more: object) -> Package:
    return Package(
        name=name, version=version, depends=("python", *depends), noarch="python", files={f"site-packages/{name}.py": ""}, **more
    )


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    packages = [
        Package(name="python", version=f"{PYTHON}.9"),
        Package(name="ffmpeg", version="6.1", depends=("x264",)),
        Package(name="ffmpeg", version="4.4"),
        Package(name="x264", version="1.0"),
        *(of_python("numpy", version) for version in ("1.25", "1.26", "1.27")),
        *(of_python("pandas", version, "numpy >=1.25") for version in ("1.5", "2.0", "2.1")),
        of_python("graph-tool", "2.0", "pandas", "numpy"),
        of_python("addon", "1.0", "tensorflow"),
        Package(name="graphviz", version="9.0"),
        of_python("opencv", "4.8.1"),
        Package(name="tensorflow", version="2.19.1", build="cpu_0", depends=("python",)),
    ]
    return build(tmp_path / "channel", packages)


def wheels(project: Project, name: str = "lab") -> dict[str, str]:
    return {file["name"]: file["version"] for file in project.target(name)["files"]}


@pytest.fixture
def lab(project: Project, channel: Channel) -> Project:
    project.declare(channels=[channel.url], targets=[LAB], conda=["ffmpeg<5"])
    return project


@pytest.mark.slow
def test_they_are_solved_with_the_rest_and_held_by_the_lock(lab: Project) -> None:
    lab.lock("--cutoff", "2026-06-01")
    assert lab.conda("lab") == {"python": f"{PYTHON}.9", "ffmpeg": "4.4"}
    assert wheels(lab).keys() == {"tensorflow-cpu", "numpy", "pip"}
    assert lab.lock("--check").code == 0
    lab.declare(conda=["ffmpeg"])
    assert "tfsetup.yaml: conda" in lab.lock("--check", code=10).out
    lab.lock()
    # What is locked stays while it will do.
    assert lab.conda("lab")["ffmpeg"] == "4.4"
    lab.lock("--upgrade", "ffmpeg")
    assert lab.conda("lab") == {"python": f"{PYTHON}.9", "ffmpeg": "6.1", "x264": "1.0"}
    lab.declare(targets=[LAB, VENV])
    lab.lock()
    assert wheels(lab, "venv").keys() == {"tensorflow-cpu", "numpy", "pip"}


@pytest.mark.slow
def test_no_distribution_comes_twice(lab: Project, index: Index) -> None:
    """The solver takes NumPy in the version of the set, and pandas in one that the requirements admit; their wheels are left out."""
    index.add("pandas", "1.5", "numpy")
    index.add("pandas", "2.1", "numpy")
    lab.declare(conda=["graph-tool"], requirements=["pandas<2.1"])
    told = lab.lock("--cutoff", "2026-06-01").out
    assert lab.conda("lab") == {"python": f"{PYTHON}.9", "graph-tool": "2.0", "numpy": "1.26", "pandas": "2.0"}
    assert wheels(lab).keys() == {"tensorflow-cpu", "pip"}
    assert "lab: numpy 1.26 comes by conda, which what you ask of it needs" in " ".join(told.split())


@pytest.mark.slow
def test_a_program_is_not_the_distribution_of_its_name(lab: Project, index: Index) -> None:
    index.add("graphviz", "0.20")
    lab.declare(conda=["graphviz"], requirements=["graphviz"])
    lab.lock("--cutoff", "2026-06-01")
    assert lab.conda("lab")["graphviz"] == "9.0"
    assert wheels(lab)["graphviz"] == "0.20"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("conda", "requirements", "code", "told"),
    [
        (["opencv"], ["opencv-python"], 2, "`opencv` and `opencv-python` are the same package, and would come twice"),
        (["addon"], [], 2, "addon of conda needs conda's TensorFlow, which cannot stand beside TensorFlow's own wheel"),
        (["graph-tool"], ["numpy<1.25"], 12, "; what the known-good set and the requirements have comes in their versions;"),
        (["nothing-of-that-name"], [], 12, "nothing-of-that-name"),
    ],
)
def test_what_does_not_go_is_refused(lab: Project, conda: list[str], requirements: list[str], code: int, told: str) -> None:
    lab.declare(conda=conda, requirements=requirements)
    assert told in " ".join(lab.lock("--cutoff", "2026-06-01", code=code).err.split())


@pytest.mark.slow
def test_everything_from_the_channel_takes_them_too(project: Project, channel: Channel) -> None:
    python = Package(name="pip", version="25.0")
    build(channel.folder.parent / "more", [python])
    hpc = {**LAB, "name": "hpc", "source": "conda", "tensorflow": "2.19"}
    project.declare(channels=[channel.url, f"file://{channel.folder.parent / 'more'}"], targets=[hpc], conda=["ffmpeg=6"])
    project.lock("--cutoff", "2026-06-01")
    assert project.conda("hpc").keys() >= {"tensorflow", "ffmpeg", "x264"}


@pytest.mark.slow
@needs(PYTHON)
def test_what_is_installed_has_one_owner_each(project: Project, whole_channel: Channel, tmp_path: Path) -> None:
    """A program by conda, and NumPy by conda, beside TensorFlow's own wheel; what is there already is nothing to do."""
    own = Package(name="own-tool", version="1.5", depends=("numpy",), files={"bin/own-tool": File(b"#!/bin/sh\necho made\n", mode=0o755)})
    numpy = of_python("numpy", "1.26")
    files = {
        "site-packages/numpy/__init__.py": "__version__ = 'by conda'\n",
        "site-packages/numpy-1.26.dist-info/METADATA": "Metadata-Version: 2.1\nName: numpy\nVersion: 1.26\n",
        "site-packages/numpy-1.26.dist-info/INSTALLER": "conda\n",
    }
    more = build(tmp_path / "more", [own, replace(numpy, files=files)])
    project.declare(channels=[more.url, whole_channel.url], targets=[LAB], conda=["own-tool"])
    project.lock("--cutoff", "2026-06-01")
    assert "numpy" not in wheels(project)
    host, env = LocalHost(), tmp_path / "env"
    planned = plan_locked(Session(host), Request(env=str(env)), str(project.folder), "")
    assert execute(planned.plan, host, prove=prove_passed, progress=SILENT, wait=0).kept
    code = "import numpy, tensorflow; print(numpy.__version__)"
    done = subprocess.run([env / "bin" / "python", "-c", code], capture_output=True, text=True, check=False)
    assert "by conda" in done.stdout or "tensorflow" in done.stderr, done.stderr
    assert subprocess.run([env / "bin" / "own-tool"], capture_output=True, text=True, check=True).stdout == "made\n"
    assert len(list(env.glob("lib/python*/site-packages/numpy-*.dist-info"))) == 1
    again = plan_locked(Session(host), Request(env=str(env)), str(project.folder), "")
    assert not again.plan.changes
    assert not again.plan.removals
