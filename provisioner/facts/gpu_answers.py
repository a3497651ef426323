"""From raw answers of NVML, libcuda and nvidia-smi to facts, and to words for what is wrong. Pure."""

from __future__ import annotations

from typing import Any

from provisioner.facts.gpu_signs import Signs, parse_library_release
from provisioner.model.facts import Driver, Fact, Gpu, PciGpu, absent, known, unknown
from provisioner.model.record import record

Answers = dict[str, dict[str, Any]]
SOURCES = {"nvml": "NVML", "cuda": "libcuda", "smi": "nvidia-smi"}
MAX_MAJOR = 99
# nvml.h, nvmlReturn_t
NO_PERMISSION, NOT_LOADED, BLOCKED, MISMATCH = 4, 9, 17, 18
# cuda.h, CUresult
NO_DEVICE, SYSTEM_MISMATCH = 100, 803


@record
class Surroundings:
    """What else explains a missing GPU: the container's engine, WSL's version, the devices on the PCI bus, whether the system is Linux."""

    container: str = ""
    wsl: str = ""
    pci: tuple[PciGpu, ...] = ()


def cuda_version(number: object) -> str:
    """12040 as ``12.4``; empty for what no driver would say (only majors 1 to 99 are believed)."""
    if not isinstance(number, int) or not 1 <= number // 1000 <= MAX_MAJOR:
        return ""
    return f"{number // 1000}.{number % 1000 // 10}"


def capability(pair: object) -> str:
    """``[8, 9]`` as ``8.9``; empty when it is no pair of small numbers."""
    if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, int) for part in pair) and 1 <= pair[0] <= MAX_MAJOR:  # noqa: PLR2004
        return f"{pair[0]}.{pair[1]}"
    return ""


def pci_id(number: object) -> str:
    """NVML's 0x233010DE (device, then vendor) as ``10de:2330``."""
    return f"{number & 0xFFFF:04x}:{number >> 16:04x}" if isinstance(number, int) and number > 0 else ""


def failure(name: str, answer: dict[str, Any]) -> str:
    """Why a source gave no answer, in words; empty when it answered or was not asked."""
    if not answer or ("error" not in answer and not answer.get("hung") and "signal" not in answer):
        return ""
    if answer.get("hung"):
        return f"{SOURCES[name]} did not answer within its time limit"
    if "signal" in answer:
        how = f"by signal {answer['signal']}" if answer["signal"] else f"with status {answer.get('exit')}"
        return f"{SOURCES[name]} crashed, its process was ended {how}"
    code = f" (code {answer['error']})" if isinstance(answer["error"], int) and answer["error"] > 0 else ""
    return f"{SOURCES[name]}: {str(answer.get('words') or 'no answer').rstrip('.')}{code}"


def gpus(answers: Answers) -> Fact[tuple[Gpu, ...]]:
    """Every GPU, from the first source that names any: NVML, libcuda, nvidia-smi. What one leaves open the others fill in, by PCI address.

    ``why`` of a known list says which source had failed.
    """
    failures = "; ".join(words for name in SOURCES if (words := failure(name, answers.get(name, {}))))
    for name, source in SOURCES.items():
        listed = answers.get(name, {}).get("gpus")
        if listed:
            others = [gpu for other in SOURCES if other != name for gpu in answers.get(other, {}).get("gpus") or []]
            return Fact(status="known", value=tuple(_gpu(gpu, source, others) for gpu in listed), source=source, why=failures)
    return unknown("NVML, libcuda, nvidia-smi", failures or "none of them names a GPU")


