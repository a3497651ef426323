"""The team's own requirements beside the known-good set: TensorFlow itself is the set's, whatever name they call it by."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from provisioner.base.names import is_rival, normalise
from provisioner.base.requirement import admits, applies, read_requirement
from provisioner.errors import UsageError
from provisioner.model.catalogue import Lock
from provisioner.model.team import Target

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# sys_platform, platform_system, os_name and platform_machine of each platform (PEP 508, "Environment Markers").
_SYSTEMS = {"linux": ("linux", "Linux", "posix"), "macos": ("darwin", "Darwin", "posix"), "windows": ("win32", "Windows", "nt")}
_NAME = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*")
_MACHINES = {("macos", "aarch64"): "arm64", ("windows", "x86_64"): "AMD64"}


def environment(target: Target) -> dict[str, str]:
    """Return the marker environment (PEP 508) of a target; the full version ends in 0, as resolvers assume for a bare minor."""
    system, _, machine = target.platform.partition("-")
    sys_platform, platform_system, os_name = _SYSTEMS[system]
    return {
        "sys_platform": sys_platform,
        "platform_system": platform_system,
        "os_name": os_name,
        "platform_machine": _MACHINES.get((system, machine), machine),
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "implementation_name": "cpython",
        "implementation_version": f"{target.python}.0",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_version": "",
    }


def tensorflow_of(requirements: Sequence[str], target: Target) -> tuple[str, ...]:
    """Return the specifiers (PEP 440) that a team's requirements put on TensorFlow itself for a target, each once."""
    found: dict[str, None] = {}
    for text in (item for item in requirements if is_rival(_name(item))):
        try:
            requirement = read_requirement(text)
        except ValueError:
            continue  # ``beside`` says what is wrong with it
        if str(requirement.specifier) and applies(requirement, environment(target)):
            found[str(requirement.specifier)] = None
    return tuple(sorted(found))


def wanted_of(requirements: Sequence[str], target: Target, names: Collection[str]) -> dict[str, str]:
    """Return which packages of some ``names`` a team's requirements ask for, for a target, each with the one version that they name, else ""."""
    found: dict[str, str] = {}
    for text in requirements:
        if _name(text) not in names:
            continue
        try:
            requirement = read_requirement(text)
        except ValueError:
            continue  # ``beside`` says what is wrong with it
        if applies(requirement, environment(target)):
            found[normalise(requirement.name)] = pinned(requirement)
    return found


def pinned(requirement: Requirement) -> str:
    """Return the one version that a requirement names, "" where it names none or several."""
    clauses = list(requirement.specifier)
    exact = len(clauses) == 1 and clauses[0].operator == "==" and not clauses[0].version.endswith("*")
    return clauses[0].version if exact else ""


def _name(text: str) -> str:
    """Return the name that a requirement begins with; most need not be taken apart further."""
    name = _NAME.match(text)
    return normalise(name[0].strip()) if name else ""


def beside(requirements: tuple[str, ...], target: Target, lock: Lock) -> tuple[str, ...]:
    """Return the requirements that are resolved around a set: those about TensorFlow itself are met by it, or clash with it.

    Raises ``UsageError`` for one about TensorFlow that the set's release does not meet, or that takes it from an address.
    """
    kept: list[str] = []
    for text in requirements:
        try:
            requirement = read_requirement(text)
        except ValueError as error:
            raise UsageError(f"`{text}` is not a requirement: {str(error).splitlines()[0]}") from None
        if requirement.url and is_rival(normalise(requirement.name)):
            raise UsageError(
                f"`{text}` takes TensorFlow from an address", hint="say `tensorflow:` in the declaration, and take this line out"
            )
        if not is_rival(normalise(requirement.name)):
            kept.append(text)
        elif applies(requirement, environment(target)) and not admits(requirement.specifier, lock.release):
            hint = "change `tensorflow` in the declaration, or this requirement"
            raise UsageError(f"`{text}` does not admit TensorFlow {lock.release}, which was chosen for {target.name}", hint=hint)
    return tuple(kept)
