"""The processor: what the kernel lists, what the process itself met, and files of another architecture."""

from __future__ import annotations

import dataclasses

import pytest

from provisioner.diagnose.checks.processor import CHECKS
from provisioner.model.facts import known
from tests.diagnose import cases

GUARD = (
    "2024-01-01 F tensorflow/core/platform/cpu_feature_guard.cc:38] The TensorFlow library was compiled to use AVX instructions, but these "
    "aren't available on your machine."
)
ELF = {
    "x86_64": b"\x7fELF\x02\x01\x01" + bytes(11) + (62).to_bytes(2, "little") + bytes(44),
    "aarch64": b"\x7fELF\x02\x01\x01" + bytes(11) + (183).to_bytes(2, "little") + bytes(44),
    "i686": b"\x7fELF\x01\x01\x01" + bytes(11) + (3).to_bytes(2, "little") + bytes(44),
}


def found(case):
    said, findings = cases.run(case, *CHECKS)
    return said, {finding.cause: finding for finding in findings}


@pytest.mark.parametrize("code", [-4, 132])
def test_an_illegal_instruction_on_a_processor_that_has_all_is_likely_an_emulator(code: int) -> None:
    case = cases.recorded("debian-12", "2.15.1", device="cpu", child=cases.child(code, done=False))
    _, findings = found(case)
    assert (findings["cpu-no-avx"].severity, findings["cpu-no-avx"].confidence) == ("error", "likely")
    assert any("emulator" in evidence.seen for evidence in findings["cpu-no-avx"].evidence)


def test_an_illegal_instruction_on_a_processor_without_avx_is_certain() -> None:
    _, findings = found(cases.recorded("celeron-no-avx", "2.15.1", device="cpu", child=cases.child(-4, done=False)))
    assert findings["cpu-no-avx"].confidence == "certain"


def test_tensorflows_own_guard_is_certain() -> None:
    _, findings = found(cases.recorded("debian-12", "2.15.1", device="cpu", child=cases.child(-6, err=GUARD, done=False)))
    assert findings["cpu-no-avx"].confidence == "certain"
    assert "compiled to use AVX" in findings["cpu-no-avx"].evidence[0].seen


def test_an_import_that_failed_without_a_crash_tells_nothing_of_the_processor() -> None:
    """On Windows a DLL that needs AVX fails while it starts, which is an ImportError; the process comes to its end."""
    failed = (
        {"event": "start", "check": "import", "device": ""},
        {
            "event": "end",
            "check": "import",
            "device": "",
            "status": "failed",
            "detail": "ImportError: DLL load failed",
            "seconds": 1.0,
            "data": {},
        },
    )
    _, findings = found(cases.recorded("celeron-no-avx", "2.15.1", device="cpu", child=cases.child(events=failed)))
    assert findings["cpu-no-avx"].confidence == "certain"


def test_an_import_that_worked_weighs_more_than_the_list_of_the_kernel() -> None:
    said, findings = found(cases.recorded("celeron-no-avx", "2.15.1", device="cpu", child=cases.child()))
    assert not findings
    assert said["instructions"].startswith("it was imported")


@pytest.mark.parametrize("code", [-11, -6, 1])
def test_another_end_of_the_import_is_not_judged_here(code: int) -> None:
    assert not found(cases.recorded("debian-12", "2.15.1", device="cpu", child=cases.child(code, done=False)))[1]


def test_what_is_not_known_is_not_told() -> None:
    _, facts, _ = cases.host("debian-12")
    cpu = dataclasses.replace(facts.cpu, features=dataclasses.replace(facts.cpu.features, status="unknown", value=None, why="no /proc"))
    said, findings = found(cases.make(dataclasses.replace(facts, cpu=cpu), "2.15.1"))
    assert said["instructions"].startswith("could not tell")
    assert said["architecture"].startswith("could not tell")
    assert not findings


def test_an_interpreter_for_another_architecture() -> None:
    reader = cases.environment(cuda=False, files={cases.PYTHON: ELF["aarch64"], cases.FRAMEWORK: ELF["aarch64"]})
    _, findings = found(cases.recorded("debian-12", "2.15.1", device="cpu", reader=reader))
    assert (findings["wrong-arch-binary"].severity, findings["wrong-arch-binary"].confidence) == ("error", "certain")
    assert findings["wrong-arch-binary"].evidence[0].where == cases.PYTHON


def test_an_interpreter_that_an_emulator_runs_well_is_no_fault() -> None:
    reader = cases.environment(cuda=False, files={cases.PYTHON: ELF["aarch64"], cases.FRAMEWORK: ELF["aarch64"]})
    assert not found(cases.recorded("debian-12", "2.15.1", device="cpu", reader=reader, child=cases.child()))[1]


def test_a_32_bit_interpreter_on_a_64_bit_system() -> None:
    reader = cases.environment(cuda=False, files={cases.PYTHON: ELF["i686"]})
    _, findings = found(cases.recorded("debian-12", "2.15.1", device="cpu", reader=reader))
    assert set(findings) == {"python-32bit"}
    _, facts, _ = cases.host("windows-python-32bit")
    _, findings = found(cases.make(facts, "", survey=cases.survey(bits=32, machine="x86_64")))
    assert set(findings) == {"python-32bit"}


@pytest.mark.parametrize(("machine", "causes"), [("x86_64", {"wrong-arch-binary"}), ("arm64", set())])
def test_rosetta(machine: str, causes: set[str]) -> None:
    _, facts, _ = cases.host("rosetta")
    assert facts.system.architecture == known("aarch64", facts.system.architecture.source)
    _, findings = found(cases.make(facts, "2.15.1", survey=cases.survey(machine=machine)))
    assert set(findings) == causes
