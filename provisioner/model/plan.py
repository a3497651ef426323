"""The choice, with its reasons, and the plan that is shown, saved and executed."""

from __future__ import annotations

from typing import Literal

from provisioner.model.catalogue import ComputeDevice, Link
from provisioner.model.checkout import Checkout
from provisioner.model.conda import Outside
from provisioner.model.conda_package import CondaPart, CondaSource
from provisioner.model.facts import Interpreter, PythonDownload
from provisioner.model.finding import Repair
from provisioner.model.mark import Mark
from provisioner.model.preflight import Preflight
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.model.team import Index

GpuVerdict = Literal["native", "ptx", "too old", "too new", "unknown"]


@record
class GpuJudgement:
    """One GPU against one build: ``why`` in a sentence for a person."""

    index: int
    name: str
    capability: str
    verdict: GpuVerdict
    why: str


@record
class Refusal:
    """A candidate that was not taken: ``code`` of the cause table, ``why`` in a sentence, ``remedy`` where there is one."""

    candidate: str
    code: str
    why: str
    remedy: str = ""


@record
class Choice:
    """What was chosen: ``reasons`` say why, ``refusals`` why each better candidate was not, ``warnings`` what a person should know.

    ``road`` says where the TensorFlow and the CUDA of a conda environment come from; "" for a virtual environment. ``interpreter`` is None where
    conda brings the Python; ``download`` is given where it is not here yet, and uv fetches it to that path.
    """

    release: str
    python: str
    interpreter: Interpreter | None
    device: ComputeDevice
    platform: str
    reasons: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    warnings: tuple[str, ...]
    gpus: tuple[GpuJudgement, ...]
    # A source, like that of a request; plans and receipts of 0.1.0 call it so, and the codec reads a field by its own name.
    road: CondaSource = ""
    download: PythonDownload | None = None


@record
class Package:
    """A distribution that will be installed: one file, its SHA-256, its sizes in bytes; ``source`` when it must be built.

    ``url`` is the address of one that no index serves.
    """

    name: str
    version: str
    filename: str
    sha256: str
    size: int
    unpacked: int
    source: bool = False
    url: str = ""


@record
class Removal:
    """A distribution or leftover that will be moved out: ``paths`` relative to the environment (empty: as its RECORD says)."""

    name: str
    version: str
    reason: str
    paths: tuple[str, ...] = ()


@record
class Move:
    """An entry that is renamed beside itself, inside or outside the environment: both paths are absolute, in one folder."""

    path: str
    target: str
    reason: str


@record
class Edit:
    """An entry of the environment that is written: ``path`` is relative to it. A link where ``target`` is given, else a file with ``text``."""

    path: str
    reason: str
    text: str = ""
    target: str = ""


# What becomes of a distribution of the user's own: it keeps all that it requires (``whole``); it comes in another version (``resolved``); it loses
# what it requires (``breaks``); it lacked that before, and still does (``was broken``).
Fate = Literal["whole", "resolved", "breaks", "was broken"]


@record
class Neighbour:
    """A distribution that is no part of the set, and what becomes of it.

    ``why`` in sentences; ``becomes`` is the version that comes in its place; ``by`` names those that break and that it requires, where that alone
    breaks it.
    """

    name: str
    version: str
    fate: Fate
    why: tuple[str, ...] = ()
    becomes: str = ""
    by: tuple[str, ...] = ()


@record
class Moved:
    """A package of the set that comes in another version than the set's ``pin``, for the sake of ``keeps`` (names of distributions)."""

    name: str
    pin: str
    version: str
    keeps: tuple[str, ...]


@record
class Way:
    """Another way to what was asked for: ``words`` for a person, and the ``command`` that takes it."""

    words: str
    command: str


# How much a plan changes: ``apply`` makes what was asked for; a repair puts single things right (``repair``), the whole set (``set``), or
# makes the environment anew in the place of the old one (``rebuild``).
PlanKind = Literal["apply", "repair", "set", "rebuild"]
StepKind = Literal["fetch", "create", "conda", "remove", "install", "link", "write", "move", "kernel", "verify", "receipt"]


@record
class Step:
    """One step: ``needed`` is false when there is nothing to do, and ``reason`` then says why not."""

    kind: StepKind
    title: str
    reason: str
    needed: bool


# What is at a place: nothing, a folder with nothing in it, an environment.
EnvKind = Literal["absent", "empty", "venv", "conda"]
# Of these, what is an environment.
STANDING: frozenset[EnvKind] = frozenset({"venv", "conda"})


