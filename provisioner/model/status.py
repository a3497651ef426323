"""What is known of the environments of a person: what ``status`` and ``list`` tell."""

from __future__ import annotations

from provisioner.model.record import record


@record
class EnvironmentStatus:
    """One environment, looked at and not started.

    ``path`` is absolute, ``why`` says in words why it is listed; ``made`` is true where tfsetup made or changed it. ``tensorflow`` is the release,
    ``package`` the name that it is installed under (both empty without one), ``python`` as ``3.11.7``. ``verified`` is the time of the last proof
    (ISO 8601; empty for none), ``checks`` how many of its checks passed. ``drift`` are packages of the set that are no longer as they were proven.
    ``size`` and ``kept`` are bytes, of all of it and of what undo keeps (-1: not measured); ``undo`` says what undo would do (empty: nothing).
    ``kernels`` are the names of this user's notebook kernels that start its Python.
    ``trouble`` says what cannot be read, ``interrupted`` in which state an interrupted run left it; with ``at_work`` another run is changing it,
    and the rest is not told.
    """

    path: str
    why: str
    kind: str = ""
    made: bool = False
    tensorflow: str = ""
    package: str = ""
    python: str = ""
    device: str = ""
    verified: str = ""
    checks: int = 0
    drift: tuple[str, ...] = ()
    size: int = -1
    undo: str = ""
    kept: int = -1
    interrupted: str = ""
    kernels: tuple[str, ...] = ()
    trouble: str = ""
    at_work: bool = False


@record
class Status:
    """Every environment that was found: those that tfsetup made first, then by path."""

    environments: tuple[EnvironmentStatus, ...]