def _gpu(raw: dict[str, Any], source: str, others: list[dict[str, Any]]) -> Gpu:
    faults = raw.get("faults") or {}
    if "error" in raw:
        faults = dict.fromkeys(("capability", "memory", "mig"), f"the GPU cannot be opened: {raw.get('words', '')}")
    bus = str(raw.get("bus", "")).upper()[-12:]
    twin: dict[str, Any] = next((other for other in others if bus and str(other.get("bus", "")).upper()[-12:] == bus), {})
    found = capability(raw.get("capability"))
    level: Fact[str] = known(found, source) if found else unknown(source, faults.get("capability", "not given"))
    if not found and capability(twin.get("capability")):
        level = known(capability(twin["capability"]), "libcuda")
    size = raw.get("memory") or (twin.get("memory") if not raw.get("memory") else 0)
    memory: Fact[int] = known(size, source) if isinstance(size, int) and size > 0 else unknown(source, faults.get("memory", "not given"))
    mode = raw.get("mig") or twin.get("mig")
    mig: Fact[str] = known(str(mode), source) if mode else absent(source, faults.get("mig", "not told"))
    return Gpu(
        index=int(raw["index"]),
        name=str(raw.get("name") or twin.get("name") or "unknown"),
        uuid=str(raw.get("uuid") or ""),
        pci_id=pci_id(raw.get("pci") or twin.get("pci")),
        compute_capability=level,
        memory=memory,
        mig=mig,
        mig_devices=tuple(str(name) for name in raw.get("mig_devices") or ()),
    )


def driver(signs: Signs, answers: Answers, around: Surroundings) -> Driver:
    """The driver's three versions and, where it does not serve, why."""
    return Driver(
        release=release(signs, answers),
        cuda=supported_cuda(answers),
        kernel_module=signs.module if not around.wsl else absent("/dev/dxg", "under WSL the kernel's part is in Windows"),
        devices=known(signs.devices, "/dev") if signs.devices else absent("/dev", "no device file of NVIDIA"),
        problem=problem(signs, answers, around),
    )


def release(signs: Signs, answers: Answers) -> Fact[str]:
    """1. NVML; 2. nvidia-smi; 3. the name of the library's own file; 4. a Jetson's release file."""
    for name in ("nvml", "smi"):
        said = answers.get(name, {}).get("release")
        if said:
            return known(str(said), SOURCES[name])
    for path in [str(answers.get(name, {}).get("library", "")) for name in ("nvml", "cuda")]:
        if parse_library_release(path):
            return known(parse_library_release(path), path)
    if signs.tegra and signs.tegra != "unknown release":
        return known(signs.tegra, "/etc/nv_tegra_release")
    if signs.release:
        return known(signs.release, signs.libraries[0])
    if not signs.libraries:
        return absent("the loader's path", f"the driver's libraries ({', '.join(signs.names)}) are not there")
    return unknown(", ".join(signs.libraries), "the driver's libraries do not name their release")


def supported_cuda(answers: Answers) -> Fact[str]:
    """1. NVML; 2. libcuda; 3. nvidia-smi."""
    for name, source in SOURCES.items():
        found = cuda_version(answers.get(name, {}).get("cuda"))
        if found:
            return known(found, source)
    failures = "; ".join(words for name in SOURCES if (words := failure(name, answers.get(name, {}))))
    return unknown("NVML, libcuda, nvidia-smi", failures) if answers else absent("", "no driver was asked")


def problem(signs: Signs, answers: Answers, around: Surroundings) -> str:
    """Why CUDA cannot be used although there is a driver, or a part of one; the cause before its symptoms. Empty when CUDA starts."""
    nvml, cuda = answers.get("nvml", {}), answers.get("cuda", {})
    codes = (nvml.get("error"), cuda.get("error"))
    if codes[0] == MISMATCH or codes[1] == SYSTEM_MISMATCH or "version mismatch" in str(answers.get("smi", {}).get("words", "")):
        return _mismatch(signs, answers)
    if not answers:
        return no_libraries(signs, around)
    if cuda.get("gpus"):
        return ""
    if codes[0] == NOT_LOADED:
        return "the driver's libraries are installed but its kernel module is not loaded" + _holder(around)
    if signs.closed or codes[0] == NO_PERMISSION:
        closed = ", ".join(signs.closed) or "the device files in /dev"
        return f"this user may not open {closed}; look at their owner and mode, and at the groups of the user"
    if codes[0] == BLOCKED:
        return "the operating system keeps the GPU from this process (control groups of the container or of the job)"
    refused = [gpu for gpu in nvml.get("gpus") or [] if gpu.get("error") == NO_PERMISSION]
    if refused and len(refused) == len(nvml["gpus"]):
        return "the driver answers, but no GPU may be opened by this process (control groups of the container or of the job)"
    return _no_cuda(signs, nvml, cuda, around)


