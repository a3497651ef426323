"""The driver as TensorFlow's own process meets it, and the variable that hides GPUs; the machines themselves are in ``test_recorded``."""

from __future__ import annotations

import dataclasses

import pytest

from provisioner.diagnose.checks.driver import CHECKS
from tests.diagnose import cases

OUT_OF_MEMORY = "2024-01-01 00:00:00.0: E cuda_blas.cc:180] failed to create cublas handle: the resource allocation failed"
UNKNOWN = "E tensorflow/stream_executor/cuda/cuda_driver.cc:271] failed call to cuInit: CUDA_ERROR_UNKNOWN: unknown error"
NO_GPU = {"event": "end", "check": "devices", "device": "", "status": "passed", "detail": "", "seconds": 0.1, "data": {"gpus": []}}
A_GPU = {**NO_GPU, "data": {"gpus": [{"device": "/GPU:0"}]}}


def found(name: str, *, libraries=None, device: str = "cuda", **changes):
    case = cases.recorded(name, "2.21.0", device=device, **changes)
    if libraries is not None:
        case = dataclasses.replace(case, libraries=cases.opened(case.build.cuda, driver=libraries))
    said, findings = cases.run(case, *CHECKS)
    return said, {finding.cause: finding for finding in findings}


@pytest.mark.parametrize(
    ("code", "cause", "confidence"),
    [
        (2, "gpu-memory", "likely"),
        (34, "driver-missing", "certain"),
        (35, "driver-too-old", "certain"),
        (100, "gpu-not-visible", "certain"),
        (803, "driver-kernel-mismatch", "certain"),
        (999, "gpu-init-failed", "likely"),
    ],
)
def test_what_cuinit_answers_where_the_tool_itself_sees_the_gpu(code: int, cause: str, confidence: str) -> None:
    _, findings = found("h100", libraries=code)
    assert findings[cause].confidence == confidence
    assert f"cuInit answers {code}" in findings[cause].evidence[0].seen


def test_cuinit_on_a_machine_without_a_gpu_says_nothing() -> None:
    assert not found("debian-12", libraries=100)[1]


@pytest.mark.parametrize(("line", "cause"), [(OUT_OF_MEMORY, "gpu-memory"), (UNKNOWN, "gpu-init-failed")])
def test_what_the_import_says_where_it_lists_no_gpu(line: str, cause: str) -> None:
    _, findings = found("h100", child=cases.child(err=f"noise\n{line}\n", events=(NO_GPU,)))
    assert cause in findings
    assert not found("h100", child=cases.child(err=line, events=(A_GPU,)))[1]
    said, findings = found("h100", child=cases.child(1, err=line, done=False))
    assert not findings
    assert said["gpu-listed"].startswith("could not tell")


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("", True),
        ("-1", True),
        ("NoDevFiles", True),
        ("7", False),
        ("8", True),
        ("0,99", False),
        ("99,0", True),
        ("GPU-", False),
        ("GPU-ffffffff", False),
        ("MIG-0", False),
        ("99999999999999999999", True),
    ],
)
def test_the_first_name_that_fits_no_gpu_ends_the_list(value: str, hidden: bool) -> None:
    """The recorded GPUs have no UUID, so that any could be theirs."""
    reader = cases.environment(cuda=True, env={"CUDA_VISIBLE_DEVICES": value})
    _, findings = found("h100", reader=reader)
    assert ({"gpu-not-visible": "warning"} if hidden else {}) == {cause: finding.severity for cause, finding in findings.items()}


def test_a_uuid_must_be_one_of_the_machines() -> None:
    _, facts, _ = cases.host("t4")
    gpu = dataclasses.replace(facts.gpus.value[0], uuid="GPU-8932f937-d72c-4106-c12f-20bd9faed9f6")
    facts = dataclasses.replace(facts, gpus=dataclasses.replace(facts.gpus, value=(gpu,)))
    for value, hidden in (("GPU-8932f937", False), ("GPU-1", True)):
        reader = cases.environment(cuda=True, env={"CUDA_VISIBLE_DEVICES": value})
        assert ("gpu-not-visible" in found("t4", reader=reader, facts=facts)[1]) is hidden


def test_a_driver_of_unknown_release_is_not_judged() -> None:
    _, facts, _ = cases.host("h100")
    driver = dataclasses.replace(
        facts.driver, release=dataclasses.replace(facts.driver.release, status="unknown", value=None, why="no NVML")
    )
    said, findings = found("h100", facts=dataclasses.replace(facts, driver=driver))
    assert said["driver-release"].startswith("could not tell: Could not tell the NVIDIA driver's release (no NVML)")
    assert not findings


def test_a_gpu_of_unknown_capability_is_not_judged() -> None:
    said, findings = found("capability-unknown")
    assert said["gpus"].startswith("could not tell")
    assert not findings


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("driver-missing", ("sudo apt update", "sudo apt install nvidia-driver-535", "sudo reboot")),
        ("container-without-gpu", ("docker run --gpus all",)),
        ("driver-mismatch", ("sudo reboot",)),
        ("a100-mig-empty", ("sudo nvidia-smi mig -lgip", "sudo nvidia-smi mig -cgi 0 -C", "sudo nvidia-smi -mig 0")),
    ],
)
def test_the_commands_of_the_remedy(name: str, steps: tuple[str, ...]) -> None:
    (finding,) = found(name)[1].values()
    assert finding.remedy.steps == steps


def test_the_driver_does_not_matter_to_a_cpu_build() -> None:
    assert not found("driver-mismatch", device="cpu")[1]


def test_an_environment_without_a_plan_is_warned() -> None:
    reader = cases.environment(cuda=True)
    case = dataclasses.replace(
        cases.recorded("driver-mismatch", "2.21.0", reader=reader), distributions=(cases.distribution("tensorflow", "2.21.0"),)
    )
    _, findings = cases.run(case, *CHECKS)
    assert [(finding.cause, finding.severity) for finding in findings] == [("driver-kernel-mismatch", "warning")]
