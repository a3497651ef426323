"""Looks at the NVIDIA driver: does it answer, why not, and is it new enough; with the commands that mend it.

Sources: minor-version compatibility (NVIDIA, "CUDA Compatibility"): the CUDA major decides the oldest driver, and PTX made by a newer CUDA
than the driver knows cannot be compiled by it; WSL2 takes the driver of Windows and must not get one of its own (NVIDIA, "CUDA on WSL").
"""

from __future__ import annotations

from typing import Literal

from provisioner.base.versions import numbers
from provisioner.choose.gpu import usable
from provisioner.choose.obstacles import Obstacle, listed
from provisioner.model.catalogue import CudaBuild
from provisioner.model.catalogue_view import CatalogueView
from provisioner.model.facts import Facts, Gpu
from provisioner.model.plan import GpuJudgement
from provisioner.model.record import record

_SHARE = {
    "docker": "start it with `docker run --gpus all` (the host needs the NVIDIA Container Toolkit)",
    "podman": "start it with `podman run --device nvidia.com/gpu=all` (the host needs the NVIDIA Container Toolkit)",
    "kubernetes": "ask for a GPU in the pod's resources: `limits: {nvidia.com/gpu: 1}` (the cluster needs NVIDIA's device plugin)",
    "apptainer": "start it with `apptainer exec --nv`",
    "singularity": "start it with `singularity exec --nv`",
    "lxc": "pass the devices `/dev/nvidia*` and the host's driver libraries to the container",
}
_SHARE_ANY = "start the container with the host's GPU"


@record
class GpuState:
    """What is seen of NVIDIA GPUs.

    ``answers``: the driver answers for ``gpus``. ``hidden``: there is one, and the driver does not answer; ``code``, ``why`` and
    ``remedy`` tell. ``none``: nothing points to one; ``why`` is then empty, or says that nobody could tell.
    """

    state: Literal["answers", "hidden", "none"]
    gpus: tuple[Gpu, ...] = ()
    code: str = ""
    why: str = ""
    remedy: str = ""


def look(facts: Facts, catalogue: CatalogueView) -> GpuState:
    """Decide whether the driver answers, and if not, what is the matter: a broken driver before a missing one."""
    gpus = facts.gpus.value or ()
    driver = facts.driver
    if gpus and not driver.problem:
        return GpuState(state="answers", gpus=gpus)
    on_bus = {device.driver for device in facts.pci_gpus.value or () if device.vendor == "nvidia"}
    if not (gpus or on_bus or driver.kernel_module.value or driver.devices.value or driver.problem):
        return GpuState(state="none", why=_could_not_tell(facts))
    container = facts.system.container.value
    if not (gpus or on_bus or container or facts.system.wsl.value) and facts.pci_gpus.status == "known":
        return GpuState(state="none", why="there is an NVIDIA driver here, and the PCI bus has no NVIDIA GPU")
    mismatch = _mismatch(facts)
    if mismatch:
        return GpuState(
            state="hidden", code="driver-kernel-mismatch", why=mismatch, remedy="reboot the machine, or reload the kernel module"
        )
    if container:
        why = driver.problem or f"the host has an NVIDIA GPU that this container ({container}) was started without"
        return GpuState(state="hidden", code="gpu-not-visible", why=why, remedy=_SHARE.get(container, _SHARE_ANY))
    if driver.problem and driver.release.value:
        remedy = "mend that until `nvidia-smi` lists the GPU, then plan again"
        return GpuState(state="hidden", code="gpu-init-failed", why=driver.problem, remedy=remedy)
    return _driverless(facts, on_bus, _install(facts, catalogue, _newest_floor(facts, catalogue)))


def _mismatch(facts: Facts) -> str:
    """Say when the driver's libraries and its kernel module are of two versions; NVML itself calls it so."""
    driver = facts.driver
    release, module = driver.release.value, driver.kernel_module.value
    if release and module and release != module:
        return f"the NVIDIA driver was updated to {release} while its kernel module {module} is still loaded"
    return driver.problem if "version mismatch" in driver.problem else ""


def _driverless(facts: Facts, bound: set[str], install: str) -> GpuState:
    """Say why a GPU of the machine itself has no driver that answers; ``bound`` are the kernel drivers that hold it."""
    module = facts.driver.kernel_module.value
    if "vfio-pci" in bound:
        why = "the NVIDIA GPU is reserved for virtual machines (vfio-pci)"
        return GpuState(state="hidden", code="gpu-not-visible", why=why, remedy="plan inside the virtual machine that has it")
    if facts.driver.problem or module:
        why = facts.driver.problem or f"the kernel module {module} is loaded, and the driver's libraries do not answer"
        return GpuState(state="hidden", code="gpu-not-visible", why=why, remedy=f"check that `nvidia-smi` works; else {install}")
    if "nouveau" in bound:
        why = "the NVIDIA GPU is driven by nouveau, which cannot compute, and NVIDIA's driver is not installed"
        return GpuState(state="hidden", code="driver-missing", why=why, remedy=install)
    why = "there is an NVIDIA GPU on the PCI bus, and no NVIDIA driver"
    return GpuState(state="hidden", code="driver-missing", why=why, remedy=install)


def _could_not_tell(facts: Facts) -> str:
    if facts.system.wsl.value == "2":
        return (
            "WSL2 shows no NVIDIA GPU; if Windows has one, install or update the NVIDIA driver in Windows, run `wsl --update`, and install "
            "no driver inside WSL2"
        )
    if facts.gpus.status == "unknown" and facts.pci_gpus.status == "unknown":
        return f"could not tell whether there is an NVIDIA GPU ({facts.gpus.why or 'not in the facts'})"
    return ""


