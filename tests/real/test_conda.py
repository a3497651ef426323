"""Conda environments with real TensorFlow, from the tests' own channel: made with no conda here, proven, unchanged by a second run, taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.channel import build, cuda, python
from tests.real.test_apply import distributions, tfsetup
from tests.support import snapshot

pytestmark = [pytest.mark.real, cuda.NEEDS_COMPILER]
CUDA_PYTHON, CPU_PYTHON = "3.8", "3.11"
# CUDA 11.0 exists as conda packages only; the processor's set is an ordinary one.
SETS = [
    pytest.param("2.4.4", CUDA_PYTHON, "cuda", marks=python.needs(CUDA_PYTHON), id="cuda"),
    pytest.param("2.21.0", CPU_PYTHON, "cpu", marks=python.needs(CPU_PYTHON), id="cpu"),
]


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = [version for version in (CUDA_PYTHON, CPU_PYTHON) if python.is_here(version)]
    return build.build(tmp_path_factory.mktemp("channel"), [*build.pythons(*here), *cuda.every()]).folder


@pytest.mark.parametrize(("release", "version", "device"), SETS)
def test_from_nothing_to_proven_and_back(channel: Path, tmp_path: Path, release: str, version: str, device: str) -> None:
    env = tmp_path / "mein Labor ü" / "tf"
    options = [
        "--kind",
        "conda",
        "--channel",
        str(channel),
        "--tensorflow",
        release,
        "--python",
        version,
        "--device",
        device,
        "--env",
        str(env),
    ]
    plan = json.loads(tfsetup("plan", *options, "--json").stdout)
    assert list(tmp_path.iterdir()) == [], "a plan changes nothing"
    document = json.loads(tfsetup("apply", *options, "--yes", "--json").stdout)
    assert (document["changed"], document["state"]) == (True, "new")
    checks = {check["name"]: check["status"] for check in document["verification"]["checks"]}
    assert all(checks[name] == "passed" for name in ("import", "matmul", "function", "keras-fit", "save-load", "integrity"))
    # Plan equals deed: the wheels and the conda packages that were planned are there, and nothing else.
    installed = distributions(env)
    assert {item["name"]: item["version"] for item in plan["packages"]}.items() <= installed.items()
    assert set(installed) - {item["name"] for item in plan["packages"]} <= {item["name"] for item in plan["conda"]["packages"]}
    assert {path.stem for path in (env / "conda-meta").glob("*.json")} == {
        f"{item['name']}-{item['version']}-{item['build']}" for item in plan["conda"]["packages"]
    }
    if device == "cuda":
        opened = {item["soname"]: item["path"] for item in document["verification"]["libraries"] if item["path"]}
        assert {"libcudart.so.11.0", "libcudnn.so.8", "libcusolver.so.10"} <= set(opened)
        assert all(path.startswith(f"{env}/lib/") for path in opened.values())
    before = snapshot(env)
    assert "Nothing to do" in tfsetup("apply", *options).stdout
    assert json.loads(tfsetup("verify", "--env", str(env), "--json").stdout)["passed"]
    assert snapshot(env) == before
    tfsetup("undo", "--env", str(env), "--yes")
    assert list(tmp_path.iterdir()) == []
