"""Judges one GPU at a time against the code that a build holds.

Source: CUDA's rule of binary compatibility (CUDA C++ Programming Guide, "Compute Capabilities"): machine code made for X.y runs on X.z
with z >= y and on no other major; PTX made for a capability is compiled by the driver for that one and every later one. TensorFlow's
``.bazelrc`` names machine code ``sm_80`` and machine code with PTX ``compute_90``. What is measured to fail all the same is data: the
release's known-bad capabilities.
"""

from __future__ import annotations

from provisioner.base.versions import numbers
from provisioner.choose.obstacles import Obstacle, listed
from provisioner.model.catalogue import CudaBuild, GpuArchitecture, Release
from provisioner.model.facts import Gpu
from provisioner.model.plan import GpuJudgement, GpuVerdict
from provisioner.model.record import record

# How long TensorFlow says that compiling all of its kernels from PTX may take (tensorflow/docs, gpu.md of 2020).
PTX_MINUTES = 30


@record
class Code:
    """What a build holds, as pairs of numbers: ``machine`` code and ``ptx``."""

    machine: tuple[tuple[int, int], ...]
    ptx: tuple[tuple[int, int], ...]


def code_of(build: CudaBuild) -> Code:
    """Read ``sm_80`` and ``compute_90``: the last digit is the minor (``sm_120`` is 12.0); letters (``sm_90a``) are not part of it."""
    machine: list[tuple[int, int]] = []
    ptx: list[tuple[int, int]] = []
    for name in build.capabilities:
        kind, _, text = name.partition("_")
        (number,) = numbers(text)
        pair = divmod(number, 10)
        machine.append(pair)
        if kind == "compute":
            ptx.append(pair)
    return Code(machine=tuple(sorted(machine)), ptx=tuple(sorted(ptx)))


def judge(gpu: Gpu, build: CudaBuild, release: Release, architecture: GpuArchitecture | None) -> GpuJudgement:
    """Return what the release can do with the GPU, and why, in words for a person."""
    capability = gpu.compute_capability.value or ""
    verdict, why = _verdict(capability, build, release)
    if gpu.mig.value == "enabled":
        instances = f"{len(gpu.mig_devices)} instances" if len(gpu.mig_devices) != 1 else "1 instance"
        why += f"; MIG is on with {instances}, and a process uses one of them"
    family = f" ({architecture.name})" if architecture is not None and capability else ""
    return GpuJudgement(index=gpu.index, name=f"{gpu.name}{family}", capability=capability, verdict=verdict, why=why)


def _verdict(capability: str, build: CudaBuild, release: Release) -> tuple[GpuVerdict, str]:
    pair = _pair(capability)
    if pair is None:
        return "unknown", "its compute capability could not be read, so nobody can tell whether this build has code for it"
    code = code_of(build)
    for bad in release.known_bad:
        if capability in bad.capabilities and (not bad.devices or "cuda" in bad.devices):
            return ("too new" if pair > max(code.machine) else "too old"), bad.reason
    native = [made for made in code.machine if made[0] == pair[0] and made[1] <= pair[1]]
    if native:
        return "native", f"runs the machine code for {_dotted(max(native))}"
    if any(made <= pair for made in code.ptx):
        made = max(made for made in code.ptx if made <= pair)
        return "ptx", (
            f"there is no machine code for it: the driver compiles the PTX of {_dotted(made)}, so the first start may take up to "
            f"{PTX_MINUTES} minutes"
        )
    if pair < min(code.machine):
        return "too old", f"this build has code for compute capability {_dotted(min(code.machine))} and newer"
    return "too new", f"this build has code for nothing newer than compute capability {_dotted(max(code.machine))}, and no PTX for it"


def _pair(capability: str) -> tuple[int, int] | None:
    found = numbers(capability)
    return (found[0], found[1]) if len(found) == 2 else None  # noqa: PLR2004 - major and minor


def _dotted(pair: tuple[int, int]) -> str:
    return f"{pair[0]}.{pair[1]}"


def usable(judgement: GpuJudgement) -> bool:
    """Return whether TensorFlow would try this GPU; one of unknown capability is tried."""
    return judgement.verdict in {"native", "ptx", "unknown"}


def none_usable(judgements: tuple[GpuJudgement, ...]) -> Obstacle:
    """Say why no GPU of the machine can be used by a release."""
    first = judgements[0]
    newer = first.verdict == "too new"
    cards = listed(list(dict.fromkeys(_card(judgement) for judgement in judgements)))
    reasons = "; ".join(dict.fromkeys(judgement.why for judgement in judgements))
    remedy = (
        "use `--device cpu`, or NVIDIA's own TensorFlow container, which is built for newer GPUs"
        if newer
        else "use an older release that has code for it, `--device cpu`, or a newer GPU"
    )
    return Obstacle(code="gpu-too-new" if newer else "gpu-too-old", why=f"cannot use {cards}: {reasons}", remedy=remedy)


def _card(judgement: GpuJudgement) -> str:
    return f"{judgement.name}, compute capability {judgement.capability}"


def gpu_warnings(judgements: tuple[GpuJudgement, ...], gpus: tuple[Gpu, ...]) -> tuple[str, ...]:
    """Say what a person should know of each GPU that is not simply fine; one line for GPUs that are the same."""
    lines: dict[str, list[int]] = {}
    for judgement, gpu in zip(judgements, gpus, strict=True):
        if judgement.verdict != "native":
            lead = "cannot be used" if not usable(judgement) else "can be used, with a reserve"
            lines.setdefault(f"{judgement.name} {lead}: {judgement.why}", []).append(judgement.index)
        if gpu.mig.value == "enabled" and not gpu.mig_devices:
            text = f"{judgement.name} has MIG on and no instance: no program can use it until `nvidia-smi mig -cgi` made one"
            lines.setdefault(text, []).append(judgement.index)
    said = [f"GPU {listed([str(index) for index in indexes])}: {text}" for text, indexes in lines.items()]
    good = [str(judgement.index) for judgement in judgements if usable(judgement)]
    if len(good) < len(judgements):
        said.append(
            f"Set `CUDA_DEVICE_ORDER=PCI_BUS_ID` and `CUDA_VISIBLE_DEVICES={','.join(good)}` so that programs start on what can be used"
        )
    return tuple(said)
