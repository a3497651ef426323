"""Checks of NVIDIA's driver and devices: is it there, does it answer, is it new enough, and can this build use each GPU."""

from __future__ import annotations

import re

from provisioner.causes.findings import Findings
from provisioner.choose import driver as driving
from provisioner.choose import gpu as judging
from provisioner.choose.platforms import gpu_elsewhere, has_cuda, platform_of
from provisioner.choose.view import CatalogueView
from provisioner.diagnose import instead, target
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell
from provisioner.errors import CouldNotTellError
from provisioner.model.catalogue import CudaBuild
from provisioner.model.facts import Gpu
from provisioner.model.finding import Confidence, Evidence, Remedy, Severity
from provisioner.model.plan import GpuJudgement
from provisioner.verify.judge_gpu import DRIVER_CODES

# The GPUs' memory is taken: CUDA_ERROR_OUT_OF_MEMORY of cuda.h, as cuInit or the first allocation gives it.
OUT_OF_MEMORY = 2
NO_CATALOGUE = "there is no catalogue to ask"


def driver(case: Case, findings: Findings) -> str:
    """NVIDIA's driver: absent, not answering, of two versions, or answering."""
    sight = driving.look(case.facts, _catalogue(case))
    if sight.state == "none":
        return sight.why or "no NVIDIA GPU on this machine"
    if target.cuda_build(case) is False:
        return "this build uses no GPU, so the driver does not matter to it"
    event = case.libraries.first("driver") if case.libraries is not None else {}
    if sight.state == "hidden":
        evidence = [Evidence(seen=sight.why, where=_where(case))]
        if event and event["code"]:
            evidence.append(_said(event))
        purpose = target.purpose(case)
        findings.add(sight.code, purpose.severity, "certain", *evidence, *_devices(case), remedy=_remedy(sight.remedy))
        return sight.why
    if event and event["code"]:
        return _refused(case, event, findings)
    return f"the driver {case.facts.driver.release.value or 'of an unknown release'} answers for {len(sight.gpus)} GPU(s)"


def _catalogue(case: Case) -> CatalogueView:
    if case.catalogue is None:
        raise CouldNotTell(NO_CATALOGUE)
    return case.catalogue


def _refused(case: Case, event: dict[str, object], findings: Findings) -> str:
    """The driver answers the tool, and not TensorFlow's process: what cuInit said there."""
    code = int(str(event["code"]))
    if _hides_all(case, case.facts.gpus.value or ()):
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    cause = "gpu-memory" if code == OUT_OF_MEMORY else DRIVER_CODES.get(code, "gpu-init-failed")
    confidence: Confidence = "likely" if cause in {"gpu-init-failed", "gpu-memory"} else "certain"
    findings.add(cause, target.purpose(case).severity, confidence, _said(event), *_devices(case))
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
    return instead.remedy(words, *(part for step in typed for part in step.split(" && ")))


def driver_release(case: Case, findings: Findings) -> str:
    """The driver that answers is new enough for the CUDA of this build, and for its PTX where a GPU needs that."""
    sight = driving.look(case.facts, _catalogue(case))
    if sight.state != "answers":
        return "no driver answers"
    cuda = _cuda(case)
    if cuda is None:
        return "this build uses no CUDA"
    obstacle, unsure = driving.check_driver(case.facts, _catalogue(case), cuda, _judgements(case, cuda))
    if unsure:
        raise CouldNotTell(unsure)
    release, supported = case.facts.driver.release, case.facts.driver.cuda
    if obstacle is not None:
        seen = Evidence(seen=f"TensorFlow {_version(case)} {obstacle.why}", where=release.source)
        newest = (
            [Evidence(seen=f"the newest CUDA that the driver supports is {supported.value}", where=supported.source)]
            if supported.value
            else []
        )
        findings.add(obstacle.code, _gravity(case), "certain", seen, *newest, remedy=_driver_remedy(case, obstacle.remedy))
    return f"driver {release.value}, CUDA {cuda.version} needs {driving.floor(case.facts, cuda)} or newer"


