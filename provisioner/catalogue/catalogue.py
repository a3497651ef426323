"""``Catalogue``: the profiles folder as answers; every file is read only when a question needs it.

The folder: ``releases/<minor>.yaml``, ``locks/<platform>/<version>.lock``, ``gpus.yaml``, ``cuda.yaml``, ``drivers.yaml``, ``conda.yaml``,
``conda-names.yaml``, ``fits.yaml``, ``needs.json``, ``proofs.json``, ``published.json``, ``spare.json``.
The names of the locks are the list of versions, so that listing them costs no reading, whatever their number.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provisioner.base.versions import contains, is_prerelease, is_version, minor_of, numbers, readable, version_key
from provisioner.catalogue.lockfile import LockFile, parse_lockfile
from provisioner.catalogue.stored import Stored
from provisioner.errors import InputError
from provisioner.host import Host, Reader
from provisioner.model.catalogue import NO_ADDON, CudaToolkit, GpuArchitecture, Lock, LockDevice, LockedFile, Proof, Release
from provisioner.model.record import record

if TYPE_CHECKING:
    from provisioner.catalogue.conda_names import CondaNames
    from provisioner.catalogue.fits import Fits
    from provisioner.catalogue.needs import Needs
    from provisioner.catalogue.published import Contradiction
    from provisioner.model.cause import Order
    from provisioner.model.conda_table import CondaTable

LOCK_ENDING = ".lock"
# The one that Apple's tensorflow-metal has wheels for that go with TensorFlow's own.
METAL_PLATFORM = "macos-aarch64"


@record
class _Minor:
    releases: tuple[Release, ...]


def find_profiles() -> str:
    """Return the profiles folder that belongs to this code: inside the installed package, or beside it in a checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__))).replace(os.sep, "/")
    inside = f"{package}/_profiles"
    return inside if os.path.isdir(inside) else f"{posixpath.dirname(package)}/profiles"


def addons_of(release: Release, platform: str) -> dict[str, str]:
    """Return what may be put beside a release on a platform: on arm64 Macs with Apple's plug-in, where the build names one."""
    if platform != METAL_PLATFORM:
        return release.addons
    build = release.build(platform)
    metal = build.metal if build is not None else None
    return {**release.addons, "tensorflow-metal": f"=={metal.version}" if metal else NO_ADDON}


