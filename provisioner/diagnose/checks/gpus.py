"""Checks of the GPUs: has this build code for each, does a variable hide them, and can the installed build use any."""

from __future__ import annotations

from provisioner.causes.findings import Findings
from provisioner.choose import driver as driving
from provisioner.choose import gpu as judging
from provisioner.choose.platforms import gpu_elsewhere, has_cuda, platform_of
from provisioner.diagnose import alternative, devices, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.errors import CouldNotTellError
from provisioner.model.facts import Gpu
from provisioner.model.finding import Evidence, Remedy, Severity
from provisioner.model.plan import GpuJudgement
from provisioner.remedies.variables import assigned, unset


def gpus(case: Case, findings: Findings) -> str:
    """Each GPU against the code that the build holds; one that cannot be used beside one that can is information."""
    gpu_state = driving.look(case.facts, case.catalogue)
    cuda = devices.cuda(case) if gpu_state.state == "answers" else None
    if gpu_state.state != "answers" or cuda is None:
        raise Skipped("no GPU answers" if gpu_state.state != "answers" else "this build uses no CUDA")
    judgements = devices.judgements(case, cuda)
    good = [judgement for judgement in judgements if judging.usable(judgement)]
    bad = [judgement for judgement in judgements if not judging.usable(judgement)]
    severity: Severity = "info" if good else devices.gravity(case)
    for judgement in bad:
        cause = "gpu-too-new" if judgement.verdict == "too new" else "gpu-too-old"
        findings.add(
            cause, severity, "certain", _judged(judgement, case.facts.gpus.value or ()), remedy=_gpu_remedy(case, judgements, good)
        )
    for judgement in good:
        if judgement.verdict == "ptx":
            seen, slow = _judged(judgement, case.facts.gpus.value or ()), f"{judgement.name} starts slowly"
            remedy = alternative.remedy(
                "let the first start come to its end: the driver keeps what it has compiled, with a larger cache all of it",
                # It keeps 256 MiB, unless it is told to keep more (CUDA programming guide, environment variables).
                assigned("CUDA_CACHE_MAXSIZE", "4294967296", windows=case.windows),
            )
            findings.add("gpu-too-new", "info", "certain", seen, title=slow, remedy=remedy)
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
        steps = [
            assigned(name, value, windows=case.windows)
            for name, value in (("CUDA_DEVICE_ORDER", "PCI_BUS_ID"), ("CUDA_VISIBLE_DEVICES", numbers))
        ]
        return alternative.remedy("let programs start on the GPUs that can be used", *steps)
    return alternative.remedy(judging.none_usable(judgements).remedy, *alternative.working(case, "cuda"))


def visible(case: Case, findings: Findings) -> str:
    """CUDA_VISIBLE_DEVICES, by the rule of CUDA's programming guide: the first name that fits no GPU ends the list."""
    value = tensorflow.variable(case, "CUDA_VISIBLE_DEVICES")
    listed = case.facts.gpus.value or ()
    if value is None:
        return "CUDA_VISIBLE_DEVICES is not set"
    if not listed or tensorflow.cuda_build(case) is False:
        return f"CUDA_VISIBLE_DEVICES is {value!r}, and there is no GPU that it could hide from TensorFlow"
    if not devices.hides_all(case, listed):
        return f"CUDA_VISIBLE_DEVICES is {value!r}"
    severity: Severity = "info" if tensorflow.purpose(case).device == "cpu" else "warning"
    seen = Evidence(seen=f"CUDA_VISIBLE_DEVICES is {value!r}, which names none of the {len(listed)} GPU(s)", where="environment variable")
    remedy = Remedy(
        words="Unset the variable, or name the GPUs that programs may use by their numbers",
        steps=(unset("CUDA_VISIBLE_DEVICES", windows=case.windows),),
    )
    findings.add("gpu-not-visible", severity, "certain", seen, remedy=remedy)
    return f"CUDA_VISIBLE_DEVICES is {value!r} and hides every GPU"


def unused(case: Case, findings: Findings) -> str:
    """A GPU answers, and the build that is installed cannot use any."""
    gpu_state = driving.look(case.facts, case.catalogue)
    if gpu_state.state != "answers":
        raise Skipped("no NVIDIA GPU answers")
    made = tensorflow.cuda_build(case)
    if made is None:
        raise CouldNotTell("whether this TensorFlow was built with CUDA is not known")
    if made:
        return "this build uses CUDA"
    try:
        platform = platform_of(case.facts)
    except CouldNotTellError as error:
        raise CouldNotTell(str(error)) from None
    names = ", ".join(dict.fromkeys(gpu.name for gpu in gpu_state.gpus))
    purpose = tensorflow.purpose(case)
    evidence = [
        Evidence(seen="built without CUDA", where=tensorflow.folder(case)),
        Evidence(seen=f"{names} answers", where=case.facts.gpus.source),
    ]
    evidence += [tensorflow.evidence_of(purpose)] if purpose.device else []
    severity: Severity = tensorflow.severity_without_gpu(purpose)
    if has_cuda(platform, case.release):
        findings.add("cpu-only-build", severity, "certain", *evidence)
    else:
        cause = "windows-gpu-unsupported" if platform.startswith("windows") else "cpu-only-build"
        # Nothing that could be installed here would use it, so it is no fault of an environment that nobody made for CUDA.
        findings.add(cause, "error" if severity == "error" else "info", "certain", *evidence, remedy=_elsewhere(case, platform))
    return f"{names} is not used by a CPU build"


def _elsewhere(case: Case, platform: str) -> Remedy | None:
    words = gpu_elsewhere(case.facts, platform, case.release) if case.release is not None else ""
    return alternative.remedy(words) if words else None


def used(case: Case, findings: Findings) -> str:
    """TensorFlow, imported, lists the GPU; where it does not, its messages say why."""
    gpu_state = driving.look(case.facts, case.catalogue)
    if gpu_state.state != "answers" or tensorflow.cuda_build(case) is not True:
        raise Skipped("no GPU answers" if gpu_state.state != "answers" else "this build uses no GPU")
    if case.child is None:
        raise Skipped(case.no_import or "TensorFlow was not imported")
    ended = next((event for event in case.child.all("end") if event["check"] == "devices" and event["status"] == "passed"), None)
    if ended is None:
        raise CouldNotTell("TensorFlow did not come to list its devices")
    listed = (ended.get("data") or {}).get("gpus", ())
    if listed:
        return "TensorFlow lists " + ", ".join(str(gpu.get("device", "GPU")) for gpu in listed)
    if devices.hides_all(case, gpu_state.gpus):
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    severity: Severity = "info" if tensorflow.purpose(case).device == "cpu" else "error"
    for line in case.child.err.splitlines():
        message = findings.messages.match(line)
        if message is not None and message.kind == "fault" and findings.messages.order.has(message.cause, "told-to-tensorflow"):
            findings.add(
                message.cause, severity, message.confidence, Evidence(seen=line.strip()[:300], where="standard error of the import")
            )
    return "TensorFlow lists no GPU"


CHECKS = (
    CheckSpec(name="gpus", title="this build has code for each GPU", look=gpus, seconds=10.0, installed=True),
    CheckSpec(name="gpu-visible", title="no variable hides the GPUs", look=visible),
    CheckSpec(name="gpu-listed", title="TensorFlow lists the GPU", look=used, installed=True),
    CheckSpec(name="gpu-used", title="the installed build can use the GPU", look=unused, installed=True),
)
