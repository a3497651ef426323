"""A notebook kernel is part of a change: it comes with it, and goes with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.base.progress import Silent
from provisioner.change.execute import execute
from provisioner.commands.status import status
from provisioner.commands.undo import undo
from provisioner.environment import kernels
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock
from provisioner.model.plan import Plan
from provisioner.model.request import Request
from provisioner.plan.kernels import Wish, to_register, with_package
from provisioner.plan.make import ApplyInputs, make_plan
from provisioner.report.apply_text import undo_text
from provisioner.session import Session
from tests.cli.support import tiny_set
from tests.support import inputs_for, make_lock, prove_by_import, snapshot, verification


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lock:
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    return make_lock(*tiny_set(tmp_path / "wheels"))


def planned(env: Path, lock: Lock, *, kernel: bool) -> Plan:
    host = LocalHost()
    common = inputs_for(host, env, lock)
    found = to_register(host, Wish(), common.site, common.choice) if kernel else ()
    return make_plan(ApplyInputs(common=common, links=(), linked=frozenset(), kernels=found))


def run(plan: Plan) -> bool:
    return execute(plan, LocalHost(), prove=prove_by_import, progress=Silent(), wait=0).kept


def back(env: Path) -> str:
    return undo_text(undo(Session(LocalHost()), str(env), agree=lambda _: None, wait=0, progress=Silent())[0])


def test_alone_in_an_environment_that_is_there(tmp_path: Path, lock: Lock) -> None:
    env = tmp_path / "env"
    assert run(planned(env, lock, kernel=False))
    before = snapshot(env)
    plan = planned(env, lock, kernel=True)
    assert plan.changes
    assert plan.packages == ()
    assert run(plan)
    (item,) = plan.kernels
    assert kernels.is_registered(LocalHost(), item)
    assert not planned(env, lock, kernel=True).changes, "it is there"
    (told,) = status(Session(LocalHost()), Request(env=str(env), origins={"env": "option"})).environments
    assert told.kernels == ("env",)
    assert f"the notebook kernel `{item.label}` is taken away" in back(env)
    assert not (tmp_path / "jupyter").exists()
    after = snapshot(env)
    assert {name: value for name, value in after.items() if ".tfsetup" not in name} == {
        name: value for name, value in before.items() if ".tfsetup" not in name
    }


def test_with_a_new_environment(tmp_path: Path, lock: Lock) -> None:
    env = tmp_path / "env"
    assert run(planned(env, lock, kernel=True))
    assert (tmp_path / "jupyter/kernels/env/kernel.json").exists()
    assert "is taken away" in back(env)
    assert not env.exists()
    assert not (tmp_path / "jupyter").exists()


@pytest.mark.parametrize("there", [False, True])
def test_a_proof_that_fails_takes_it_back(tmp_path: Path, lock: Lock, there: bool) -> None:
    env = tmp_path / "env"
    if there:
        assert run(planned(env, lock, kernel=False))
    plan = planned(env, lock, kernel=True)
    done = execute(plan, LocalHost(), prove=lambda root: verification(root, passed=False), progress=Silent(), wait=0)
    assert not done.kept
    assert not (tmp_path / "jupyter").exists()
    assert env.exists() == there


def test_ipykernel_comes_where_it_is_not(tmp_path: Path, lock: Lock) -> None:
    env = tmp_path / "env"
    site = inputs_for(LocalHost(), env, lock).site
    assert with_package(Request(env=str(env)), site).extra == ("ipykernel",)
    assert with_package(Request(env=str(env), extra=("IPyKernel==7.0",)), site).extra == ("IPyKernel==7.0",)
    assert run(planned(env, lock, kernel=False))
    there = inputs_for(LocalHost(), env, lock).site
    with_it = replace(there, distributions=(*there.distributions, replace(there.distributions[0], name="ipykernel")))
    assert with_package(Request(env=str(env)), with_it).extra == ()