class Catalogue:
    """The profiles of one folder. Answers are remembered; a file that cannot be read raises ``InputError`` when it is first needed."""

    def __init__(self, host: Reader, root: str, stored: Stored, causes: Callable[[], Order] | None) -> None:
        """Use ``open``."""
        self._open_causes = causes
        self._causes: Order | None = None
        self._host = host
        self._root = root
        self._stored = stored
        self._versions: tuple[str, ...] | None = None
        self._minors: dict[str, tuple[Release, ...]] = {}
        self._lockfiles: dict[tuple[str, str], LockFile | None] = {}
        self._pools: dict[tuple[str, str], Mapping[str, tuple[LockedFile, ...]]] = {}
        self._proof: Callable[[str], Proof | None] | None = None

    @classmethod
    def open(
        cls, host: Reader, root: str, *, cache: Host | None = None, cache_dir: str = "", causes: Callable[[], Order] | None = None
    ) -> Catalogue:
        """Open the profiles folder ``root``; with ``cache``, parsed files are kept below ``cache_dir`` (absolute), at best effort.

        ``causes`` reads the order of the causes, which come with the tool whatever the catalogue; without it there is no choosing, only looking up.
        """
        return cls(host, root, Stored(host, root, cache=cache, folder=cache_dir), causes)

    @property
    def digest(self) -> str:
        """SHA-256 over names and contents of the files that were read so far: the same questions give the same digest everywhere."""
        lines = "\n".join(f"{name} {sha256}" for name, sha256 in sorted(self._stored.read.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def platforms(self) -> tuple[str, ...]:
        """Return the platforms that have locks."""
        return tuple(posixpath.basename(path) for path in self._host.glob(f"{self._root}/locks/*"))

    def versions(self) -> tuple[str, ...]:
        """Return every version that has a lock on some platform, newest first, without reading a file."""
        if self._versions is None:
            names = {posixpath.basename(path)[: -len(LOCK_ENDING)] for path in self._host.glob(f"{self._root}/locks/*/*{LOCK_ENDING}")}
            wrong = tuple(f"{name}{LOCK_ENDING}: expected the name of a version" for name in sorted(names) if not is_version(name))
            if wrong:
                raise InputError("not a catalogue", place=f"{self._root}/locks", faults=wrong)
            if not names:
                raise InputError("no profiles are there", place=self._root, hint="install tfsetup again")
            self._versions = tuple(sorted(names, key=version_key, reverse=True))
        return self._versions

    def release(self, version: str) -> Release | None:
        """Return one release, or None where the catalogue does not know it."""
        if version not in self.versions():
            return None
        return next((release for release in self._minor(minor_of(version)) if release.version == version), None)

    def releases(self, spec: str = "", *, prereleases: bool = False) -> Iterator[Release]:
        """Yield the releases that a PEP 440 specifier admits, newest first; a minor's file is read when its first release is reached.

        An empty ``spec`` admits all. Pre-releases are yielded with ``prereleases``, or where the specifier itself names one.
        Raises ``InputError`` for a text that is no specifier.
        """
        for version in self._matching(spec, prereleases=prereleases):
            release = self.release(version)
            if release is None:
                place = f"{self._root}/releases/{minor_of(version)}.yaml"
                raise InputError(f"the locks name {version}, which is not there", place=place)
            yield release

    def locks(self, version: str, platform: str) -> tuple[tuple[str, LockDevice], ...]:
        """Return the Python and device of each set that is locked for a release on a platform."""
        lockfile = self._lockfile(version, platform)
        return lockfile.sets if lockfile else ()

    def lock(self, version: str, python: str, platform: str, device: LockDevice) -> Lock | None:
        """Return the exact set for a release, Python (``3.11``), platform and device, with what goes beside it; None where there is none."""
        lockfile = self._lockfile(version, platform)
        lock = lockfile.lock(python, device) if lockfile else None
        release = self.release(version) if lock else None
        return replace(lock, addons=addons_of(release, platform)) if lock and release else lock

    def proof(self, lock: Lock) -> Proof:
        """Return what was run for a lock; one without an entry is resolved, never run."""
        if self._proof is None:
            from provisioner.catalogue.tables import ProofTable  # noqa: PLC0415 - as below

            path = f"{self._root}/proofs.json"
            known: dict[str, Proof] = {}
            self._proof = ProofTable(self._stored.text("proofs.json"), file=path).get if self._host.exists(path) else known.get
        return self._proof(lock.digest) or Proof(lock=lock.digest, level="resolved")

    def causes(self) -> Order:
        """Return how the causes stand to one another; raises ``LookupError`` where it was opened without."""
        if self._causes is None:
            if self._open_causes is None:
                raise LookupError("this catalogue was opened without the order of the causes")
            self._causes = self._open_causes()
        return self._causes

    def architecture(self, capability: str) -> GpuArchitecture | None:
        """Return the architecture of a compute capability (``8.6``), or None for one that is not known."""
        from provisioner.catalogue.tables import Gpus, read_gpus  # noqa: PLC0415 - 3 ms, for questions about GPUs

        table = self._stored.parsed("gpus.yaml", Gpus, lambda data, path: read_gpus(data, file=path))
        wanted = numbers(capability)
        return next((item for item in table.architectures if numbers(item.first) <= wanted <= numbers(item.last)), None)

    def toolkits(self) -> tuple[CudaToolkit, ...]:
        """Return every known CUDA toolkit, oldest first."""
        from provisioner.catalogue.tables import Toolkits, read_toolkits  # noqa: PLC0415 - as above

        return self._stored.parsed("cuda.yaml", Toolkits, lambda data, path: read_toolkits(data, file=path)).toolkits

    def driver_commands(self, distribution_id: str, like: tuple[str, ...], minimum: str) -> tuple[str, ...]:
        """Return what a person runs to get a driver that is at least ``minimum`` (``525.60.13``), line by line.

        ``distribution_id`` and ``like`` are ID and ID_LIKE of os-release; ``wsl2`` stands for Linux under Windows.
        """
        from provisioner.catalogue.tables import Drivers, read_drivers  # noqa: PLC0415 - as above

        table = self._stored.parsed("drivers.yaml", Drivers, lambda data, path: read_drivers(data, file=path))
        # The branch itself must be newer than the minimum's, or it could still be a release of the branch that is too old.
        wanted = numbers(minimum)[0]
        branch = next((item for item in table.branches if int(item) > wanted), table.branches[-1])
        for name in (distribution_id, *like, "*"):
            for route in table.routes:
                if name in route.ids:
                    return tuple(command.replace("{branch}", branch).replace("{minimum}", minimum) for command in route.commands)
        return ()

    def conda(self) -> CondaTable:
        """Return which channels and conda packages bring CUDA's libraries, and which each brings; empty where the folder has no such file."""
        from provisioner.catalogue.conda_tables import read_conda  # noqa: PLC0415 - only for conda environments
        from provisioner.model.conda_table import CondaTable  # noqa: PLC0415 - as above

        name = "conda.yaml"
        if not self._host.exists(f"{self._root}/{name}"):
            return CondaTable(sources=(), channels=(), libraries=())
        return self._stored.parsed(name, CondaTable, lambda data, path: read_conda(data, file=path))

    def conda_names(self) -> CondaNames:
        """Return which conda packages are which distributions; empty where the folder has no such file."""
        from provisioner.catalogue.conda_names import CondaNames, read_conda_names  # noqa: PLC0415 - only for conda environments

        name = "conda-names.yaml"
        if not self._host.exists(f"{self._root}/{name}"):
            return CondaNames()
        return self._stored.parsed(name, CondaNames, lambda data, path: read_conda_names(data, file=path))

    def fits(self) -> Fits:
        """Return what goes with which release beyond what metadata says; empty where the folder has no such file."""
        from provisioner.catalogue.fits import Fits, read_fits  # noqa: PLC0415 - for doctor

        name = "fits.yaml"
        if not self._host.exists(f"{self._root}/{name}"):
            return Fits()
        return self._stored.parsed(name, Fits, lambda data, path: read_fits(data, file=path))

    def needs(self) -> Needs:
        """Return what the packages of the sets require, by their METADATA; empty where the folder has no such file."""
        from provisioner.catalogue.needs import NAME, Needs, read_needs  # noqa: PLC0415 - only where something else is installed

        if not self._host.exists(f"{self._root}/{NAME}"):
            return Needs()
        return read_needs(self._stored.text(NAME), file=f"{self._root}/{NAME}")

    def pool(self, python: str, platform: str) -> Mapping[str, tuple[LockedFile, ...]]:
        """Return every wheel of every set for a Python and platform, and the spare ones, by name: of each version one."""
        if (python, platform) not in self._pools:
            self._pools[python, platform] = self._pool(python, platform)
        return self._pools[python, platform]

    def _pool(self, python: str, platform: str) -> Mapping[str, tuple[LockedFile, ...]]:
        found: dict[str, dict[str, LockedFile]] = {}
        for version in self.versions():
            for other, device in self.locks(version, platform):
                lock = self.lock(version, python, platform, device) if other == python else None
                for file in lock.files if lock is not None else ():
                    if not file.source:
                        found.setdefault(file.name, {}).setdefault(file.version, file)
        for file in self.spare(python, platform):
            found.setdefault(file.name, {}).setdefault(file.version, file)
        return {name: tuple(files.values()) for name, files in found.items()}

    def spare(self, python: str, platform: str) -> tuple[LockedFile, ...]:
        """Return the wheels that are in no set; none where the folder has no such file."""
        from provisioner.catalogue.spare import NAME, read_spare  # noqa: PLC0415 - only where a set does not do

        data = self._json(NAME)
        return read_spare(data, file=f"{self._root}/{NAME}").files(python, platform) if data is not None else ()

    def limits(self, lock: Lock) -> tuple[str, ...]:
        """Return how far the packages of a set may be moved, beyond what TensorFlow's own metadata says; see ``catalogue.limits``."""
        from provisioner.catalogue.limits import limits_of  # noqa: PLC0415 - only where a set is loosened

        release = self.release(lock.release)
        return limits_of(lock, release, self.fits()) if release is not None else ()

    def published(self) -> frozenset[Contradiction]:
        """Return the files that wheels were published with against their own records; none where the folder has no such list."""
        from provisioner.catalogue.published import NAME, read_published  # noqa: PLC0415 - only where files are compared

        data = self._json(NAME)
        return read_published(data, file=f"{self._root}/{NAME}").contradictions if data is not None else frozenset()

    def _json(self, name: str) -> Any:
        """Return what a file of the catalogue says, None where the folder has none; raises ``InputError``."""
        from provisioner.model.json_text import read_json  # noqa: PLC0415 - only for what is rare

        path = f"{self._root}/{name}"
        if not self._host.exists(path):
            return None
        try:
            return read_json(self._stored.text(name))
        except ValueError:
            raise InputError("is no JSON", place=path) from None

    def _matching(self, spec: str, *, prereleases: bool) -> Iterator[str]:
        if not spec:
            return (version for version in self.versions() if prereleases or not is_prerelease(version))
        if not readable(spec):
            raise InputError(f"not a version specifier: {spec!r}", hint="write it as ==2.15.*, >=2.16,<2.19 or ==2.20.0")
        # Not left to `packaging`, which lets a pre-release pass `>=2.20` when it is asked about that one version alone.
        allowed = prereleases or any(is_prerelease(version) and version in spec for version in self.versions())
        return (version for version in self.versions() if contains(spec, version, prereleases=allowed))

    def _minor(self, minor: str) -> tuple[Release, ...]:
        if minor not in self._minors:

            def parse(data: object, path: str) -> _Minor:
                from provisioner.catalogue.releases import read_minor  # noqa: PLC0415 - only a cold run checks a file

                return _Minor(releases=read_minor(data, minor=minor, file=path))

            self._minors[minor] = self._stored.parsed(f"releases/{minor}.yaml", _Minor, parse).releases
        return self._minors[minor]

    def _lockfile(self, version: str, platform: str) -> LockFile | None:
        if (version, platform) not in self._lockfiles:
            name = f"locks/{platform}/{version}{LOCK_ENDING}"
            path = f"{self._root}/{name}"
            found = parse_lockfile(self._stored.text(name), file=path) if self._host.exists(path) else None
            if found is not None and (found.release, found.platform) != (version, platform):
                fault = f"line 2: expected {version} on {platform}, found {found.release} on {found.platform}"
                raise InputError("is not the lock that its name says", place=path, faults=(fault,))
            self._lockfiles[version, platform] = found
        return self._lockfiles[version, platform]
