"""What types alone cannot say about facts from a file: that versions are versions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.model.facts import Facts

# NVIDIA writes them so: 8.9, 12.0.
_CAPABILITY = r"\d{1,4}\.\d{1,4}"
_VERSION_LENGTH = 100


def faults(facts: Facts) -> Iterator[str]:
    """Yield ``place: what was expected`` for each value that cannot be what its field means."""
    for number, gpu in enumerate(facts.gpus.value or ()):
        capability = gpu.compute_capability.value
        if capability is not None and not re.fullmatch(_CAPABILITY, capability, re.ASCII):
            yield f"gpus.value[{number}].compute_capability.value: expected a capability such as 8.9, found {_short(capability)}"
    for place, version in _versions(facts):
        if version and (len(version) > _VERSION_LENGTH or not re.match(r"\d+(\.\d+)*", version, re.ASCII)):
            yield f"{place}: expected a version, found {_short(version)}"


def _versions(facts: Facts) -> Iterator[tuple[str, str | None]]:
    system, driver = facts.system, facts.driver
    yield "system.version.value", system.version.value
    yield "system.libc.value.version", system.libc.value.version if system.libc.value else None
    yield "driver.release.value", driver.release.value
    yield "driver.cuda.value", driver.cuda.value
    yield "driver.kernel_module.value", driver.kernel_module.value
    for number, interpreter in enumerate(facts.interpreters.value or ()):
        yield f"interpreters.value[{number}].version", interpreter.version


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")  # noqa: PLR2004 - a line
