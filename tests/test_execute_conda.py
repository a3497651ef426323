"""Executing plans for conda environments with real rattler, uv, a real Python and tiny wheels: the environment is the old one or the new one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from provisioner import flow, recovery
from provisioner.engines import rattler as engine
from provisioner.errors import InputError, OperationError
from provisioner.local_host import LocalHost
from provisioner.progress import Silent
from provisioner.workspace import Workspace
from tests.channel.cuda import NEEDS_COMPILER
from tests.conda_sets import OLDER, RELEASES, Conda
from tests.faults.fingerprint import differences, fingerprint
from tests.support import PYTHON, SITE, DyingHost, Killed, prove_by_import, snapshot

STRANGE = ("a b", "it's", 'say "x"', "ü", "a$HOME`id`", "[a]*?")


def packages(env: Path) -> dict[str, str]:
    """Read conda's records as rattler does, which reads them as conda does; each may be read by everybody."""
    rattler = pytest.importorskip("rattler")
    records = sorted((env / "conda-meta").glob("*.json"))
    assert {path.stat().st_mode & 0o777 for path in records} == {0o644}
    found = [rattler.PrefixRecord.from_path(path) for path in records]
    for record in found:
        assert all((env / path).exists() for path in record.files), record.file_name
    return {record.name.source: str(record.version) for record in found}


def run(env: Path, program: str) -> str:
    return subprocess.run([f"{env}/bin/python", "-B", "-c", program], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", ["env", *STRANGE])
def test_a_new_environment_is_made_proven_and_taken_back(conda: Conda, tmp_path: Path, name: str) -> None:
    env = tmp_path / "folder" / name
    assert conda.apply(env).kept
    assert packages(env) == {"python": run(env, "import platform; print(platform.python_version())")}
    assert run(env, "import sys; print(sys.prefix)") == str(env)
    assert subprocess.run([env / "bin/six"], check=False, capture_output=True).returncode == 1, "the script finds its Python"
    assert [path.name for path in env.parent.iterdir()] == [name]
    assert not (env / "CACHEDIR.TAG").exists(), "backups would leave it out"
    assert (env / "conda-meta/history").read_text().splitlines()[-1] == f"# update specs: ['python {PYTHON}.*']"
    before = snapshot(env)
    plan = conda.plan(env)
    assert (plan.changes, plan.conda.packages, plan.conda.removals) == (False, (), ())
    assert list(plan.conda.unchanged) == ["python"]
    assert snapshot(env) == before
    conda.undo(env)
    assert not env.parent.exists(), "folders that were made for it go too"


def test_a_second_plan_needs_no_channel(conda: Conda, tmp_path: Path) -> None:
    """Channels move on; an environment that is as planned does not change for that, and is not asked about."""
    env, channel = tmp_path / "env", tmp_path / "channel"
    shutil.copytree(conda.channel, channel)
    assert conda.apply(env, channels=(str(channel),)).kept
    shutil.rmtree(channel)
    assert not conda.plan(env, channels=(str(channel),)).changes


@NEEDS_COMPILER
def test_libraries_come_from_conda_and_are_found(conda: Conda, tmp_path: Path) -> None:
    env = tmp_path / "env"
    assert conda.apply(env, device="cuda").kept
    assert packages(env)["cudatoolkit"] == "11.0.3"
    link = env / SITE / "tensorflow/libcudart.so.11.0"
    assert link.resolve().parent == env / "lib"
    assert run(env, "import tensorflow; print(tensorflow.GOOD)") == "True"
    assert not conda.plan(env, device="cuda").changes


@NEEDS_COMPILER
def test_conda_packages_are_replaced_and_come_back_file_by_file(conda: Conda, tmp_path: Path) -> None:
    """The CUDA libraries do not go with the older Python: another patch release takes its place, and other wheels the place of theirs."""
    env = tmp_path / "env"
    assert conda.apply(env, channels=(str(conda.earlier),), tensorflow="==2.19.*").kept
    run(env, "import tensorflow, six, older")  # its byte code is there
    (env / "notes.txt").write_text("of a person")
    before, marks = snapshot(env), fingerprint(env)
    plan = conda.plan(env, device="cuda", tensorflow="==2.20.*")
    assert [item.identity.rsplit("-", 1)[0] for item in plan.conda.removals] == [f"python-{OLDER}"]
    assert {(item.name, item.version) for item in plan.removals} >= {("six", "1.9"), ("tensorflow-cpu", "2.19.0")}
    assert conda.execute(plan).kept
    assert packages(env)["python"] != OLDER
    assert not (env / f"lib/python{PYTHON}/older.py").exists()
    assert (env / "notes.txt").read_text() == "of a person"
    assert run(env, "import tensorflow; print(tensorflow.__version__, tensorflow.GOOD)") == f"{RELEASES[0]} True"
    assert not conda.plan(env, device="cuda", tensorflow="==2.20.*").changes
    conda.undo(env)
    assert differences(marks, fingerprint(env)) == []
    assert snapshot(env) == before


def test_a_foreign_environment_keeps_its_packages_but_for_those_in_the_way(conda: Conda, tmp_path: Path) -> None:
    names = ("tool 1.0", "six", "needs-six", "own", "tensorflow 2.10.0", "pip")
    env = conda.foreign(tmp_path / "env", f"python {PYTHON}.*", *names)
    (env / "conda-meta/history").write_text("")
    run(env, "import six, needs_six, own")
    before, marks = snapshot(env), fingerprint(env)
    plan = conda.plan(env)
    going = {item.identity: item.reason for item in plan.conda.removals}
    assert going == {
        "six-1.0-0": "its six comes as the wheel that the set was proven with",
        "needs-six-1.0-0": "it needs six, which leaves",
        "tensorflow-2.10.0-0": "it owns the same folder as the TensorFlow of the set, so the two break each other",
    }
    assert conda.execute(plan).kept
    assert {name: version for name, version in packages(env).items() if name in {"tool", "own", "six", "needs-six", "tensorflow"}} == {
        "tool": "1.0",
        "own": "1.0",
    }
    assert run(env, "import own, six; print(hasattr(six, 'FROM'))") == "False"
    conda.undo(env)
    assert differences(marks, fingerprint(env)) == []
    assert snapshot(env) == before