@record
class EnvState:
    """What is at the environment's path now: ``digest`` covers all its distributions and versions.

    ``kind``: ``absent``, ``empty`` (a folder with nothing in it), ``venv``, ``conda``. ``managed`` is true when this tool made it. ``python`` is
    the path of its interpreter, ``python_version`` that interpreter's version as ``3.11.7`` (both empty without a ``venv``).
    """

    path: str
    kind: EnvKind
    digest: str
    python: str = ""
    python_version: str = ""
    site_packages: str = ""
    managed: bool = False

    @property
    def exists(self) -> bool:
        """True where there is an environment, whatever its kind."""
        return self.kind in STANDING


# What of an interrupted run's change has been done: nothing, some of it, all of it.
State = Literal["old", "moving", "new"]


@record
class Interrupted:
    """What an interrupted run left.

    ``state``: ``old`` (nothing of it reached the environment), ``moving`` (files were on their way), ``new`` (complete, not yet proven);
    ``where`` is the folder that shows it, ``started`` the time (ISO 8601) when what it changed, or took back, was begun. ``undoing``: it was an
    undo, which the next one finishes.
    """

    state: State
    where: str
    started: str
    before: EnvKind = "absent"
    undoing: bool = False


@record
class Plan:
    """What will be done, sealed: ``seal`` is the SHA-256 over all the other fields.

    Sizes are in bytes. ``outside`` lists every change outside the environment and the tool's own cache. ``facts``, ``catalogue`` and
    ``lock`` are digests of what the decision was made from; ``proof`` says in words what was run for the lock. ``unchanged`` are locked
    packages that are there already, with their versions; ``warnings`` are about the place (those about the choice are in ``choice``).
    ``indexes`` are those that a team's lock names, for its files (addresses; none for the one that the machine is configured with).
    ``builders`` are what its source distributions and ``checkouts`` are built with (empty where nothing is built); ``checkouts`` are commits of
    repositories and projects of the team's own, which come after all packages. ``conda`` is what
    conda packages are to be (None for a virtual environment).

    ``preflight`` is what was looked at before anybody is asked, ``interrupted`` what an earlier run left.

    The rest is for repairs: ``repairs`` are those of the findings that it does; ``moves`` are renamed aside, ``edits`` written; ``base`` is the
    interpreter that the environment is given (empty: it keeps its own).

    ``neighbours`` are the user's own distributions of an environment that changes, ``conflicts`` say which of them will not work any more;
    ``moved`` are the packages of the set in another version than the set's, ``ways`` what could be done instead where something breaks.
    ``unmended`` is what is wrong in the environment, and stays so when the plan is executed. ``kernels`` are notebook kernels that are registered.
    """

    tool: str
    made: str
    machine: str
    request: Request
    facts: str
    catalogue: str
    env: EnvState
    choice: Choice
    lock: str
    proof: str
    steps: tuple[Step, ...]
    packages: tuple[Package, ...]
    unchanged: dict[str, str]
    removals: tuple[Removal, ...]
    links: tuple[Link, ...]
    download: int
    disk: int
    outside: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    builders: tuple[Package, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    kind: PlanKind = "apply"
    repairs: tuple[Repair, ...] = ()
    moves: tuple[Move, ...] = ()
    edits: tuple[Edit, ...] = ()
    base: str = ""
    conflicts: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    conda: CondaPart | None = None
    neighbours: tuple[Neighbour, ...] = ()
    moved: tuple[Moved, ...] = ()
    ways: tuple[Way, ...] = ()
    seal: str = ""
    preflight: Preflight = Preflight()
    interrupted: Interrupted | None = None
    unmended: tuple[Mark, ...] = ()
    kernels: tuple[Outside, ...] = ()

    @property
    def fetched(self) -> PythonDownload | None:
        """The Python that is fetched for it: for a new environment, or for one that is made anew."""
        return self.choice.download if not self.env.exists or self.kind == "rebuild" else None

    @property
    def breaking(self) -> tuple[str, ...]:
        """The names of the user's own distributions that will not work any more, and not only because of others: each needs a word of its own."""
        return tuple(item.name for item in self.neighbours if item.fate == "breaks" and not item.by)

    @property
    def broken(self) -> frozenset[str]:
        """The names of all of them, those that break because of others too."""
        return frozenset(item.name for item in self.neighbours if item.fate == "breaks")

    @property
    def expected(self) -> dict[str, str]:
        """Every package of the set with its version: those that come and those that are there."""
        return dict(sorted({**self.unchanged, **{package.name: package.version for package in self.packages}}.items()))

    @property
    def changes(self) -> bool:
        """True when executing it would change something."""
        return any(step.needed and step.kind not in {"verify", "receipt"} for step in self.steps)
