"""The main job on Debian for arm64, as qemu runs it: a real TensorFlow for aarch64 comes, is broken, mended, and leaves. Run by `make arm64`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.arm64 import machine
from tests.cli.support import Ended
from tests.real.check_layers import fingerprint
from tests.real.test_apply import tfsetup as tfsetup_here

pytestmark = [pytest.mark.real, pytest.mark.slow]

SUITE = "bookworm"
# The newest one that its Python has a set for and that is not the largest.
RELEASE = "2.15.1"
NATIVE = "env/lib/python3.11/site-packages/tensorflow/python/_pywrap_tensorflow_internal.so"


@pytest.fixture(scope="module")
def work() -> Iterator[Path]:
    """A folder on the machine; without one the tests are skipped."""
    if lacking := machine.lacking():
        pytest.skip(f"nothing is run on aarch64: {lacking}")
    root = machine.ready(SUITE)
    machine.install(SUITE)
    folder = root / "work" / "check"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)
    # What apply fetched, which this machine's uv does not share.
    shutil.rmtree(root / "root/.cache", ignore_errors=True)


def tfsetup(*argv: str, cwd: Path, code: int = 0, says: str = "") -> Ended:
    """Run the tool there, and hold it to its exit code and to what it says."""
    ended = machine.tfsetup(*argv, suite=SUITE, cwd=cwd)
    assert ended.code == code, ended.out + ended.err
    assert says in ended.out, ended.out + ended.err
    return ended


def test_detect_counts_the_programs_of_the_folder_and_its_facts_plan_the_same_elsewhere(work: Path) -> None:
    facts = work / "facts.json"
    facts.write_text(tfsetup("detect", "--json", cwd=work).out)
    system = json.loads(facts.read_text())["system"]
    assert (system["architecture"]["value"], system["process_architecture"]["value"], system["translated"]["value"]) == (
        "aarch64",
        "aarch64",
        True,
    )
    there = json.loads(tfsetup("plan", "--json", "--env", "/here/env", cwd=work).out)
    here = json.loads(tfsetup_here("plan", "--json", "--facts", str(facts), "--env", "/here/env").stdout)
    assert there["choice"] == here["choice"]
    assert there["lock"] == here["lock"]


def test_an_environment_comes_and_a_second_apply_changes_nothing(work: Path) -> None:
    tfsetup("apply", "--yes", "-t", RELEASE, "--env", "env", cwd=work, says=f"Verified: TensorFlow {RELEASE} (cpu)")
    before = fingerprint(work / "env")
    tfsetup("apply", "--yes", "--env", "env", cwd=work, says="Nothing to do")
    assert fingerprint(work / "env") == before


def test_a_library_is_missed_brought_back_and_the_mending_undone(work: Path) -> None:
    (work / NATIVE).unlink()
    broken = fingerprint(work / "env")
    found = json.loads(tfsetup("doctor", "--json", "--env", "env", cwd=work, code=11).out)["findings"]
    assert found[0]["cause"] == "install-corrupt"
    tfsetup("fix", "--yes", "--env", "env", cwd=work, says="Verified")
    tfsetup("undo", "--yes", "--env", "env", cwd=work, says="as it was before")
    assert fingerprint(work / "env") == broken


def test_and_leaves(work: Path) -> None:
    tfsetup("undo", "--yes", "--env", "env", cwd=work)
    assert not (work / "env").exists()