def _newest_floor(facts: Facts, catalogue: CatalogueView) -> str:
    """Return the oldest driver that the newest release works with, which is the first one that the walk will read anyway."""
    newest = next(iter(catalogue.releases("")), None)
    return next((floor(facts, build.cuda) for build in newest.builds if build.cuda is not None), "") if newest is not None else ""


def _install(facts: Facts, catalogue: CatalogueView, minimum: str) -> str:
    """Say how to get a driver; a container uses its host's, and inside WSL2 it is the one of Windows."""
    wanted = f"install an NVIDIA driver {minimum} or newer" if minimum else "install the NVIDIA driver"
    if facts.system.container.value:
        return f"{wanted} on the host; a container uses the host's"
    distribution = facts.system.distribution.value
    names = (
        ("wsl2", ()) if facts.system.wsl.value == "2" else (distribution.id, distribution.like) if distribution is not None else ("", ())
    )
    lines = catalogue.driver_commands(*names, minimum) if minimum else ()
    remarks = [line.lstrip("# ") for line in lines if line.startswith("#")]
    commands = [line for line in lines if not line.startswith("#")]
    wanted += f" ({'; '.join(remarks)})" if remarks else ""
    return wanted + (f": `{' && '.join(commands)}`" if commands else "")


def unanswered(facts: Facts, gpu_state: GpuState) -> str:
    """Say when the PCI bus shows more NVIDIA GPUs than the driver answers for; a container is given some of its host's on purpose."""
    shown = sum(device.vendor == "nvidia" for device in facts.pci_gpus.value or ())
    if facts.system.container.value or shown <= len(gpu_state.gpus):
        return ""
    release = facts.driver.release.value or "in use"
    return (
        f"The NVIDIA driver answers for {len(gpu_state.gpus)} of {shown} NVIDIA GPUs on the PCI bus: the others are too old for the driver "
        f"{release}, or reserved for virtual machines"
    )


def floor(facts: Facts, build: CudaBuild) -> str:
    """Return the oldest driver for the build here: inside WSL2 it is the Windows driver that counts."""
    return build.driver_wsl if facts.system.wsl.value == "2" and build.driver_wsl else build.driver


def check_driver(
    facts: Facts, catalogue: CatalogueView, build: CudaBuild, judgements: tuple[GpuJudgement, ...]
) -> tuple[Obstacle | None, str]:
    """Compare the driver that answers with what the build's CUDA needs; returns the obstacle, or a warning where nobody can tell."""
    release, minimum = facts.driver.release.value, floor(facts, build)
    if not release:
        why = facts.driver.release.why or "not in the facts"
        return None, f"Could not tell the NVIDIA driver's release ({why}); CUDA {build.version} needs {minimum} or newer"
    if numbers(release) < numbers(minimum):
        why = f"needs NVIDIA driver {minimum} or newer for CUDA {numbers(build.version)[0]}, and this machine has {release}"
        return Obstacle(code="driver-too-old", why=why, remedy=_newer(facts, catalogue, minimum)), ""
    tried = [judgement for judgement in judgements if usable(judgement)]
    if tried and all(judgement.verdict == "ptx" for judgement in tried) and not _compiles_ptx(facts, build, release):
        why = f"has for {tried[0].name} only PTX of CUDA {build.version}, which the NVIDIA driver {release} is too old to compile"
        return Obstacle(code="driver-too-old", why=why, remedy=_newer(facts, catalogue, build.driver_ptx or minimum)), ""
    return None, ""


def _compiles_ptx(facts: Facts, build: CudaBuild, release: str) -> bool:
    """Minor-version compatibility does not reach PTX: the driver must know the CUDA that made it."""
    cuda = facts.driver.cuda.value
    if cuda:
        return numbers(cuda)[:2] >= numbers(build.version)[:2]
    return numbers(release) >= numbers(build.driver_ptx)


def _newer(facts: Facts, catalogue: CatalogueView, minimum: str) -> str:
    """Say how to get a newer driver, and which GPUs of the machine it would no longer drive."""
    remedy = _install(facts, catalogue, minimum)
    lost: dict[str, str] = {}
    for gpu in facts.gpus.value or ():
        family = catalogue.architecture(gpu.compute_capability.value) if gpu.compute_capability.value else None
        if family is not None and family.driver_last and numbers(family.driver_last)[0] < numbers(minimum)[0]:
            lost[gpu.name] = f"{gpu.name} ({family.driver_last})"
    if lost:
        remedy += f"; mind that the last driver branch for {listed(list(lost.values()))} is older"
    return remedy


def unproven(facts: Facts, gpu_state: GpuState, build: CudaBuild) -> tuple[str, ...]:
    """Say what holds when CUDA was asked for by name and no GPU answers: images and login nodes are built this way."""
    why = f" ({gpu_state.why})" if gpu_state.why else ""
    minimum = floor(facts, build)
    warnings = [
        (
            f"No NVIDIA GPU answers here{why}: the CUDA build will be installed and not proven here; where it runs, the NVIDIA driver must "
            f"be {minimum} or newer"
        )
    ]
    release = facts.driver.release.value
    if release and numbers(release) < numbers(minimum):
        warnings.append(f"The NVIDIA driver here is {release}, too old for CUDA {build.version}")
    return tuple(warnings)
