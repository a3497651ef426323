"""A machine in conda's words: the virtual packages that its facts stand for.

Source: CEP 30 (virtual packages): ``__unix``, ``__linux`` (the kernel), ``__glibc``, ``__osx``, ``__win``, ``__cuda`` (the newest CUDA that the
driver supports), ``__archspec`` (version 1, the microarchitecture as the build string). They are computed from facts, never from the machine
that plans, so that a plan for another one is the same as one made there.
"""

from __future__ import annotations

import re

from provisioner.model.facts import Facts
from provisioner.versions import numbers


def virtual_packages(facts: Facts, *, cuda: str) -> tuple[str, ...]:
    """Return the virtual packages as ``name=version=build``; ``cuda`` as ``12.4``, "" where packages must do without."""
    system = facts.system
    found: list[str] = []
    if system.os.value == "linux":
        found += ["__unix=0=0", f"__linux={_version(system.kernel.value)}=0"]
        libc = system.libc.value
        if libc is not None and libc.kind == "glibc" and numbers(libc.version):
            found.append(f"__glibc={libc.version}=0")
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
