"""The platform half of the choice: operating system, architecture, C library and processor.

Sources of the rules: ``docs`` of the facts files say which wheels PyPI has (no musllinux wheel of any release, no CUDA build for aarch64,
no GPU on Windows after 2.10, every x86-64 wheel compiled with AVX); glibc floors are those of the wheels' platform tags.
"""

from __future__ import annotations

from provisioner.choose.versions import numbers
from provisioner.choose.words import Obstacle, listed
from provisioner.errors import CouldNotTellError
from provisioner.model.facts import Facts

_NAMES = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
_GPU_NOTE = "PyPI has no TensorFlow with CUDA for aarch64, only CPU builds, and this catalogue has none of them yet"


def platform_of(facts: Facts) -> str:
    """Return the platform as the catalogue names it (``linux-x86_64``); raises ``CouldNotTellError`` when the facts do not tell."""
    system = facts.system
    architecture = system.architecture.value or system.process_architecture.value
    if not system.os.value or not architecture:
        missing = "operating system" if not system.os.value else "architecture"
        raise CouldNotTellError(f"the facts do not say what {missing} this machine has", hint="run `tfsetup detect` on the machine itself")
    return f"{system.os.value}-{architecture}"


def platform_name(platform: str) -> str:
    """Return the platform in words (``Linux on x86_64``)."""
    system, _, architecture = platform.partition("-")
    return f"{_NAMES.get(system, system)} on {architecture}"


def is_jetson(facts: Facts) -> bool:
    """Return whether this is a Jetson: NVIDIA's kernel for it is named ``5.15.136-tegra``."""
    return facts.system.architecture.value == "aarch64" and "tegra" in (facts.system.kernel.value or "")


def no_build(facts: Facts, platform: str) -> Obstacle:
    """Say that a release has no known-good set for the platform, and what a person there can do."""
    return Obstacle(
        code="platform-unsupported",
        why=f"has no known-good set for {'Jetson' if is_jetson(facts) else platform_name(platform)} in this catalogue",
        remedy=_elsewhere(facts, platform),
    )


def _elsewhere(facts: Facts, platform: str) -> str:
    system, _, architecture = platform.partition("-")
    if system == "windows":
        return (
            "use WSL2: run `wsl --install` in a Windows terminal, then tfsetup inside it; TensorFlow after 2.10 uses no GPU on Windows "
            "itself, and inside WSL2 it does, with the Windows NVIDIA driver and no driver installed inside"
        )
    if system == "macos":
        return "use a Linux machine, virtual machine or container on x86_64, or plain `pip install tensorflow`, which is not proven here"
    if is_jetson(facts):
        return "use NVIDIA's own TensorFlow wheels or container for your JetPack; the wheels on PyPI compute on the CPU only there"
    if architecture == "aarch64":
        answered = facts.gpus.value
        container = "; NVIDIA's own TensorFlow container computes on the GPU there" if answered else ""
        return f"{_GPU_NOTE}{container}"
    return "TensorFlow's wheels are for 64-bit systems: use an x86_64 machine with a 64-bit operating system"


def check_libc(facts: Facts, floor: str) -> tuple[Obstacle | None, str]:
    """Compare the C library with the oldest glibc a set runs on; returns the obstacle, and a warning where nobody can tell."""
    fact = facts.system.libc
    if facts.system.os.value != "linux" or not floor:
        return None, ""
    libc = fact.value
    if fact.status == "absent" or (libc is not None and libc.kind != "glibc"):
        kind = libc.kind if libc is not None else "another C library"
        return Obstacle(
            code="platform-unsupported",
            why=f"needs glibc, and this system has {kind}, for which no release has a wheel",
            remedy="use a system or container image with glibc, such as Debian, Ubuntu, Fedora or Rocky Linux",
        ), ""
    if libc is None or not numbers(libc.version):
        why = fact.why or "the facts do not say its version"
        return None, f"Could not tell which glibc this machine has ({why}); this set needs {floor} or newer"
    if numbers(libc.version) < numbers(floor):
        return Obstacle(
            code="glibc-too-old",
            why=f"needs glibc {floor} or newer, and this system has {libc.version}",
            remedy="glibc comes with the operating system: use a newer one, or a container image of a newer one",
        ), ""
    return None, ""


def check_cpu(facts: Facts, needed: tuple[str, ...]) -> tuple[Obstacle | None, str]:
    """Compare the processor's features with those a build cannot run without; returns the obstacle, or a warning."""
    fact = facts.cpu.features
    if not needed:
        return None, ""
    names = listed([feature.upper() for feature in needed])
    if fact.status == "unknown":
        return None, f"Could not tell whether the processor has {names} ({fact.why or 'not in the facts'}); without it the import crashes"
    missing = [feature.upper() for feature in needed if feature not in (fact.value or ())]
    if not missing:
        return None, ""
    return Obstacle(
        code="cpu-no-avx",
        why=f"was compiled for processors with {names}, and {facts.cpu.model.value or 'this processor'} has no {listed(missing, 'or')}",
        remedy=(
            "in a virtual machine, give it the host's processor (QEMU: `-cpu host`, Proxmox: type `host`); else use a processor with "
            f"{listed(missing)}, or a build of TensorFlow made without"
        ),
    ), ""
