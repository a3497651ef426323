"""The oldest system that wheels must run on: a machine's own, or where nobody can tell, that of the known-good set. Pure."""

from __future__ import annotations

from provisioner.model.catalogue import Lock
from provisioner.model.facts import Facts

# Windows has no version that wheels are tagged with.
NO_FLOOR = "0.0"


def floor_of(facts: Facts, lock: Lock) -> str:
    """Return the glibc or macOS that wheels must run on: the machine's, or where nobody can tell, the lock's."""
    system = facts.system
    return system.libc.value.version if system.libc.value else lock.glibc or system.version.value or NO_FLOOR
