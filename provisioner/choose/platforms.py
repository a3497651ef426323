"""The platform half of the choice: operating system, architecture, C library and processor.

Sources of the rules: ``docs`` of the facts files say which wheels PyPI has (no musllinux wheel of any release, no CUDA build for aarch64,
no GPU on Windows after 2.10, every x86-64 wheel compiled with AVX); glibc floors are those of the wheels' platform tags.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from provisioner.base.versions import numbers
from provisioner.choose.obstacles import Obstacle, listed
from provisioner.errors import CouldNotTellError
from provisioner.model.catalogue import Build, KnownBad, Release
from provisioner.model.facts import Facts, System

_NAMES = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
# What people and other tools call them: Python's ``sys.platform``, wheels' tags, Docker's and Debian's architectures.
_SYSTEMS = {
    "win": "windows",
    "win32": "windows",
    "win64": "windows",
    "mac": "macos",
    "macosx": "macos",
    "osx": "macos",
    "darwin": "macos",
    "wsl": "linux",
}
_ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "x86-64": "x86_64", "64": "x86_64", "arm64": "aarch64"}
# The platform for which every release has a build for GPUs; WSL2 is one.
_CUDA_PLATFORM = "linux-x86_64"
JETSON = "use NVIDIA's own TensorFlow wheels or container for your JetPack; the wheels on PyPI compute on the CPU only there"
# Docker's documentation, "Multi-platform builds": without `--platform` an image of the machine's own architecture is taken.
_NATIVE = "use a container of the machine's own architecture (Docker: without `--platform`)"
# tensorflow/docs, site/en/install/pip.md (WSL2: Windows 10 21H2 or newer; the Linux driver must not be installed inside).
_WSL2 = (
    "1. in Windows, have an NVIDIA driver {driver} or newer; 2. in a Windows terminal of an administrator run `wsl --install`, and restart "
    "(Windows 11, or Windows 10 21H2 and newer); 3. in the Ubuntu that starts, install no NVIDIA driver: WSL2 takes that of Windows; "
    "4. install tfsetup there and run `tfsetup apply`"
)


def platform_of(facts: Facts) -> str:
    """Return the platform as the catalogue names it (``linux-x86_64``); raises ``CouldNotTellError`` when the facts do not tell."""
    return platform_of_system(facts.system)


def platform_of_system(system: System) -> str:
    """Return the platform of that part of the facts, like ``platform_of``."""
    architecture = system.architecture.value or system.process_architecture.value
    if not system.os.value or not architecture:
        missing = "operating system" if not system.os.value else "architecture"
        raise CouldNotTellError(f"the facts do not say what {missing} this machine has", hint="run `tfsetup detect` on the machine itself")
    return f"{system.os.value}-{architecture}"


def platform_name(platform: str) -> str:
    """Return the platform in words (``Linux on x86_64``)."""
    system, _, architecture = platform.partition("-")
    return f"{_NAMES.get(system, system)} on {architecture}"


def meant_platforms(word: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return those of the ``known`` platforms that a person means: ``windows``, ``darwin-arm64``, ``win_amd64``, ``linux/arm64``; else none."""
    found = re.fullmatch(r"([a-z]+(?:32|64)?)(?:[-_/ ]([a-z0-9_-]+))?", word.strip().lower())
    if found is None:
        return ()
    system, architecture = _SYSTEMS.get(found[1], found[1]), found[2] or ""
    name = f"{system}-{_ARCHITECTURES.get(architecture, architecture)}" if architecture else f"{system}-"
    return tuple(platform for platform in known if platform == name or (not architecture and platform.startswith(name)))


def is_jetson(facts: Facts) -> bool:
    """Return whether this is a Jetson: NVIDIA's kernel for it is named ``5.15.136-tegra``."""
    return facts.system.architecture.value == "aarch64" and "tegra" in (facts.system.kernel.value or "")


def has_cuda(platform: str, release: Release | None) -> bool:
    """Return whether a release has a GPU build for the platform that this tool can make whole; of one that is not known, whether the newest has."""
    build = release.build(platform) if release is not None else None
    return build.cuda is not None if build is not None else platform == _CUDA_PLATFORM


def is_bad(known: KnownBad, platform: str, device: str) -> bool:
    """Return whether a known-bad entry speaks of the platform and the device; empty fields speak of all."""
    return (not known.platforms or platform in known.platforms) and (not known.devices or device in known.devices)


def no_build(facts: Facts, platform: str, release: Release) -> Obstacle:
    """Say that a release has no known-good set for the platform, and what a person there can do."""
    known = next((known for known in release.known_bad if platform in known.platforms and not known.devices and not known.pythons), None)
    if known is not None:
        return Obstacle(code=known.cause, why=known.reason, remedy=_elsewhere(facts, platform))
    return Obstacle(
        code="platform-unsupported",
        why=f"has no known-good set for {'Jetson' if is_jetson(facts) else platform_name(platform)} in this catalogue",
        remedy=_elsewhere(facts, platform),
    )


def _elsewhere(facts: Facts, platform: str) -> str:
    system, _, architecture = platform.partition("-")
    if is_jetson(facts):
        return JETSON
    if architecture not in {"x86_64", "aarch64"}:
        return "TensorFlow's wheels are for 64-bit systems on x86_64 and aarch64: on such a processor a 64-bit operating system will do"
    if system == "windows":
        return "no release has wheels for Windows on ARM: use WSL2 (run `wsl --install` in a Windows terminal, then tfsetup inside it)"
    if system == "macos" and architecture == "x86_64":
        return "the last release with wheels for Intel Macs is 2.16.2: ask for an older release, or use a Linux machine or container"
    return f"ask for another release: `tfsetup profiles` lists those that have a set for {platform_name(platform)}"


