"""What a resolver is asked for one target, and what it answers; the same for uv and pip-tools."""

from __future__ import annotations

import re
from dataclasses import field
from urllib.parse import unquote, urlsplit, urlunsplit

from provisioner.engines.allowed import VARIABLE
from provisioner.engines.source_tree import Metadata
from provisioner.engines.wheels import Wheel
from provisioner.errors import OperationError, UsageError
from provisioner.model.record import record
from provisioner.model.team import Index

# The name that the requirements of a job are written down under, for resolvers that want them in a project.
PROJECT = "tfsetup-team"
# `name==version`, `name[extra]==version` or `name @ address` at the start of a line of a requirements file.
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?(?:==| @ )([^\s;\\]+)")


@record
class Job:
    """One target's question.

    ``requirements`` and ``constraints`` are PEP 508 texts; ``sources`` are names whose source distribution is taken, since no wheel of it
    exists. ``floor`` is the oldest glibc or macOS. ``cutoff`` is an ISO date and time in UTC, ``cutoffs`` those of single packages ("" where
    none holds); it holds for none of ``exempt``. ``folder`` is one of the tool's own, for this job alone; ``cache`` one that stays.
    Of these, ``metadata`` says what was found out; the others are taken to need nothing, so that no code is run. With ``interpreter``, a path, it is
    resolved for that Python on this machine, and ``python``, ``platform`` and ``floor`` do not count.
    ``preferred`` are exact pins that are kept wherever the rest lets them. ``built_in`` is the address of the
    resolver's own index, "" where another is asked. ``links`` are folders (absolute) and pages (addresses) in which files are found, too. What
    is ``absent`` is left out whoever needs it, for another has its place (uv alone does that).
    With ``alone`` only the named packages are asked for, without what they need, and the index is asked anew whatever is in a cache.
    """

    name: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    python: str
    platform: str
    floor: str
    cutoff: str
    folder: str
    cache: str = ""
    sources: tuple[str, ...] = ()
    metadata: tuple[Metadata, ...] = ()
    interpreter: str = ""
    preferred: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    cutoffs: dict[str, str] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    links: tuple[str, ...] = ()
    built_in: str = ""
    absent: tuple[str, ...] = ()
    offline: bool = False
    alone: bool = False


@record
class Resolved:
    """The answer: the files that are offered of each package, and which packages of the answer asked for it.

    ``undated`` are the packages for which the index tells no upload dates, so that no cut-off holds. ``builders`` are the files that are offered of
    what the source distributions among them are built with, ``compiled`` the names of those with files for a compiler, ``capped`` those of which a
    version was passed over for the Pythons that it refuses.
    """

    offered: dict[str, list[Wheel]]
    via: dict[str, tuple[str, ...]]
    undated: tuple[str, ...] = ()
    builders: dict[str, list[Wheel]] = field(default_factory=dict)
    compiled: tuple[str, ...] = ()
    capped: tuple[str, ...] = ()


class NoSolutionError(OperationError):
    """The requirements of a job cannot be met together; ``said`` is the resolver's own explanation.

    ``further`` is true where not all was tried: older versions of what was built, or the source of packages whose wheels do not go, ``unbuilt``.
    """

    def __init__(self, job: Job, said: str, *, further: bool = False, unbuilt: frozenset[str] = frozenset()) -> None:
        """Keep the job, for the search of what would do."""
        super().__init__(
            f"the requirements cannot be met together for {job.name}",
            place=job.name,
            hint=" ".join(said.split()),
            cause="resolver-conflict",
        )
        self.job = job
        self.said = said
        self.further = further or bool(unbuilt)
        self.unbuilt = unbuilt


def canonical(name: str) -> str:
    """Return a distribution's name in the form in which names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_annotations(text: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]], dict[str, str]]:
    """Read a requirements file as pip-compile and uv write it: versions, what each came from ("via"), and its index (uv's "from").

    Only names of packages count: files and projects that asked for one (``-r x.in``, ``name (pyproject.toml)``) are left out.
    """
    versions: dict[str, str] = {}
    via: dict[str, list[str]] = {}
    indexes: dict[str, str] = {}
    name, listing = "", False
    for line in text.splitlines():
        pin = _PIN.match(line)
        note = line.strip().removeprefix("#").strip() if line.startswith("    #") else ""
        if pin:
            name, listing = canonical(pin[1]), False
            versions[name] = pin[2]
            via[name] = []
        elif note.startswith("from "):
            indexes[name], listing = note.removeprefix("from "), False
        elif name and (note.startswith("via") or listing):
            listing = True
            origin = note.removeprefix("via").strip()
            if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[.*\])?", origin):
                via[name].append(canonical(origin.split("[")[0]))
    return versions, {item: tuple(sorted(origins)) for item, origins in via.items()}, indexes


def credentials(url: str) -> tuple[str, str, str]:
    """Part an expanded address into the address without its user and password, and these two."""
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return urlunsplit((parts.scheme, host, parts.path, parts.query, "")), unquote(user), unquote(password)


def plain(url: str) -> str:
    """Return an address as it may be written down: without user, password, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def check_variables(index: Index) -> None:
    """Raise ``UsageError`` where a variable stands for more than user and password: it would end up in what is written."""
    if VARIABLE.search(plain(index.url)):
        hint = "write it as https://${USER}:${PASSWORD}@host/path"
        raise UsageError("a variable may only stand for the user and the password", place=plain(index.url), hint=hint)
