"""Every recorded machine of ``tests/hosts``: healthy with what the choice takes there, and found out where something is wrong with it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from provisioner.diagnose.case import Case
from provisioner.diagnose.checks import clibrary, cuda, driver, kernels, macos, processor, vc_runtime, windows
from provisioner.verify.raw import Expected
from tests.diagnose import cases

CHECKS = (
    *processor.CHECKS,
    *clibrary.CHECKS,
    *macos.CHECKS,
    *driver.CHECKS,
    *cuda.CHECKS,
    *vc_runtime.CHECKS,
    *windows.CHECKS,
    *kernels.CHECKS,
)
NAMES = sorted(path.stem for path in cases.HOSTS.glob("*.json") if "release" in json.loads(path.read_text())["expect"])
# The choice takes CUDA there because it was asked for by name, or because the variable that hides the GPU may be unset.
SICK = {"driver-missing-cuda": {"driver-missing"}, "gpu-hidden-by-variable": {"gpu-not-visible"}}


@pytest.mark.parametrize("name", NAMES)
def test_what_the_choice_takes_is_healthy(name: str) -> None:
    case = cases.recorded(name)
    assert case.release is not None
    said, findings = cases.run(case, *CHECKS)
    assert cases.codes(findings) == SICK.get(name, set()), said


def made_for_cuda(name: str, version: str, *, cuda: bool = True) -> Case:
    case = cases.recorded(name, version, device="cuda", reader=None if cuda else cases.environment(cuda=False))
    return dataclasses.replace(case, expected=Expected(tensorflow=version, device="cuda"))


@pytest.mark.parametrize(
    ("name", "version", "cause", "words"),
    [
        ("driver-mismatch", "2.21.0", "driver-kernel-mismatch", "550.107.02"),
        ("driver-missing", "2.21.0", "driver-missing", "no NVIDIA driver"),
        ("nouveau", "2.21.0", "driver-missing", "nouveau"),
        ("container-without-gpu", "2.21.0", "gpu-not-visible", "started without"),
        ("kubernetes-without-gpu", "2.21.0", "gpu-not-visible", "kubernetes"),
        ("gpu-permission", "2.21.0", "gpu-not-visible", "/dev/nvidia0"),
        ("vfio", "2.21.0", "gpu-not-visible", "vfio-pci"),
        ("a100-mig-empty", "2.21.0", "gpu-init-failed", "MIG"),
        ("driver-fallen-off", "2.21.0", "gpu-init-failed", "GPU is lost"),
        ("gpu-hidden-by-variable", "2.21.0", "gpu-not-visible", "CUDA_VISIBLE_DEVICES is '-1'"),
        ("h100-tensorflow-2.15-driver-525", "2.15.1", "driver-too-old", "PTX"),
        ("t4-driver-450", "2.21.0", "driver-too-old", "525.60.13"),
        ("wsl2-driver-old", "2.21.0", "driver-too-old", "528.33"),
        ("docker-driver-old", "2.21.0", "driver-too-old", "525.60.13"),
        ("rtx-5090", "2.21.0", "gpu-too-new", "Blackwell"),
        ("gtx-970-fedora", "2.21.0", "gpu-too-old", "compute capability 5.2"),
        ("k80", "2.21.0", "gpu-too-old", "Kepler"),
        ("celeron-no-avx", "2.21.0", "cpu-no-avx", "has no AVX"),
        ("qemu-tcg", "2.10.1", "cpu-no-avx", "QEMU"),
        ("tensorflow-2.4.0-without-avx2", "2.4.0", "cpu-no-avx", "AVX2 or FMA"),
        ("alpine", "2.21.0", "platform-unsupported", "musl"),
        ("centos-7", "2.21.0", "glibc-too-old", "2.27"),
        ("apple-m1-macos-11", "2.21.0", "macos-too-old", "12.0"),
    ],
)
def test_a_sick_machine_is_found_out(name: str, version: str, cause: str, words: str) -> None:
    _, findings = cases.run(made_for_cuda(name, version), *CHECKS)
    found = {finding.cause: finding for finding in findings if finding.severity in {"error", "warning"}}
    assert cause in found
    assert words in "\n".join(evidence.seen for evidence in found[cause].evidence)
    assert all(evidence.where for evidence in found[cause].evidence)
    assert found[cause].remedy.words


@pytest.mark.parametrize(
    ("name", "cause", "words"),
    [
        ("windows-11-rtx", "windows-gpu-unsupported", "WSL2"),
        ("dgx-spark", "cpu-only-build", "container"),
        ("h100", "cpu-only-build", "Install the build with CUDA"),
    ],
)
def test_a_build_without_cuda_where_a_gpu_is_wanted(name: str, cause: str, words: str) -> None:
    _, findings = cases.run(made_for_cuda(name, "2.21.0", cuda=False), *CHECKS)
    (finding,) = [finding for finding in findings if finding.cause == cause]
    assert finding.severity == "error"
    assert words in finding.remedy.words


@pytest.mark.parametrize("name", ["h100", "driver-mismatch", "alpine", "windows-11-rtx", "apple-m1", "wsl2-gpu"])
def test_a_case_of_which_little_is_known_has_no_finding_and_no_crash(name: str) -> None:
    _, facts, _ = cases.host(name)
    for case in (cases.make(facts, ""), cases.make(facts, "", env="")):
        _, findings = cases.run(case, *CHECKS)
        assert cases.codes(findings) <= {"platform-unsupported", "driver-kernel-mismatch"}


@pytest.mark.parametrize(("name", "version"), [("celeron-no-avx", "2.15.1"), ("t4-driver-450", "2.21.0"), ("rtx-5090", "2.21.0")])
def test_condas_builds_are_not_measured_by_pypis(name: str, version: str) -> None:
    case = made_for_cuda(name, version)
    case = dataclasses.replace(case, distributions=tuple(dataclasses.replace(item, installer="conda") for item in case.distributions))
    _, findings = cases.run(case, *CHECKS)
    assert not cases.codes(findings)