def no_cuda(facts: Facts, platform: str, release: Release) -> Obstacle:
    """Say why a release cannot use a GPU on the platform, and where it can."""
    known = next((known for known in release.known_bad if platform in known.platforms and "cuda" in known.devices), None)
    why = known.reason if known is not None else _no_cuda_here(facts, platform)
    elsewhere = gpu_elsewhere(facts, platform, release)
    remedy = "use `--device cpu`" + (f"; for the GPU, {elsewhere}" if elsewhere else "")
    code = "windows-gpu-unsupported" if platform.startswith("windows") else "platform-unsupported"
    return Obstacle(code=known.cause if known is not None else code, why=why, remedy=remedy)


def _no_cuda_here(facts: Facts, platform: str) -> str:
    if platform == "windows-x86_64":
        return "uses no GPU on Windows itself, as no release after 2.10 does"
    if platform.startswith("macos"):
        return "has no CUDA build for macOS"
    return f"has no CUDA build for {'Jetson' if is_jetson(facts) else platform_name(platform)}: PyPI has only CPU builds for it"


def gpu_elsewhere(facts: Facts, platform: str, release: Release) -> str:
    """Say how the GPU of a machine can be used all the same, where this platform has no CUDA build; "" where it cannot."""
    if is_jetson(facts):
        return JETSON
    if platform == "linux-aarch64":
        return "use NVIDIA's own TensorFlow container, which is built for it"
    if platform != "windows-x86_64":
        return ""
    builds = (build.cuda for build in release.builds if build.platform == _CUDA_PLATFORM)
    driver = next((cuda.driver_wsl for cuda in builds if cuda is not None and cuda.driver_wsl), "")
    here = "" if has_cuda(platform, release) else " (or, on Windows itself, TensorFlow 2.10: `--device cuda` takes it)"
    return f"use WSL2{here}: {_WSL2.format(driver=driver) if driver else _WSL2.replace(' {driver} or newer', '')}"


def unused_gpu(facts: Facts, platform: str, release: Release) -> str:
    """Say aloud that a GPU which is there will not be used, and how it could be; for a platform without CUDA builds."""
    names = listed(list(dict.fromkeys(gpu.name for gpu in facts.gpus.value or ())))
    elsewhere = gpu_elsewhere(facts, platform, release)
    why = f"TensorFlow {release.version} {no_cuda(facts, platform, release).why}"
    return f"The GPU{f' ({names})' if names else ''} will NOT be used: {why}" + (f". For the GPU, {elsewhere}" if elsewhere else "")


def check_macos(facts: Facts, floor: str) -> tuple[Obstacle | None, str]:
    """Compare the macOS with the oldest that a build's wheels are tagged for; returns the obstacle, and a warning where nobody can tell."""
    if not floor:
        return None, ""
    version = facts.system.version
    if not numbers(version.value or ""):
        return None, f"Could not tell which macOS this is ({version.why or 'not in the facts'}); this set needs {floor} or newer"
    if numbers(version.value or "") < numbers(floor):
        why = f"needs macOS {floor} or newer, and this Mac has {version.value}"
        return Obstacle(code="macos-too-old", why=why, remedy="update macOS, or ask for an older release"), ""
    return None, ""


def windows_warnings(facts: Facts, build: Build) -> tuple[str, ...]:
    """Say what Windows must have for the import (tensorflow/docs, site/en/install/pip.md, and the self-check of the wheels)."""
    windows = facts.windows
    if windows is None:
        return ()
    said = []
    there = windows.vc_dlls.value
    if there is not None:
        lacking = [name for name in build.vc_runtime if name not in there]
        if lacking:
            said.append(
                f"Windows lacks {listed(lacking)} of the Visual C++ runtime, so it comes into the environment; for the whole machine: install the "
                "Visual C++ 2015-2022 redistributable (x64)"
            )
    elif windows.vc_runtime.status == "absent":
        said.append(
            "The Visual C++ runtime is missing, without which the import fails: install the Visual C++ 2015-2022 redistributable (x64)"
        )
    if windows.long_paths.value is False:
        said.append(
            "Long paths are off in Windows, and TensorFlow's files have some: turn them on (LongPathsEnabled), or use a short folder"
        )
    return tuple(said)


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
        remedy=_other_processor(facts, listed(missing)),
    ), ""


def _other_processor(facts: Facts, missing: str) -> str:
    if is_emulated(facts):
        return f"{_NATIVE}; or an emulator that has {missing} (qemu 7.2 or newer)"
    return (
        "in a virtual machine, give it the host's processor (QEMU: `-cpu host`, Proxmox: type `host`); else use a processor with "
        f"{missing}, or a build of TensorFlow made without"
    )


def is_emulated(facts: Facts) -> bool:
    """Return whether an emulator runs all programs of this Linux, which is a container or a folder for another processor."""
    return facts.system.os.value == "linux" and bool(facts.system.translated.value)


def emulator_warnings(facts: Facts) -> tuple[str, ...]:
    """Say that TensorFlow computes through an emulator, and how it would not."""
    if not is_emulated(facts):
        return ()
    architecture = facts.system.architecture.value
    return (f"An emulator runs this system, which is for {architecture}: TensorFlow works in it, but many times slower; {_NATIVE}",)
