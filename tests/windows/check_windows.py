"""Further commands on Windows, around the environment that test_windows.py changes and takes away: run before it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.check_layers import fingerprint
from tests.windows import machine
from tests.windows.conftest import PYTHON, RELEASE
from tests.windows.machine import REPOSITORY, assert_ended, tfsetup, winpy

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
    assert_ended(shown, 0, "")
    assert "\r" not in shown.out
    written = (work / "plan.json").read_bytes()
    assert b"\r" not in written
    assert json.loads(written)["env"]["path"] == "C:/nowhere/env"


def test_a_drive_and_a_share_that_are_not_there_are_refused(work: Path) -> None:
    """It was searched without end for a folder above them that is there."""
    for place, root in ((r"X:\a\env", "X:\\"), (r"\\nowhere\share\env", "//nowhere/share")):
        ended = tfsetup("plan", "--env", place, cwd=work)
        assert (ended.code, f"this machine finds no {root}" in ended.err) == (2, True), ended.err


def test_an_interpreter_is_named_with_backslashes(work: Path) -> None:
    python = f"C:\\Python{PYTHON.replace('.', '')}\\python.exe"
    assert_ended(tfsetup("plan", "-t", RELEASE, "--python", python, "--env", "new", cwd=work), 0, f"Python {PYTHON}")


def test_an_environment_of_virtualenv_is_whole(work: Path) -> None:
    """Its RECORD of pip has backslashes, and folders of byte code that are not there."""
    base = f"C:\\Python{PYTHON.replace('.', '')}\\python.exe"
    assert_ended(winpy(machine.PYTHON, "-m", "virtualenv", "-q", "-p", base, "virtual", cwd=work), 0, "")
    found = json.loads(tfsetup("doctor", "--json", "--env", "virtual", cwd=work).out)["findings"]
    assert [item["cause"] for item in found] == ["tf-not-installed"]
    shutil.rmtree(work / "virtual")


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


def test_a_kernel_is_registered_where_jupyter_looks_and_taken_back(env: Path) -> None:
    before = fingerprint(env)
    kernels = machine.DRIVE / "users" / "root" / "AppData" / "Roaming" / "jupyter" / "kernels"
    assert_ended(tfsetup("kernel", "--yes", "--env", "env", "--name", "tf-check", cwd=env.parent), 0, "the kernel `env (TensorFlow")
    spec = json.loads((kernels / "tf-check" / "kernel.json").read_text(encoding="utf-8"))
    assert spec["argv"][0].replace("/", "\\").endswith("\\env\\Scripts\\python.exe")
    started = winpy(
        str(env / "Scripts/python.exe"), "-c", "import ipykernel, tensorflow; print(ipykernel.version_info[0] > 4)", cwd=env.parent
    )
    assert_ended(started, 0, "True")
    assert_ended(tfsetup("undo", "--yes", "--env", "env", cwd=env.parent), 0, "as it was before")
    assert not (kernels / "tf-check").exists()
    assert fingerprint(env) == before


def test_what_runs_in_the_environment_and_what_is_told_of_it(env: Path) -> None:
    assert_ended(tfsetup("run", "--env", "env", "python", "-c", "import sys; print(sys.prefix)", cwd=env.parent), 0, str(env.name))
    assert_ended(tfsetup("status", "--env", "env", cwd=env.parent), 0, RELEASE)
    assert_ended(tfsetup("list", cwd=env.parent), 0, "env")


@pytest.fixture
def mine(work: Path) -> Iterator[Path]:
    """An environment that somebody made by hand, with two packages that own one folder, and one of their own."""
    path = work / "mine"
    python = ["--python", str(path / "Scripts/python.exe")]
    assert_ended(winpy("uv", "venv", "--quiet", "--python", PYTHON, str(path), cwd=work), 0, "")
    assert_ended(
        winpy("uv", "pip", "install", "--quiet", *python, f"tensorflow=={RELEASE}", "numpy<1.24", "protobuf<3.20", "tqdm", cwd=work), 0, ""
    )
    assert_ended(winpy("uv", "pip", "install", "--quiet", *python, "--no-deps", "tensorflow-cpu==2.9.3", cwd=work), 0, "")
    yield path
    shutil.rmtree(path)


def test_rivals_are_taken_out_of_an_environment_made_by_hand_and_come_back(mine: Path) -> None:
    before = fingerprint(mine)
    assert_ended(tfsetup("apply", "--yes", "-t", RELEASE, "--env", "mine", cwd=mine.parent), 0, f"Verified: TensorFlow {RELEASE} (cpu)")
    assert not list(mine.glob("Lib/site-packages/tensorflow_cpu-2.9.3.dist-info"))
    assert_ended(tfsetup("doctor", "--env", "mine", cwd=mine.parent), 0, "")
    assert_ended(tfsetup("undo", "--yes", "--env", "mine", cwd=mine.parent), 0, "as it was before")
    assert fingerprint(mine) == before


@pytest.mark.parametrize("installer", ["uv", "pipx"])
def test_it_is_a_program_of_windows(work: Path, tmp_path: Path, installer: str) -> None:
    """``uv tool install`` and ``pipx install`` make tfsetup.exe, which answers like the module."""
    subprocess.run([sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), str(REPOSITORY)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    programs = work / "programs"
    places = {
        "UV_TOOL_DIR": f"C:\\{work.name}\\programs\\uv",
        "UV_TOOL_BIN_DIR": f"C:\\{work.name}\\programs",
        "PIPX_HOME": f"C:\\{work.name}\\programs\\pipx",
        "PIPX_BIN_DIR": f"C:\\{work.name}\\programs",
    }
    if installer == "pipx":
        pipx = work / "pipx"
        target = ["--target", str(pipx), "--python-platform", "x86_64-pc-windows-msvc", "--python-version", machine.PYTHON]
        subprocess.run([sys.executable, "-m", "uv", "pip", "install", "--quiet", *target, "--only-binary", ":all:", "pipx"], check=True)
        asked = winpy(machine.PYTHON, "-m", "pipx", "install", str(wheel), cwd=work, PYTHONPATH=f"C:\\{work.name}\\pipx", **places)
    else:
        asked = winpy("uv", "tool", "install", "--quiet", "--python", machine.PYTHON, str(wheel), cwd=work, **places)
    try:
        assert asked.code == 0, asked.out + asked.err
        # What pipx links into its folder of programs is not there under wine, whose links are none of Windows'.
        program = next(programs.rglob("Scripts/tfsetup.exe"))
        assert winpy(str(program), "--version", cwd=work).out.split() == tfsetup("--version", cwd=work).out.split()
    finally:
        shutil.rmtree(programs, ignore_errors=True)
