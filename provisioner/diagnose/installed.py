"""The distributions on a module path, in its order."""

from __future__ import annotations

from provisioner.diagnose.case import PathEntry
from provisioner.environment.distributions import Installed, is_metadata, read_installed
from provisioner.host import Reader, files


def distributions(reader: Reader, path: tuple[PathEntry, ...]) -> tuple[Installed, ...]:
    """Every distribution of every folder on the path, in its order; a folder that is there twice (``lib64`` is a link) is read once."""
    found: list[Installed] = []
    seen: set[str] = set()
    for entry in path:
        real = files.real(reader, entry.path)
        if real in seen or entry.origin == "stdlib":
            continue
        seen.add(real)
        try:
            children = reader.list(real, named=is_metadata)
        except files.FAULTS:
            continue
        found += [read_installed(reader, child, entry.origin) for child in children]
    return tuple(found)