def _gravity(case: Case) -> Severity:
    """A GPU answers and this is a CUDA build, so TensorFlow will try to use it: that it cannot is never mere information, unless asked for."""
    return "info" if target.purpose(case).device == "cpu" else "error"


def _driver_remedy(case: Case, words: str) -> Remedy:
    commands = _remedy(words)
    beside = instead.working(case, "cuda")
    return instead.remedy(
        f"{words}; or take a release for this driver, beside this environment" if beside else words, *commands.steps, *beside
    )


def _cuda(case: Case) -> CudaBuild | None:
    """What the CUDA build that is installed was made with; None for a CPU build. Raises ``CouldNotTell`` for a release that is not known."""
    made = target.cuda_build(case)
    if made is False:
        return None
    if case.build is None or made is None:
        raise CouldNotTell("which CUDA this TensorFlow was built with is not known")
    return case.build.cuda


def _version(case: Case) -> str:
    return case.release.version if case.release is not None else ""


def _judgements(case: Case, cuda: CudaBuild) -> tuple[GpuJudgement, ...]:
    if case.release is None:
        raise CouldNotTell("which release of TensorFlow this is is not known")
    found = []
    for gpu in case.facts.gpus.value or ():
        capability = gpu.compute_capability.value
        found.append(judging.judge(gpu, cuda, case.release, _catalogue(case).architecture(capability) if capability else None))
    return tuple(found)


def gpus(case: Case, findings: Findings) -> str:
    """Each GPU against the code that the build holds; one that cannot be used beside one that can is information."""
    sight = driving.look(case.facts, _catalogue(case))
    cuda = _cuda(case) if sight.state == "answers" else None
    if sight.state != "answers" or cuda is None:
        return "no GPU answers" if sight.state != "answers" else "this build uses no CUDA"
    judgements = _judgements(case, cuda)
    good = [judgement for judgement in judgements if judging.usable(judgement)]
    bad = [judgement for judgement in judgements if not judging.usable(judgement)]
    severity: Severity = "info" if good else _gravity(case)
    for judgement in bad:
        cause = "gpu-too-new" if judgement.verdict == "too new" else "gpu-too-old"
        findings.add(
            cause, severity, "certain", _judged(judgement, case.facts.gpus.value or ()), remedy=_gpu_remedy(case, judgements, good)
        )
    for judgement in good:
        if judgement.verdict == "ptx":
            findings.add(
                "gpu-too-new", "info", "certain", _judged(judgement, case.facts.gpus.value or ()), title=f"{judgement.name} starts slowly"
            )
    unknown = [judgement for judgement in judgements if judgement.verdict == "unknown"]
    if unknown and len(unknown) == len(judgements):
        raise CouldNotTell(f"{unknown[0].name}: {unknown[0].why}")
    return "; ".join(f"GPU {judgement.index} {judgement.name}: {judgement.verdict}" for judgement in judgements)


def _judged(judgement: GpuJudgement, known: tuple[Gpu, ...]) -> Evidence:
    where = next((gpu.compute_capability.source for gpu in known if gpu.index == judgement.index), "")
    return Evidence(
        seen=f"GPU {judgement.index}, {judgement.name}, compute capability {judgement.capability}: {judgement.why}", where=where
    )


def _gpu_remedy(case: Case, judgements: tuple[GpuJudgement, ...], good: list[GpuJudgement]) -> Remedy:
    if good:
        numbers = ",".join(str(judgement.index) for judgement in good)
        steps = ("export CUDA_DEVICE_ORDER=PCI_BUS_ID", f"export CUDA_VISIBLE_DEVICES={numbers}")
        return instead.remedy("let programs start on the GPUs that can be used", *steps)
    return instead.remedy(judging.none_usable(judgements).remedy, *instead.working(case, "cuda"))


