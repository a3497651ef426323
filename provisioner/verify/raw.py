"""What came back from the target, before it is judged: the children's events, how they ended, and the checks made from outside."""

from __future__ import annotations

import signal
from dataclasses import field

from provisioner.judge.integrity import Integrity
from provisioner.judge.requirements import Unmet
from provisioner.model.catalogue import CudaBuild
from provisioner.model.finding import CheckStatus
from provisioner.model.record import record
from provisioner.verify.events import Event
from provisioner.verify.surroundings import Surroundings


@record
class Expected:
    """What the environment should be: empty fields are not known and not compared.

    ``packages`` maps normalised names to versions; ``device`` is what the build was chosen for; ``cuda`` what that build was made with.
    """

    tensorflow: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    device: str = ""
    cuda: CudaBuild | None = None


@record
class Child:
    """A finished child: ``code`` is its status, ``-N`` when signal N ended it; ``limit`` its time limit in seconds."""

    code: int
    timed_out: bool
    seconds: float
    limit: float
    err: str
    events: tuple[Event, ...]

    def first(self, kind: str) -> Event:
        """The first event of a kind; an empty one when there is none."""
        return next((event for event in self.events if event["event"] == kind), {})

    def all(self, kind: str) -> tuple[Event, ...]:
        """Every event of a kind."""
        return tuple(event for event in self.events if event["event"] == kind)

    @property
    def done(self) -> bool:
        """True when the child came to its end."""
        return bool(self.first("done"))


@record
class Ran:
    """One check of the probe; ``data`` is what it reported beside the words."""

    name: str
    device: str
    status: CheckStatus
    detail: str
    seconds: float
    data: Event


@record
class Raw:
    """Everything the judge gets. ``libraries`` is None when they were not asked for, and ``no_libraries`` then says why.

    ``present`` names files of the environment with the name of a library that was not found where TensorFlow looks.
    """

    probe: Child
    libraries: Child | None
    no_libraries: str
    cuda_build: bool | None
    integrity: Integrity
    unmet: tuple[Unmet, ...]
    around: Surroundings
    present: dict[str, str] = field(default_factory=dict)

    def ran(self, name: str, device: str = "") -> Ran | None:
        """One check of the probe, if it was reached."""
        return next((item for item in checks_of(self.probe) if (item.name, item.device) == (name, device)), None)

    @property
    def gpus(self) -> tuple[Event, ...]:
        """The GPUs that TensorFlow itself found."""
        devices = self.ran("devices")
        return tuple(devices.data.get("gpus", ())) if devices else ()


def checks_of(child: Child) -> tuple[Ran, ...]:
    """Return the checks in order; one that started and did not end carries the child's end."""
    ended = {(event["check"], event["device"]): event for event in child.all("end")}
    found: list[Ran] = []
    for event in child.all("start"):
        key = (event["check"], event["device"])
        end = ended.get(key)
        if end is None:
            status: CheckStatus = "timed out" if child.timed_out else "crashed"
            found.append(Ran(name=key[0], device=key[1], status=status, detail=ending(child), seconds=0.0, data={}))
        else:
            found.append(
                Ran(name=key[0], device=key[1], status=end["status"], detail=end["detail"], seconds=end["seconds"], data=end["data"])
            )
    return tuple(found)


def ending(child: Child) -> str:
    """How a child ended, in words."""
    if child.timed_out:
        return f"no answer within {child.limit:.0f} s"
    if child.code < 0:
        try:
            name = signal.Signals(-child.code).name
        except ValueError:
            name = f"signal {-child.code}"
        return f"the process was ended by {name}"
    return f"the process ended with exit code {child.code}"
