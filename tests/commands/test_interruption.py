"""``plan``, ``verify`` and ``doctor`` on what an interrupted run left: they name the run, and do not take the half for faults."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.change.journal import Journal, write
from provisioner.commands.interruption import interruption
from provisioner.environment.workspace import Workspace
from provisioner.host.local import LocalHost
from provisioner.model.finding import Check, Verification
from provisioner.report.verify_text import verification_text
from tests.cli.conftest import inside, shared, tiny, variables, work
from tests.cli.support import Inside
from tests.hostile.test_state import venv

__all__ = ["inside", "shared", "tiny", "variables", "work"]
HOST = LocalHost()


def interrupt(env: Path, phase: str) -> None:
    """One of two moves is done, as far as the journal tells."""
    workspace = Workspace(root=str(env))
    for name in (f"{workspace.stage}/b", f"{env}/a"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("")
    write(HOST, workspace.journal, Journal(number=1, seal="", started="2026-01-01", phase=phase, before="venv", incoming=("a", "b")))


def test_verify_names_the_run_and_proves_nothing(inside: Inside, tiny: dict[str, str], work: Path) -> None:
    venv(work / "env")
    interrupt(work / "env", "moving")
    ended = inside("verify", "--json", "--env", str(work / "env"), **tiny)
    assert ended.code == 14
    first = json.loads(ended.out)["findings"][0]
    assert "was interrupted" in first["title"]
    assert "half changed (1 of 2 moves are done)" in first["title"]
    assert first["remedy"]["steps"] == [f"tfsetup undo --env {work}/env"]


def test_doctor_names_the_run_alone(inside: Inside, tiny: dict[str, str], work: Path) -> None:
    venv(work / "env")
    interrupt(work / "env", "moving")
    ended = inside("doctor", "--json", "--no-import", "--env", str(work / "env"), **tiny)
    assert ended.code == 11
    assert ["was interrupted" in found["title"] for found in json.loads(ended.out)["findings"]] == [True]
    shown = inside("doctor", "--no-import", "--env", str(work / "env"), **tiny)
    assert f"tfsetup undo --env {work}/env" in shown.out


@pytest.mark.parametrize("command", [("plan",), ("doctor", "--no-import")], ids=" ".join)
def test_where_the_half_cannot_even_be_read_the_run_is_named(
    inside: Inside, tiny: dict[str, str], work: Path, command: tuple[str, ...]
) -> None:
    venv(work / "env")
    interrupt(work / "env", "moving")
    (work / "env" / "pyvenv.cfg").unlink()
    (work / "env" / "bin" / "python").unlink()
    ended = inside(*command, "--env", str(work / "env"), **tiny)
    assert "was interrupted" in ended.err + ended.out, ended
    assert f"tfsetup undo --env {work}/env" in ended.err + ended.out


def test_what_never_reached_the_environment_is_said_and_no_fault(inside: Inside, tiny: dict[str, str], work: Path) -> None:
    venv(work / "env")
    interrupt(work / "env", "building")
    findings = json.loads(inside("doctor", "--json", "--no-import", "--env", str(work / "env"), **tiny).out)["findings"]
    assert [found["severity"] for found in findings if "was interrupted" in found["title"]] == ["info"]
    assert len(findings) > 1, "the rest is examined"


@pytest.mark.parametrize("command", ["verify", "doctor"])
@pytest.mark.parametrize("left", ["tfsetup-new", "tfsetup-old"])
def test_where_there_is_no_environment_what_lies_beside_is_named(
    inside: Inside, tiny: dict[str, str], work: Path, command: str, left: str
) -> None:
    (work / f".env.{left}").mkdir()
    ended = inside(command, "--env", str(work / "env"), **tiny)
    assert ended.code == 2
    assert "was interrupted" in ended.err
    assert f"tfsetup undo --env {work}/env" in ended.err


@pytest.mark.parametrize("command", [("verify",), ("doctor", "--no-import"), ("plan",)], ids=" ".join)
def test_what_is_harmless_is_shown_with_its_command_all_the_same(
    inside: Inside, tiny: dict[str, str], work: Path, command: tuple[str, ...]
) -> None:
    venv(work / "env")
    interrupt(work / "env", "building")
    ended = inside(*command, "--env", str(work / "env"), **tiny)
    assert "interrupted" in ended.out
    assert f"tfsetup undo --env {work}/env" in ended.out


def test_where_nothing_fits_the_interrupted_run_is_named_first(inside: Inside, tiny: dict[str, str], work: Path) -> None:
    """What it left may be why nothing fits."""
    venv(work / "env")
    interrupt(work / "env", "building")
    ended = inside("plan", "--env", str(work / "env"), "--tensorflow", "2.19", **tiny)
    assert ended.code == 12
    assert ended.err.index("interrupted") < ended.err.index("2.19")
    assert f"tfsetup undo --env {work}/env" in ended.err


@pytest.mark.parametrize("verbose", [False, True])
def test_where_all_is_well_it_is_shown_in_the_short_report_too(work: Path, verbose: bool) -> None:
    env = work / "env"
    (env / ".tfsetup" / "stage").mkdir(parents=True)
    found = interruption(HOST, str(env))
    assert found is not None
    assert found.interrupted
    well = Verification(env=str(env), python="", tensorflow="2.20.0", device="cpu", checks=(), libraries=(), findings=(found,))
    assert f"$ tfsetup undo --env {env}" in verification_text(
        replace(well, checks=(Check(name="import", status="passed"),)), verbose=verbose
    )