def visible(case: Case, findings: Findings) -> str:
    """CUDA_VISIBLE_DEVICES, by the rule of CUDA's programming guide: the first name that fits no GPU ends the list."""
    value = target.variable(case, "CUDA_VISIBLE_DEVICES")
    listed = case.facts.gpus.value or ()
    if value is None:
        return "CUDA_VISIBLE_DEVICES is not set"
    if not listed or target.cuda_build(case) is False:
        return f"CUDA_VISIBLE_DEVICES is {value!r}, and there is no GPU that it could hide from TensorFlow"
    if not _hides_all(case, listed):
        return f"CUDA_VISIBLE_DEVICES is {value!r}"
    severity: Severity = "info" if target.purpose(case).device == "cpu" else "warning"
    seen = Evidence(seen=f"CUDA_VISIBLE_DEVICES is {value!r}, which names none of the {len(listed)} GPU(s)", where="environment variable")
    remedy = Remedy(
        words="Unset the variable, or name the GPUs that programs may use by their numbers", steps=("unset CUDA_VISIBLE_DEVICES",)
    )
    findings.add("gpu-not-visible", severity, "certain", seen, remedy=remedy)
    return f"CUDA_VISIBLE_DEVICES is {value!r} and hides every GPU"


def _hides_all(case: Case, listed: tuple[Gpu, ...]) -> bool:
    value = target.variable(case, "CUDA_VISIBLE_DEVICES")
    if value is None or not listed:
        return False
    first = value.split(",")[0].strip()
    if re.fullmatch(r"\+?\d+", first):
        return int(first[:9]) >= len(listed)
    if first.startswith("MIG-"):
        return False  # the names of instances come in two forms, and the facts hold one of them
    return not (first and any(gpu.uuid.startswith(first) or not gpu.uuid for gpu in listed if first.startswith("GPU-")))


def unused(case: Case, findings: Findings) -> str:
    """A GPU answers, and the build that is installed cannot use any."""
    sight = driving.look(case.facts, _catalogue(case))
    if sight.state != "answers":
        return "no NVIDIA GPU answers"
    made = target.cuda_build(case)
    if made is None:
        raise CouldNotTell("whether this TensorFlow was built with CUDA is not known")
    if made:
        return "this build uses CUDA"
    try:
        platform = platform_of(case.facts)
    except CouldNotTellError as error:
        raise CouldNotTell(str(error)) from None
    names = ", ".join(dict.fromkeys(gpu.name for gpu in sight.gpus))
    purpose = target.purpose(case)
    evidence = [
        Evidence(seen="built without CUDA", where=target.folder(case)),
        Evidence(seen=f"{names} answers", where=case.facts.gpus.source),
    ]
    evidence += [purpose.evidence] if purpose.device else []
    severity: Severity = purpose.severity
    if has_cuda(platform):
        findings.add("cpu-only-build", severity, "certain", *evidence)
    else:
        cause = "windows-gpu-unsupported" if platform.startswith("windows") else "cpu-only-build"
        # Nothing that could be installed here would use it, so it is no fault of an environment that nobody made for CUDA.
        findings.add(cause, "error" if severity == "error" else "info", "certain", *evidence, remedy=_elsewhere(case, platform))
    return f"{names} is not used by a CPU build"


def _elsewhere(case: Case, platform: str) -> Remedy | None:
    words = gpu_elsewhere(case.facts, platform, case.release) if case.release is not None else ""
    return instead.remedy(words) if words else None


CHECKS = (
    CheckSpec(name="driver", title="NVIDIA's driver answers", look=driver),
    CheckSpec(name="driver-release", title="NVIDIA's driver is new enough for this CUDA", look=driver_release),
    CheckSpec(name="gpus", title="this build has code for each GPU", look=gpus),
    CheckSpec(name="gpu-visible", title="no variable hides the GPUs", look=visible),
    CheckSpec(name="gpu-used", title="the installed build can use the GPU", look=unused),
)
