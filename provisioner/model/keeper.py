"""The tool of a project (uv, Poetry, PDM, pipenv) that keeps an environment as its lock says."""

from __future__ import annotations

from typing import Literal

from provisioner.model.record import record

KeepingTool = Literal["uv", "poetry", "pdm", "pipenv"]


@record
class Keeper:
    """``project`` is the folder (absolute) with the lock, ``lock`` the file; ``locked`` are its versions by normalised name.

    Of a name there may be several versions, for several kinds of machines, or none where a package is the project itself.
    """

    program: KeepingTool
    project: str
    lock: str
    locked: dict[str, tuple[str, ...]]
