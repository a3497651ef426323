"""What is looked at before anybody is asked: whether there is room for a change, and whether this user may make it."""

from __future__ import annotations

from provisioner.model.record import record


@record
class Need:
    """Room for one ``purpose`` (words for a person) in ``folder``: ``size`` in bytes and ``files`` (inodes), both at most.

    ``least`` and ``least_files`` are what it takes for sure: only these are a reason to refuse. ``elsewhere`` is the option or variable that names
    another place.
    """

    purpose: str
    folder: str
    size: int
    files: int
    least: int = 0
    least_files: int = 0
    elsewhere: str = "--env"


@record
class Room:
    """One file system: what is free where ``folder`` lies (``free_files`` is -1 where files are not counted), and all that is needed on it."""

    folder: str
    filesystem: str
    free: int
    free_files: int
    size: int
    files: int
    needs: tuple[Need, ...]


@record
class Obstacle:
    """Something that would end the change: ``cause`` is a code of the cause table, ``place`` a path, ``hint`` what frees the way."""

    cause: str
    place: str
    message: str
    hint: str


@record
class Preflight:
    """What was found: ``obstacles`` end it before anything is downloaded, ``warnings`` may turn out to be nothing."""

    rooms: tuple[Room, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    warnings: tuple[str, ...] = ()
