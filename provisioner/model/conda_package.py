"""What a conda channel offers and an environment holds: one package file as repodata describes it, and the conda half of a plan."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from provisioner.model.conda import Outside
from provisioner.model.record import record

# Where the TensorFlow and the CUDA of a conda environment come from. ``wheels``: Python by conda, everything else by wheel, the CUDA libraries too.
# ``libraries``: Python and the CUDA libraries by conda, TensorFlow's own wheel. ``conda``: everything from the channel.
CondaSource = Literal["", "wheels", "libraries", "conda"]
# conda's names of the platforms ("subdirs").
SUBDIRS = {
    "linux-x86_64": "linux-64",
    "linux-aarch64": "linux-aarch64",
    "macos-aarch64": "osx-arm64",
    "macos-x86_64": "osx-64",
    "windows-x86_64": "win-64",
}
Noarch = Literal["", "generic", "python"]


@record
class CondaPackage:
    """One package file of a channel, as its repodata describes it (CEP 36).

    ``url`` is its whole address without credentials, ``channel`` the address of its channel. ``sha256`` and ``md5`` are hexadecimal, ``size`` in
    bytes (0 where the channel does not tell), ``timestamp`` milliseconds since 1970 (0 likewise). ``depends`` and ``constrains`` are match specs.
    """

    name: str
    version: str
    build: str
    build_number: int
    subdir: str
    filename: str
    url: str
    channel: str
    sha256: str
    md5: str = ""
    size: int = 0
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    noarch: Noarch = ""
    license: str = ""
    timestamp: int = 0
    track_features: tuple[str, ...] = ()
    python_site_packages_path: str = ""

    @property
    def identity(self) -> str:
        """Name, version and build, which is what an environment's record of it is called."""
        return f"{self.name}-{self.version}-{self.build}"


@record
class Present:
    """The conda packages of an environment, and which of them holds each Python distribution (normalised name to conda package)."""

    packages: tuple[CondaPackage, ...] = ()
    owners: dict[str, str] = field(default_factory=dict)

    @property
    def distributions(self) -> frozenset[str]:
        """The distributions that conda holds; whether they stay is said of their packages, so that no wheel is taken for being there."""
        return frozenset(self.owners)


@record
class CondaRemoval:
    """A conda package that leaves the environment: ``identity`` as ``name-version-build``, ``reason`` in a sentence."""

    identity: str
    reason: str


@record
class CondaPart:
    """The conda half of a plan.

    ``specs`` are the match specs it was solved from, ``virtual`` the virtual packages it was solved for (``__cuda=12.4=0``), ``channels``
    the channels in order of priority, without credentials. ``packages`` are linked, ``unchanged`` are there already (name to
    ``version build``), ``removals`` leave. ``cache`` is the folder that downloads are kept in. ``registered`` is
    what makes a new environment known to conda and mamba.
    """

    specs: tuple[str, ...]
    virtual: tuple[str, ...]
    channels: tuple[str, ...]
    packages: tuple[CondaPackage, ...]
    unchanged: dict[str, str]
    removals: tuple[CondaRemoval, ...] = ()
    cache: str = ""
    registered: tuple[Outside, ...] = ()

    @property
    def changes(self) -> bool:
        """True when conda packages come or leave."""
        return bool(self.packages or self.removals)
