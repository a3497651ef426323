"""``lock --check`` and ``--online``: what is stale is named, nothing is written, and nobody is asked without ``--online``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.commands import lock_check
from provisioner.commands.lock_check import Checked
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.model.team import Index as TeamIndex
from provisioner.model.team import InputDigest, Inputs
from provisioner.session import Session
from tests.lock.conftest import LINUX, MAC, Team
from tests.support import PYTHON, make_lock


def check(team: Team, *, online: bool = False) -> Checked:
    return lock_check.check_declared(Session(LocalHost()), team.declared(), online=online)


def told(team: Team, *, online: bool = False) -> list[str]:
    return [f"{item.kind} {item.name}: {item.why}" for item in check(team, online=online).differences]


def test_a_fresh_lock_is_fresh_and_nobody_is_asked(team: Team) -> None:
    assert told(team) == ["lock tfsetup.lock.json: is not there: nothing is locked yet"]
    team.lock()
    before = team.written()
    team.index.seen.clear()
    assert told(team) == []
    assert team.index.seen == []
    assert team.written() == before


@pytest.mark.slow
def test_every_kind_of_change_is_named(team: Team) -> None:
    team.lock()
    declared = team.declared()
    changed = replace(declared, inputs=Inputs(digests=(InputDigest(name="other.in", sha256="0"),)))
    found = lock_check.check_declared(Session(LocalHost()), changed).differences
    assert [(item.kind, item.name) for item in found] == [("input", "all"), ("input", "other.in")]

    team.targets = (replace(LINUX, driver="550"), MAC)
    assert [item.split(":")[0] for item in told(team)] == ["target linux", "target mac"]
    team.targets = (MAC,)
    assert told(team) == ["target linux: is locked, and not declared any more", "target mac: is declared, and not locked yet"]


def test_another_known_good_set_is_named(team: Team) -> None:
    team.lock()
    team.files = (*team.files, make_lock(*team.files).files[0])
    (said,) = told(team)
    assert said.startswith("catalogue linux: has another known-good set for TensorFlow 2.20.0")


def test_files_that_somebody_else_wrote_are_named(team: Team) -> None:
    team.lock()
    path = team.folder / "requirements.linux.txt"
    text = path.read_bytes()
    # What git makes of it on Windows is the same file.
    path.write_bytes(text.replace(b"\n", b"\r\n"))
    assert told(team) == []
    path.write_bytes(text.replace(b"pandas==2.0", b"pandas==9.9"))
    assert told(team) == ["file requirements.linux.txt: was changed by something else than `tfsetup lock`"]
    path.unlink()
    assert told(team) == ["file requirements.linux.txt: is missing"]


def test_a_sidecar_that_says_something_else_is_named(team: Team) -> None:
    team.lock()
    path = team.folder / "tfsetup.lock.json"
    text = path.read_text()
    path.write_text(text.replace('"version": "2.0"', '"version": "1.0"'))
    assert told(team) == ["lock tfsetup.lock.json: holds other packages than requirements.linux.txt"]
    path.write_text("<<<<<<< HEAD\n" + text)
    (said,) = told(team)
    assert said.startswith("lock tfsetup.lock.json: cannot be read")


@pytest.mark.slow
def test_what_an_interrupted_run_left_is_named(team: Team) -> None:
    team.lock()
    (team.folder / ".tfsetup-lock-new").mkdir()
    (said,) = told(team)
    assert "what an interrupted run left" in said


@pytest.mark.slow
def test_a_file_that_is_gone_from_the_index_is_named(team: Team) -> None:
    team.lock()
    assert told(team, online=True) == []
    team.index.hidden.add("pandas-2.0-py3-none-any.whl")
    assert told(team, online=True) == ["index pandas-2.0-py3-none-any.whl: pandas 2.0 is not on the index any more"]


@pytest.mark.slow
def test_a_file_for_a_glibc_that_uv_has_no_name_for_is_found(team: Team) -> None:
    tag = f"cp{PYTHON.replace('.', '')}-cp{PYTHON.replace('.', '')}-manylinux_2_24_x86_64.manylinux_2_28_x86_64"
    team.index.add("fast", "1.0", tag=tag)
    team.requirements = ("fast",)
    team.targets = (replace(LINUX, floor="2.28"),)
    team.lock()
    assert told(team, online=True) == []


def test_a_file_that_is_served_with_another_hash_is_named(team: Team) -> None:
    team.lock()
    team.index.hashes["pandas-2.0-py3-none-any.whl"] = "0" * 64
    (said,) = told(team, online=True)
    assert said.startswith("index pandas-2.0-py3-none-any.whl: is served with another hash")


@pytest.mark.slow
def test_an_index_that_is_down_is_an_error_and_not_a_stale_lock(team: Team) -> None:
    team.lock()
    team.index.status = 503
    with pytest.raises(OperationError):
        check(team, online=True)


@pytest.mark.slow
def test_an_index_with_a_login_is_asked_with_it_and_shows_none(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = team.lock()
    team.index.login = "Basic dTpzM2NyZXQ="
    monkeypatch.setenv("LOCK_PASS", "s3cret")
    team.settings["indexes"] = (TeamIndex(url=team.index.url.replace("://", "://u:${LOCK_PASS}@")),)
    assert check(team, online=True).files == len(outcome.lock.targets[0].files)
    assert [said for said in told(team, online=True) if said.startswith("index")] == []
