"""``apply --locked`` of a conda target: exactly the lock's packages, without asking a channel what it has; refused where the machine lacks a need."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.base.progress import SILENT
from provisioner.catalogue import Catalogue
from provisioner.change.execute import execute
from provisioner.commands.plan_locked import plan_locked
from provisioner.commands.undo import take_back, undoable
from provisioner.errors import InputError, NoProfileError, OperationError
from provisioner.host.local import LocalHost
from provisioner.lock import sidecar
from provisioner.lock.fitting import fit, set_of
from provisioner.model.facts import known
from provisioner.model.finding import Verification
from provisioner.model.plan import EnvState
from provisioner.model.request import Request
from provisioner.model.team import TeamLock
from provisioner.session import Session
from tests.channel.build import Channel, build
from tests.channel.python import needs
from tests.channel.serve import Server
from tests.choose.values import machine, shipped_order, with_driver
from tests.lock.conda.conftest import Project
from tests.lock.conda.test_locking import CPU, GPU, VENV, WHEELS
from tests.lock.index import allow
from tests.support import PYTHON, verification

NOWHERE = EnvState(path="/nowhere/env", kind="absent", digest="absent")


def prove_passed(root: str) -> Verification:
    """The wheels of this index hold no TensorFlow that could be imported."""
    return verification(root, passed=True)


def locked(project: Project, *targets: dict, channels: list[str]) -> TeamLock:
    project.declare(channels=channels, targets=list(targets))
    project.lock("--cutoff", "2026-06-01")
    return sidecar.read((project.folder / sidecar.NAME).read_text(), file="lock")


@pytest.mark.slow
@needs(PYTHON)
def test_the_lock_is_installed_and_a_second_run_changes_nothing(project: Project, whole_channel: Channel, tmp_path: Path) -> None:
    with Server(whole_channel.folder) as server:
        allow(server.host)
        locked(project, WHEELS, channels=[server.url])
        host, env = LocalHost(), tmp_path / "with space" / "env"
        seen = len(server.seen)
        planned = plan_locked(Session(host), Request(env=str(env)), str(project.folder), "")
        assert len(server.seen) == seen, "a lock is not solved again"
        assert planned.plan.request.kind == "conda"
        assert planned.plan.proof.endswith("what conda adds was not part of that")
        assert execute(planned.plan, host, prove=prove_passed, progress=SILENT, wait=0).kept
    wanted = {item["name"] for item in project.target("wheels")["conda"]["packages"]}
    records = {json.loads(path.read_text())["name"] for path in (env / "conda-meta").glob("*.json")}
    assert records == wanted
    done = subprocess.run(
        [env / "bin" / "python", "-c", "import numpy, sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(env)
    again = plan_locked(Session(host), Request(env=str(env)), str(project.folder), "")
    assert not again.plan.changes
    assert not again.plan.removals
    take_back(host, undoable(host, str(env)), wait=0, progress=SILENT)
    assert not env.exists()


@pytest.mark.slow
@needs(PYTHON)
def test_a_package_with_another_hash_is_not_installed(project: Project, whole_channel: Channel, tmp_path: Path) -> None:
    mine = build(tmp_path / "mine", whole_channel.packages)
    locked(project, WHEELS, channels=[mine.url])
    path = mine.package("python").path
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content + b"\0")
    host = LocalHost()
    planned = plan_locked(Session(host), Request(env=str(tmp_path / "env")), str(project.folder), "")
    with pytest.raises(OperationError, match="its hash differs"):
        execute(planned.plan, host, prove=prove_passed, progress=SILENT, wait=0)
    assert not (tmp_path / "env").exists()


@pytest.mark.slow
def test_the_kind_is_the_target_s_unless_another_is_asked_for(project: Project, declared_channel: Channel) -> None:
    lock = locked(project, CPU, VENV, channels=[declared_channel.url])
    catalogue, facts = opened(project), machine()
    assert fit(facts, Request(), catalogue, NOWHERE, lock).locked.target.name == "cpu"
    asked = Request(kind="venv", origins={"kind": "option"})
    with pytest.raises(NoProfileError) as caught:
        fit(facts, asked, catalogue, NOWHERE, lock, name="cpu")
    assert caught.value.refusals == ("cpu: is a conda environment, and `--kind venv` was asked for",)
    there = replace(NOWHERE, kind="venv")
    with pytest.raises(NoProfileError, match="is a conda environment, and /nowhere/env is a virtual environment"):
        fit(facts, Request(), catalogue, there, lock, name="cpu")
    with pytest.raises(NoProfileError, match="brings its own Python"):
        fit(facts, Request(python="/usr/bin/python3"), catalogue, NOWHERE, lock, name="cpu")


def opened(project: Project) -> Catalogue:
    return Catalogue.open(LocalHost(), str(project.folder.parent / "profiles"), causes=shipped_order)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cuda", "level", "refused"),
    [
        ("12.8", "x86-64-v3", ""),
        ("13.0", "x86-64-v2", ""),
        ("11.4", "x86-64-v3", "has conda packages that need __cuda >=12, and here is __cuda 11.4"),
        ("", "x86-64-v3", ""),
    ],
)
def test_needs_of_conda_packages_are_held_against_the_machine(
    project: Project, declared_channel: Channel, cuda: str, level: str, refused: str
) -> None:
    """Without a driver the lock's own word counts: an image is built on a machine that has none."""
    lock = locked(project, GPU, channels=[declared_channel.url])
    facts = machine()
    facts = replace(facts, cpu=replace(facts.cpu, level=known(level, "test")))
    facts = with_driver(facts, cuda=known(cuda, "test")) if cuda else facts
    request = Request(device="cuda", origins={"device": "option"})
    if not refused:
        assert fit(facts, request, opened(project), NOWHERE, lock).choice.road == "conda"
        return
    with pytest.raises(NoProfileError) as caught:
        fit(facts, request, opened(project), NOWHERE, lock)
    assert caught.value.refusals == (f"gpu: {refused} [driver-too-old]",)


@pytest.mark.slow
def test_a_lock_that_was_written_to_do_harm_is_refused(project: Project, declared_channel: Channel) -> None:
    lock = locked(project, CPU, channels=[declared_channel.url])
    target = lock.targets[0]
    assert target.conda is not None
    bad = replace(target.conda.packages[0], filename="../../x", url="ext::sh -c x", build="a/../b")
    with pytest.raises(InputError) as caught:
        set_of(replace(target, conda=replace(target.conda, packages=(bad,))), None, "/team")
    assert [fault.split(" of a ")[0] for fault in caught.value.faults] == ["cpu: build", "cpu: filename", "cpu: url"]
