"""Checks of NVIDIA's driver: is it there, does it answer, is it new enough; those of the GPUs follow."""

from __future__ import annotations

import re

from provisioner.causes.findings import Findings
from provisioner.choose import driver as driving
from provisioner.diagnose import alternative, devices, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.diagnose.checks import gpus
from provisioner.model.finding import Evidence, Remedy
from provisioner.verify.judge_gpu import driver_cause

RELOAD = ("nvidia-smi", "sudo dmesg | grep -iE 'nvrm|xid' | tail -20", "sudo rmmod nvidia_uvm", "sudo modprobe nvidia_uvm")
# Words of facts/gpu_answers.py for what is wrong with a driver that is there: the cause, and what a person can do.
TROUBLES = (
    (
        "may not open",
        "gpu-not-visible",
        "let this user open the device files: join the group that owns them (often video or render), then log in again",
        ("ls -l /dev/nvidia*", "id", "sudo usermod -aG video,render $USER"),
    ),
    (
        "/dev/nvidia-uvm is not there",
        "gpu-not-visible",
        "load the module that CUDA needs beside the driver",
        ("sudo modprobe nvidia-uvm", "sudo nvidia-modprobe -u -c=0"),
    ),
    (
        "control groups",
        "gpu-not-visible",
        "ask the scheduler or the container engine for a GPU: it keeps those of the machine from this process",
        ("nvidia-smi -L",),
    ),
    (
        "MIG is on",
        "gpu-init-failed",
        "make an instance on the GPU, or turn MIG off",
        ("sudo nvidia-smi mig -lgip", "sudo nvidia-smi mig -cgi 0 -C", "sudo nvidia-smi -mig 0"),
    ),
    (
        "kernel module is not loaded",
        "gpu-not-visible",
        "load the driver's kernel module",
        ("sudo modprobe nvidia", "sudo dmesg | grep -i nvrm | tail -20"),
    ),
)


def driver(case: Case, findings: Findings) -> str:
    """NVIDIA's driver: absent, not answering, of two versions, or answering."""
    gpu_state = driving.look(case.facts, case.catalogue)
    if gpu_state.state == "none":
        raise Skipped(gpu_state.why or "no NVIDIA GPU on this machine")
    if tensorflow.cuda_build(case) is False:
        raise Skipped("this build uses no GPU, so the driver does not matter to it")
    event = case.libraries.first("driver") if case.libraries is not None else {}
    if gpu_state.state == "hidden":
        evidence = [Evidence(seen=gpu_state.why, where=_where(case))]
        if event and event["code"]:
            evidence.append(_said(event))
        cause, remedy = _hidden(gpu_state)
        findings.add(cause, tensorflow.severity_without_gpu(tensorflow.purpose(case)), "certain", *evidence, *_devices(case), remedy=remedy)
        return gpu_state.why
    if event and event["code"]:
        return _refused(case, event, findings)
    return f"the driver {case.facts.driver.release.value or 'of an unknown release'} answers for {len(gpu_state.gpus)} GPU(s)"


def _hidden(gpu_state: driving.GpuState) -> tuple[str, Remedy]:
    """The cause and what to do about it, where the driver's own trouble (``facts/gpu_answers.py``) says more than the choice needs."""
    for words, cause, advice, steps in TROUBLES:
        if gpu_state.code in {"gpu-init-failed", "gpu-not-visible"} and words in gpu_state.why:
            return cause, alternative.remedy(advice, *steps)
    if gpu_state.code == "gpu-init-failed":
        return gpu_state.code, alternative.remedy(
            "see what the kernel says of the GPU; reload nvidia_uvm (after a suspend), or restart the machine", *RELOAD
        )
    if gpu_state.code == "driver-kernel-mismatch":
        return gpu_state.code, alternative.remedy(
            "restart the machine, so that the module of the installed driver is loaded", "sudo reboot"
        )
    return gpu_state.code, _remedy(gpu_state.remedy)


def _refused(case: Case, event: dict[str, object], findings: Findings) -> str:
    """The driver answers the tool, and not TensorFlow's process: what cuInit said there."""
    code = int(str(event["code"]))
    if devices.hides_all(case, case.facts.gpus.value or ()):
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    cause, confidence = driver_cause(code, findings.messages.order)
    findings.add(cause, tensorflow.severity_without_gpu(tensorflow.purpose(case)), confidence, _said(event), *_devices(case))
    return _said(event).seen


def _said(event: dict[str, object]) -> Evidence:
    return Evidence(seen=f"cuInit answers {event['code']} {event['name']}".rstrip(), where="libcuda.so.1 in a process of its own")


def _where(case: Case) -> str:
    facts = case.facts
    sources = [
        fact.source for fact in (facts.driver.kernel_module, facts.driver.release, facts.pci_gpus) if fact.status == "known" and fact.source
    ]
    return ", ".join(dict.fromkeys(sources))


def _devices(case: Case) -> list[Evidence]:
    found = []
    bus = [device for device in case.facts.pci_gpus.value or () if device.vendor == "nvidia"]
    if bus:
        words = ", ".join(f"{device.id} at {device.slot}" + (f" ({device.driver})" if device.driver else "") for device in bus[:4])
        found.append(Evidence(seen=f"NVIDIA device {words}", where=case.facts.pci_gpus.source))
    files = case.facts.driver.devices
    if files.value:
        found.append(Evidence(seen=f"device files {', '.join(files.value)}", where=files.source))
    return found


def _remedy(words: str) -> Remedy:
    """The remedy of the choice: words in which the commands stand in backquotes, and those that can be typed as steps."""
    typed = [
        step
        for step in re.findall(r"`([^`]+)`", words)
        if re.match(r"(sudo|docker|podman|apptainer|singularity|wsl\.exe|nvidia-smi) ", step)
    ]
    return alternative.remedy(words, *(part for step in typed for part in step.split(" && ")))


def driver_release(case: Case, findings: Findings) -> str:
    """The driver that answers is new enough for the CUDA of this build, and for its PTX where a GPU needs that."""
    gpu_state = driving.look(case.facts, case.catalogue)
    if gpu_state.state != "answers":
        raise Skipped("no driver answers")
    cuda = devices.cuda(case)
    if cuda is None:
        raise Skipped("this build uses no CUDA")
    obstacle, unsure = driving.check_driver(case.facts, case.catalogue, cuda, devices.judgements(case, cuda))
    if unsure:
        raise CouldNotTell(unsure)
    release, supported = case.facts.driver.release, case.facts.driver.cuda
    if obstacle is not None:
        seen = Evidence(seen=f"TensorFlow {devices.version(case)} {obstacle.why}", where=release.source)
        newest = (
            [Evidence(seen=f"the newest CUDA that the driver supports is {supported.value}", where=supported.source)]
            if supported.value
            else []
        )
        findings.add(obstacle.code, devices.gravity(case), "certain", seen, *newest, remedy=_driver_remedy(case, obstacle.remedy))
    return f"driver {release.value}, CUDA {cuda.version} needs {driving.floor(case.facts, cuda)} or newer"


def _driver_remedy(case: Case, words: str) -> Remedy:
    commands = _remedy(words)
    beside = alternative.working(case, "cuda")
    return alternative.remedy(
        f"{words}; or take a release for this driver, beside this environment" if beside else words, *commands.steps, *beside
    )


CHECKS = (
    CheckSpec(name="driver", title="NVIDIA's driver answers", look=driver),
    CheckSpec(name="driver-release", title="NVIDIA's driver is new enough for this CUDA", look=driver_release, seconds=10.0),
    *gpus.CHECKS,
)
