"""The files of a lock: which there are, their texts, and reading all of them back to the sets that they stand for."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.lock.formats import Pin, conda_lock, constraints, pins, pylock, requirements
from provisioner.model.team import Declaration, TeamLock


def texts(host: Host, declaration: Declaration, lock: TeamLock, *, cache: str = "") -> dict[str, str]:
    """Return every file of a lock by its name, but for the sidecar; each was read back and holds exactly what was locked.

    Raises ``OperationError`` where a format says something else than was meant, which is a fault of the tool.
    """
    source = declaration.file.rpartition("/")[2]
    found: dict[str, str] = {}
    for locked in lock.targets:
        name = locked.target.name
        if locked.conda is not None:
            # These two hold wheels alone, which would be half of it.
            continue
        if "requirements" in declaration.formats:
            found[requirements.file_name(name)] = requirements.write(locked, declaration.indexes)
        if "pylock" in declaration.formats:
            found[pylock.file_name(name)] = pylock.write(locked)
    if "conda-lock" in declaration.formats:
        found |= conda_lock.write(host, conda_lock.files(lock.targets), source=source, cache=cache)
    if "constraints" in lock.into:
        found[constraints.NAME] = constraints.write(lock.targets)
    wrong = [name for name, held, meant in held_and_meant(found, lock) if held != meant]
    if wrong:  # pragma: no cover - would be a fault of the tool
        raise OperationError(f"{', '.join(wrong)} would not hold what was locked", hint="nothing was written; please report it")
    return found


def held_and_meant(files: Mapping[str, str], lock: TeamLock) -> list[tuple[str, frozenset[Pin], frozenset[Pin]]]:
    """Return for each target in each file what the file holds and what the lock does."""
    found: list[tuple[str, frozenset[Pin], frozenset[Pin]]] = []
    for locked in lock.targets:
        for name, read in (
            (requirements.file_name(locked.target.name), requirements.read),
            (pylock.file_name(locked.target.name), pylock.read),
        ):
            if name in files:
                found.append((name, read(files[name], file=name), pins(locked, as_asked=read is requirements.read)))
    for name, targets in conda_lock.files(lock.targets).items():
        if name in files:
            held = conda_lock.read(files[name], file=name)
            found += [(name, held.get(locked.target.platform, frozenset()), pins(locked, addressed=True)) for locked in targets]
    return found
