"""Files that programs keep: on Windows a loaded library, or an open file, cannot be moved, so a change is refused before its first move."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from provisioner.base.paths import joined
from provisioner.environment.read import Site
from provisioner.environment.workspace import Workspace
from provisioner.errors import OperationError
from provisioner.host import InUse, Reader, files
from provisioner.model.plan import Plan
from provisioner.model.preflight import Obstacle

CAUSE = "permission-denied"
# What a running Python has loaded of an environment; other files are open for moments, and a move is tried again.
_PROGRAMS = (".pyd", ".dll", ".exe")


def obstacles(reader: Reader, plan: Plan, site: Site) -> Iterator[Obstacle]:
    """Yield what keeps files that the plan takes away; nothing on other systems, and for a new environment."""
    if reader.platform != "win32" or not plan.env.exists:
        return
    from provisioner.change.contents import outgoing  # noqa: PLC0415 - asked before a plan is shown on Windows alone

    root = plan.env.path
    found = reader.in_use(programs_in(reader, root, outgoing(plan, reader, Workspace(root=root), site)))
    if found.paths:
        yield Obstacle(cause=CAUSE, place=found.paths[0], message=words(found), hint=hint(found))


def check(reader: Reader, root: str, names: Iterable[str]) -> None:
    """Raise ``OperationError`` where a program keeps something of ``names``, which are to move (relative to ``root``, or absolute)."""
    if reader.platform != "win32":
        return
    found = reader.in_use(programs_in(reader, root, names))
    if found.paths:
        raise OperationError(f"{words(found)}; nothing was changed", place=found.paths[0], hint=hint(found), cause=CAUSE)


def programs_in(reader: Reader, root: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the libraries and programs among ``names``, and below those that are folders."""
    for name in names:
        # An absolute one is on a drive, which `posixpath` takes for a name.
        path = joined(root, name)
        entry = files.entry(reader, path)
        if entry is not None and entry.kind == "directory":
            yield from (inner.path for inner in reader.walk(path) if inner.kind == "file" and inner.path.lower().endswith(_PROGRAMS))
        elif entry is not None and path.lower().endswith(_PROGRAMS):
            yield path


def words(found: InUse) -> str:
    """Say who keeps it, for a person."""
    who = " and ".join(f"{item}," for item in found.programs[:3]) if found.programs else "a program that is running"
    more = f" and {len(found.paths) - 1} files more" if len(found.paths) > 1 else ""
    return f"{who} has it{more} in use, and Windows moves no file that is in use"


def hint(found: InUse) -> str:
    """Say what frees it."""
    name = posixpath.basename(found.paths[0])
    who = "close it" if len(found.programs) == 1 else "close them" if found.programs else f"`tasklist /m {name}` tells which; close it"
    return f"{who} (of a notebook, shut down the kernel), then run the same command again"
