"""The main job on Windows, with real TensorFlow: a new environment, the same again, one fault mended and taken back, and all of it undone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.check_layers import fingerprint
from tests.windows import machine
from tests.windows.machine import Ended, tfsetup

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.skipif(bool(machine.lacking()), reason=machine.lacking())]

# Small, as TensorFlow goes, and on the Python that the tool is not installed into.
RELEASE, PYTHON = "2.10.1", "3.10"
SITE = Path("Lib/site-packages")


@pytest.fixture(scope="module")
def work() -> Iterator[Path]:
    """A folder on drive C."""
    machine.ready()
    machine.install()
    folder = machine.DRIVE / "tfsetup-check"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def env(work: Path) -> Path:
    """One environment that apply made there."""
    assert_ended(tfsetup("apply", "--yes", "-t", RELEASE, "--env", ".\\env", cwd=work), 0, "Verified: TensorFlow 2.10.1 (cpu)")
    return work / "env"


def assert_ended(ended: Ended, code: int, says: str) -> None:
    assert ended.code == code, ended.out + ended.err
    assert says in ended.out, ended.out + ended.err


def test_detect_sees_the_pythons_of_the_registry_and_the_runtime_by_its_files(work: Path) -> None:
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


def test_a_fault_is_named_mended_and_the_mending_undone(env: Path) -> None:
    (env / SITE / "tensorflow" / "python" / "_pywrap_tensorflow_internal.pyd").write_bytes(b"MZ")
    broken = fingerprint(env)
    found = json.loads(tfsetup("doctor", "--json", "--env", "env", cwd=env.parent).out)["findings"][0]
    assert found["cause"] == "install-corrupt"
    assert_ended(tfsetup("fix", "--yes", "--env", "env", cwd=env.parent), 0, "Verified")
    assert_ended(tfsetup("undo", "--yes", "--env", "env", cwd=env.parent), 0, "as it was before")
    assert fingerprint(env) == broken


def test_and_taken_back_as_a_whole(env: Path) -> None:
    assert_ended(tfsetup("undo", "--yes", "--env", "env", cwd=env.parent), 0, "as it was before")
    assert not list(env.parent.glob("*env*"))
