"""A team's declaration and its lock: what is wanted, for which machines, and what was found for each."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from provisioner.model.catalogue import ComputeDevice
from provisioner.model.checkout import Checkout
from provisioner.model.conda_package import CondaPackage
from provisioner.model.policy import Policy
from provisioner.model.record import record
from provisioner.model.request import Kind, Source

Format = Literal["requirements", "pylock", "conda-lock"]
# What resolves: the wheels of all targets (uv, or pip-tools), and conda packages by rattler; with ``conda-lock`` uv and the real conda-lock.
Engine = Literal["uv", "pip-tools", "conda-lock"]
# What a lock is written into beside its own files: the project's pyproject.toml for uv, or limits for other tools' resolvers.
Into = Literal["uv", "constraints"]


@record
class Target:
    """A kind of machine: ``platform`` as the catalogue names it (``linux-x86_64``), ``python`` as ``3.11``.

    ``name`` is part of file names (letters, digits, ``-``, ``_``, ``.``). ``floor`` is the oldest glibc or macOS among the machines ("": that
    of the profile's set); ``driver`` the oldest NVIDIA driver among them ("" where nothing is said). ``tensorflow`` is a specifier for this
    target alone ("": that of the declaration). ``kind`` and ``source`` are those of a request: a ``conda`` environment with TensorFlow's own
    wheels, or with everything from the conda channels.
    """

    name: str
    platform: str
    device: ComputeDevice
    python: str
    floor: str = ""
    driver: str = ""
    tensorflow: str = ""
    kind: Kind = "venv"
    source: Source = "wheels"


@record
class Index:
    """A package index. ``url`` may name variables as ``${TOKEN}``, which are never expanded in what is written.

    ``packages`` are the normalised names that come from it and from nowhere else; without any it is the default for all others.
    """

    url: str
    name: str = ""
    packages: tuple[str, ...] = ()


@record
class ProjectInput:
    """Dependencies of a project: ``file`` is its ``pyproject.toml``; extras (``project.optional-dependencies``) and groups (PEP 735)."""

    file: str
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@record
class Instead:
    """A requirement of the team's lists (``of``), and what is taken in its place (``take``); both PEP 508 texts."""

    of: str
    take: str


@record
class Declaration:
    """What ``tfsetup.yaml`` (or ``[tool.tfsetup]``) says for a team. ``file`` is where it was read; paths in it are relative to its folder.

    ``tensorflow`` is the request's specifier; ``requirements`` are PEP 508 texts; ``files`` are requirements files; ``folder`` is where the
    locks are written. ``channels`` are conda channels in order of priority: names, addresses (which may name variables as an index's), or
    folders relative to the file; without any, the profile's. ``conda`` are match specs of the conda packages beside TensorFlow.
    """

    file: str
    tensorflow: str
    targets: tuple[Target, ...]
    requirements: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    project: ProjectInput | None = None
    indexes: tuple[Index, ...] = ()
    policy: Policy = Policy()
    folder: str = "."
    channels: tuple[str, ...] = ()
    formats: tuple[Format, ...] = ("requirements", "pylock", "conda-lock")
    verify: tuple[str, ...] = ()
    instead: tuple[Instead, ...] = ()
    conda: tuple[str, ...] = ()


@record
class TeamFile:
    """One locked file: name, version, SHA-256, sizes in bytes (0 where the index does not tell).

    ``url`` is where it was found, without credentials; ``index`` the index it belongs to, without credentials; ``requires`` the names it
    needs in this set; ``profile`` is true when it is part of the known-good set; ``uploaded`` ISO date and time, "" where the index does not tell.
    ``compiled``: a source distribution with files for a compiler. ``direct``: no index serves it, ``url`` is where it is asked for.
    ``path``: the project carries the file, there from the lock's folder; ``url`` is "" then, unless an index has the very same file, too.
    """

    name: str
    version: str
    filename: str
    sha256: str
    size: int = 0
    url: str = ""
    index: str = ""
    requires: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    profile: bool = False
    source: bool = False
    uploaded: str = ""
    compiled: bool = False
    direct: bool = False
    path: str = ""


@record
class LockedConda:
    """The conda half of a target's lock.

    ``specs`` are the match specs that it was solved from, ``virtual`` the virtual packages that the target's machines were taken to have
    (``__cuda=12.4=0``), ``channels`` the channels in order of priority, without credentials, which may be variables.
    """

    specs: tuple[str, ...]
    virtual: tuple[str, ...]
    channels: tuple[str, ...]
    packages: tuple[CondaPackage, ...]


@record
class Needs:
    """What a machine must have for a target's set; "" where nothing is needed. ``capabilities``: of the GPUs with code in the build.

    ``virtual`` are match specs of virtual packages that conda packages ask for beyond the C library or macOS (``__cuda >=12``).
    """

    platform: str
    python: str
    glibc: str = ""
    macos: str = ""
    cpu_features: tuple[str, ...] = ()
    driver: str = ""
    capabilities: tuple[str, ...] = ()
    virtual: tuple[str, ...] = ()


@record
class Moved:
    """A package of the known-good set that is locked in another version than the one that was run, because of ``why``."""

    name: str
    was: str
    now: str
    why: str


@record
class LockedTarget:
    """One target, locked: ``profile`` is the digest of the catalogue's set, ``proof`` how far that was run, in words.

    ``moved`` are the packages of the set that made room for the team's requirements: with any, this very set was not run. ``builders`` are what the
    source distributions among the ``files`` are built with; they are no part of the environment. ``checkouts`` are what is no file.
    ``own_proof`` says where the team itself ran all of what is locked, in words; "" where nobody did.

    ``conda`` is the conda half, None for a virtual environment. Where everything comes from the channel there are no ``files`` and no
    ``profile``.
    """

    target: Target
    release: str
    profile: str
    proof: str
    needs: Needs
    files: tuple[TeamFile, ...]
    conda: LockedConda | None = None
    moved: tuple[Moved, ...] = ()
    builders: tuple[TeamFile, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    own_proof: str = ""

    @property
    def held(self) -> tuple[tuple[str, str, str, str], ...]:
        """Name, version, file name and SHA-256 of everything: conda packages first, then wheels."""
        conda = self.conda.packages if self.conda is not None else ()
        return (
            *((item.name, item.version, item.filename, item.sha256) for item in conda),
            *((item.name, item.version, item.filename, item.sha256) for item in self.files),
        )


@record
class InputDigest:
    """An input of the lock: ``name`` as a person knows it (a path relative to the declaration), and the SHA-256 of what counts in it."""

    name: str
    sha256: str


@record
class Carried:
    """A wheel or an archive of source that the project carries: ``path`` relative to the declaration's folder, ``size`` in bytes."""

    path: str
    sha256: str
    size: int


@record
class Inputs:
    """The team's own requirements as they were read: PEP 508 texts, limits in the same form, and a digest for each input.

    ``projects`` are the team's own, their folders relative to the declaration's; what they depend on is among the ``requirements``, and
    ``builders`` are the requirements of their builds.
    ``hashes`` are, by name, the SHA-256 that the lists give: a file must have one of them. ``places`` say where
    each address stands that the lists name. ``links`` are the folders (absolute) in which the lists find files, too, and the pages (addresses);
    ``carried`` are the files in these folders and those that they name by a path: by SHA-256.
    """

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    digests: tuple[InputDigest, ...] = ()
    projects: tuple[Checkout, ...] = ()
    builders: tuple[str, ...] = ()
    hashes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    carried: dict[str, Carried] = field(default_factory=dict)


@record
class TeamLock:
    """All targets with what they were locked from: ``cutoff`` is the upload date (ISO, UTC) up to which the index was looked at.

    ``cutoffs`` holds the packages that have a cut-off of their own: an ISO date, or "" where the index tells no upload dates. ``catalogue`` is
    the digest of all the sets. ``written`` names the files that belong to the lock, relative to its folder, with their digests. ``indexes``
    are the declaration's, without credentials, which may be variables. ``into`` is what the lock was written into beside its files.
    """

    tool: str
    engine: Engine
    cutoff: str
    catalogue: str
    inputs: tuple[InputDigest, ...]
    targets: tuple[LockedTarget, ...]
    cutoffs: dict[str, str] = field(default_factory=dict)
    written: tuple[InputDigest, ...] = ()
    indexes: tuple[Index, ...] = ()
    into: tuple[Into, ...] = ()
