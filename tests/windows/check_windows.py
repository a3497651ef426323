"""Further commands on Windows, around the environment that test_windows.py changes and takes away: run before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.real.check_layers import fingerprint
from tests.windows import machine
from tests.windows.conftest import RELEASE
from tests.windows.machine import assert_ended, tfsetup

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_detect_sees_the_pythons_of_the_registry_and_the_runtime_by_its_files(work: Path) -> None:
    machine.ready()
    found = json.loads(tfsetup("detect", "--json", cwd=work).out)
    assert {f"C:/Python{minor}/python.exe" for minor in ("38", "310", "313")} <= {item["path"] for item in found["interpreters"]["value"]}
    # wine's own, whose files tell no version.
    assert found["windows"]["vc_runtime"]["status"] == "unknown"
    assert found["windows"]["vc_runtime"]["source"].lower().endswith("system32/msvcp140.dll")


def test_a_plan_has_the_same_bytes_on_a_pipe_and_in_a_file(work: Path) -> None:
    shown = tfsetup("plan", "-t", RELEASE, "--json", "-o", "plan.json", "--env", "C:\\nowhere\\env", cwd=work)
    assert "\r" not in shown.out
    written = (work / "plan.json").read_bytes()
    assert b"\r" not in written
    assert json.loads(written)["env"]["path"] == "C:/nowhere/env"


def test_a_cause_is_explained_as_elsewhere(work: Path) -> None:
    log = "ImportError: DLL load failed while importing _pywrap_tensorflow_internal: The specified module could not be found."
    assert json.loads(tfsetup("explain", "--json", log, cwd=work).out)["findings"][0]["cause"] == "msvc-redist-missing"


def test_applied_again_nothing_changes(env: Path) -> None:
    before = fingerprint(env)
    assert_ended(tfsetup("apply", "--yes", "--env", "env", cwd=env.parent), 0, "Nothing to do")
    assert_ended(tfsetup("plan", "--exit-code", "--env", "env", cwd=env.parent), 0, "")
    assert fingerprint(env) == before


def test_verify_and_doctor_find_it_whole(env: Path) -> None:
    assert_ended(tfsetup("verify", "--env", "env", cwd=env.parent), 0, "Verified")
    assert_ended(tfsetup("doctor", "--env", "env", cwd=env.parent), 0, "")
