"""Newer glibcs than a known-good set asks for, taken where nobody says a ``floor`` and a wheel is there for those alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from provisioner.base.versions import numbers
from provisioner.choose.obstacles import listed
from provisioner.engines.resolving import Job, NoSolutionError, Resolved
from provisioner.errors import OperationError
from provisioner.lock.needs import floor_of
from provisioner.lock.wheelless import elsewhere, lacking
from provisioner.model.catalogue import Lock
from provisioner.model.team import Target

# What is built for more than PyPI's oldest images is built for these (PEP 600's images: AlmaLinux 8, and 9 or Ubuntu 22.04).
NEWER = ("2.28", "2.35")


class NewerFloorError(OperationError):
    """Wheels are there for a newer ``floor`` than was asked for, of ``names``: nobody sees it, the target is asked for again."""

    def __init__(self, job: Job, floor: str, names: Collection[str]) -> None:
        """Keep what will do."""
        super().__init__(f"wheels are there for glibc {floor} alone", place=job.name)
        self.floor = floor
        self.names = tuple(sorted(names))


def newer_floors(target: Target, lock: Lock) -> tuple[str, ...]:
    """Return the floors that may be taken beside the known-good set's own; none where the team says one, or on another system."""
    if target.floor or not target.platform.startswith("linux"):
        return ()
    own = floor_of(target, lock)
    return tuple(floor for floor in NEWER if numbers(floor) > numbers(own))


def lift(ask: Callable[[Job], Resolved], job: Job, floors: Sequence[str], said: str, names: Collection[str]) -> None:
    """Raise ``NewerFloorError`` where one of ``floors`` has wheels of what there were none: of ``names``, or of what has no source, either.

    ``said`` is what the resolver said of the job as it is.
    """
    without = {*names} or {*elsewhere(said)}
    if not floors or not without:
        return

    def helps(floor: str) -> bool:
        try:
            return bool(ask(replace(job, floor=floor)).offered)
        except NoSolutionError as error:
            return not without & {*lacking(error.said), *elsewhere(error.said)}

    # Where the newest does not help, none does: most of what has no wheel has none for anything.
    if helps(floors[-1]):
        raise NewerFloorError(job, next((floor for floor in floors[:-1] if helps(floor)), floors[-1]), without)


def lifted_words(target: Target, lock: Lock, floor: str, names: Sequence[str]) -> str:
    """Say which packages have wheels for newer machines alone than those that TensorFlow itself runs on."""
    return (
        f"{target.name}: {listed(names)} {'has' if len(names) == 1 else 'have'} no wheel for glibc {floor_of(target, lock)}, on which TensorFlow "
        f"{lock.release} runs: wheels for {floor} were taken; `floor` says which machines the target has"
    )
