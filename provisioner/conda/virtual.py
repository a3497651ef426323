"""A machine in conda's words: the virtual packages that its facts stand for.

Source: CEP 30 (virtual packages): ``__unix``, ``__linux`` (the kernel), ``__glibc``, ``__osx``, ``__win``, ``__cuda`` (the newest CUDA that the
driver supports), ``__archspec`` (version 1, the microarchitecture as the build string). They are computed from facts, never from the machine
that plans, so that a plan for another one is the same as one made there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from provisioner.base.versions import numbers
from provisioner.model.catalogue import CudaToolkit
from provisioner.model.facts import Facts

# The level of x86-64 (System V ABI, x86-64 supplement) of every processor that has a feature. AVX belongs to the third, and there is no
# processor with it that lacks anything of the second.
_LEVELS = (("x86_64_v4", {"avx512f"}), ("x86_64_v3", {"avx2"}), ("x86_64_v2", {"avx", "sse4_1", "sse4_2", "ssse3"}))

# CEP 30: what is taken where nobody can tell; the oldest that conda-forge builds for.
UNKNOWN_GLIBC = "2.17"


def virtual_packages(facts: Facts, *, cuda: str) -> tuple[str, ...]:
    """Return the virtual packages as ``name=version=build``; ``cuda`` as ``12.4``, "" where packages must do without."""
    system = facts.system
    found: list[str] = []
    if system.os.value == "linux":
        found += ["__unix=0=0", f"__linux={_version(system.kernel.value)}=0"]
        libc = system.libc
        if libc.value is not None and libc.value.kind == "glibc" and numbers(libc.value.version):
            found.append(f"__glibc={libc.value.version}=0")
        elif libc.status == "unknown":
            found.append(f"__glibc={UNKNOWN_GLIBC}=0")
    elif system.os.value == "macos":
        found += ["__unix=0=0", f"__osx={_version(system.version.value)}=0"]
    elif system.os.value == "windows":
        found.append(f"__win={_version(system.version.value)}=0")
    found.append(f"__archspec=1={_microarchitecture(facts)}")
    if cuda:
        found.append(f"__cuda={cuda}=0")
    return tuple(found)


def _version(text: str | None) -> str:
    """Return the numbers at the start of ``6.8.0-45-generic``; 0 where nobody can tell."""
    match = re.match(r"\d+(\.\d+)*", text or "")
    return match[0] if match else "0"


def _microarchitecture(facts: Facts) -> str:
    """Name the processor as archspec does, by its level only (``x86_64_v3``): packages for one model are packages for its level, too.

    Source: archspec's ``microarchitectures.json``: the first level has no number, and Apple's processors begin with ``m1``.
    """
    level = facts.cpu.level.value
    if level:
        return level.replace("-", "_").removesuffix("_v1")
    architecture = facts.system.architecture.value or "unknown"
    return "m1" if (facts.system.os.value, architecture) == ("macos", "aarch64") else architecture


def target_packages(platform: str, *, floor: str, cuda: str, features: Iterable[str]) -> tuple[str, ...]:
    """Return the virtual packages of a kind of machine that is not here, by what all of its machines have.

    ``floor`` is the oldest glibc or macOS, ``cuda`` the CUDA that every driver supports ("" for none), ``features`` what every processor has.
    Nobody promises a kernel, so its version is 0, as where conda itself cannot tell.
    """
    system, _, machine = platform.partition("-")
    found = {
        "linux": ["__unix=0=0", "__linux=0=0", f"__glibc={floor}=0"],
        "macos": ["__unix=0=0", f"__osx={floor}=0"],
        "windows": ["__win=0=0"],
    }[system]
    level = next((name for name, marks in _LEVELS if machine == "x86_64" and not marks.isdisjoint(features)), machine)
    found.append(f"__archspec=1={'m1' if platform == 'macos-aarch64' else level}")
    if cuda:
        found.append(f"__cuda={cuda}=0")
    return tuple(found)


def driver_cuda(driver: str, toolkits: Iterable[CudaToolkit], *, windows: bool = False) -> str:
    """Return the newest CUDA that a driver supports, by the toolkits' own rows of NVIDIA's table; "" for one older than all of them."""
    found = ""
    for toolkit in toolkits:
        least = toolkit.driver_windows if windows else toolkit.driver
        if least and numbers(least) <= numbers(driver):
            found = toolkit.version
    return found