def _no_cuda(signs: Signs, nvml: dict[str, Any], cuda: dict[str, Any], around: Surroundings) -> str:
    listed = nvml.get("gpus") or []
    if listed and all(gpu.get("mig") == "enabled" and not gpu.get("mig_devices") for gpu in listed):
        return "MIG is on but the GPU has no instance; create one with nvidia-smi mig -cgi … -C, or turn MIG off"
    if listed and cuda.get("error") == -1:
        where = " (a container needs NVIDIA_DRIVER_CAPABILITIES with compute)" if around.container else ""
        return f"NVML answers but libcuda cannot be loaded{where}: {cuda.get('words', '')}"
    if listed and "/dev/nvidia-uvm" not in signs.devices and signs.module.value and not around.wsl:
        missing = "/dev/nvidia-uvm is not there (modprobe nvidia-uvm makes it)"
        return f"the driver answers but CUDA cannot start, for {missing}: {cuda.get('words', '')}"
    words = [failure(name, answer) for name, answer in (("cuda", cuda), ("nvml", nvml))]
    if cuda.get("error") == NO_DEVICE and not listed:
        return "the driver answers but names no GPU" + _container(around)
    return "CUDA cannot start: " + ("; ".join(filter(None, words)) or "libcuda names no GPU")


def _mismatch(signs: Signs, answers: Answers) -> str:
    user = release(signs, answers).value or "another one"
    return (
        f"driver/library version mismatch: the loaded kernel module is {signs.module.value or 'of another version'} but the driver's "
        f"libraries are {user}; the driver was updated while the old module stayed loaded: restart the machine"
    )


def no_libraries(signs: Signs, around: Surroundings) -> str:
    """Why there is no driver to ask although something of NVIDIA is there; empty when nothing is."""
    if around.wsl and signs.wsl:
        return "WSL offers a GPU (/dev/dxg) but its CUDA library is not there: install NVIDIA's driver in Windows, none in WSL"
    if around.container and signs.module.value:
        return (
            f"the machine under this container has NVIDIA's driver {signs.module.value}, but the container was started without the GPU"
            + (" (docker run --gpus all)" if around.container in {"docker", "podman"} else "")
        )
    if signs.module.value or signs.devices:
        return "NVIDIA's kernel module is there but the driver's libraries (libcuda.so.1, libnvidia-ml.so.1) are not"
    return ""


def no_driver(around: Surroundings) -> str:
    """Why there is no GPU where there is no sign of a driver."""
    if any(device.vendor == "nvidia" for device in around.pci):
        return "an NVIDIA GPU is on the PCI bus but there is no NVIDIA driver" + _holder(around) + _container(around)
    return "no sign of an NVIDIA driver: no kernel module, no device file, no library"


def _holder(around: Surroundings) -> str:
    holders = {device.driver for device in around.pci if device.vendor == "nvidia" and device.driver not in {"", "nvidia"}}
    if "nouveau" in holders:
        return "; the free driver nouveau holds the GPU, which has no CUDA"
    return f"; the GPU is held by {', '.join(sorted(holders))} (given to a virtual machine?)" if holders else ""


def _container(around: Surroundings) -> str:
    return f"; this is a {around.container} container, which sees only GPUs that it was given" if around.container else ""
