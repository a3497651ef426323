"""Which GPUs there are for a case, and what its build can do with each: what the checks of the driver and of the GPUs share."""

from __future__ import annotations

import re

from provisioner.choose import gpu as judging
from provisioner.diagnose import tensorflow
from provisioner.diagnose.case import Case, CouldNotTell
from provisioner.model.catalogue import CudaBuild
from provisioner.model.facts import Gpu
from provisioner.model.finding import Severity
from provisioner.model.plan import GpuJudgement


def cuda(case: Case) -> CudaBuild | None:
    """What the CUDA build that is installed was made with; None for a CPU build. Raises ``CouldNotTell`` for a release that is not known."""
    made = tensorflow.cuda_build(case)
    if made is False:
        return None
    build = tensorflow.build(case)
    if build is None or made is None:
        raise CouldNotTell("which CUDA this TensorFlow was built with is not known")
    return build.cuda


def version(case: Case) -> str:
    """The release of TensorFlow; "" for one that is not known."""
    return case.release.version if case.release is not None else ""


def gravity(case: Case) -> Severity:
    """A GPU answers and this is a CUDA build, so TensorFlow will try to use it: that it cannot is never mere information, unless asked for."""
    return "info" if tensorflow.purpose(case).device == "cpu" else "error"


def judgements(case: Case, cuda: CudaBuild) -> tuple[GpuJudgement, ...]:
    """What the build can do with each GPU."""
    if case.release is None:
        raise CouldNotTell("which release of TensorFlow this is is not known")
    found = []
    for gpu in case.facts.gpus.value or ():
        capability = gpu.compute_capability.value
        found.append(judging.judge(gpu, cuda, case.release, case.catalogue.architecture(capability) if capability else None))
    return tuple(found)


def hides_all(case: Case, listed: tuple[Gpu, ...]) -> bool:
    """Whether CUDA_VISIBLE_DEVICES leaves no GPU: the first name that fits none ends the list (CUDA programming guide, variables)."""
    value = tensorflow.variable(case, "CUDA_VISIBLE_DEVICES")
    if value is None or not listed:
        return False
    first = value.split(",")[0].strip()
    if re.fullmatch(r"\+?\d+", first):
        return int(first[:9]) >= len(listed)
    if first.startswith("MIG-"):
        return False  # the names of instances come in two forms, and the facts hold one of them
    return not (first and any(gpu.uuid.startswith(first) or not gpu.uuid for gpu in listed if first.startswith("GPU-")))
