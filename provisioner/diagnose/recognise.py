"""Which release of the catalogue it is that lies there, also where its own metadata does not say so any more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from provisioner.base.names import is_nightly, is_rival
from provisioner.environment.distributions import Installed
from provisioner.environment.receipt import Receipt
from provisioner.environment.tensorflow import CONDA_LIBRARIES, Purpose, device_of, purpose, release_without_metadata
from provisioner.host import Reader
from provisioner.model.catalogue import Build, ComputeDevice, Lock, LockDevice, Release, set_of
from provisioner.model.facts import Facts
from provisioner.model.record import record
from provisioner.verify.raw import Expected

if TYPE_CHECKING:
    from provisioner.catalogue import Catalogue

# Of a set that is recognised by its company: how many packages must be there, and which part of the set.
COMPANY = 15
COMPANY_PART = 0.7


@record
class Known:
    """What the catalogue says of the TensorFlow that is there."""

    release: Release | None
    build: Build | None
    lock: Lock | None
    expected: Expected


def recognise(  # noqa: PLR0913 - each says something else of what is there
    host: Reader,
    folders: tuple[str, ...],
    found: tuple[Installed, ...],
    facts: Facts,
    catalogue: Catalogue,
    receipt: Receipt | None,
    *,
    python: str,
    cuda: bool | None,
    conda: frozenset[str] = frozenset(),
) -> Known:
    """Ask the catalogue for the TensorFlow that the interpreter would use.

    The version is that of 1. an installed distribution (of several, the receipt's, else the one whose set has most in common with what is
    installed), 2. the receipt, 3. what pip renamed before it was interrupted, 4. the headers in the package, 5. the set that the other packages
    are of. ``cuda``: whether the files are a CUDA build's. ``conda`` are the names of the conda packages that are there.
    """
    planned = receipt.plan.choice.release if receipt else ""
    platform = f"{facts.system.os.value}-{facts.system.architecture.value}"
    there = {(item.name, item.version) for item in found}
    owners = [item for item in found if is_rival(item.name) and not is_nightly(item.name)]
    versions: Iterable[str] = dict.fromkeys(item.version for item in owners)
    if not owners:
        versions = (release_without_metadata(host, folders, receipt) or _by_company(there, catalogue, python, platform),)
    meant = purpose({item.name: item.version for item in found}, receipt, dict.fromkeys(sorted(conda), ""))
    best: tuple[int, Known] | None = None
    for version in versions:
        owner = next((item for item in owners if item.version == version), None)
        release = catalogue.release(version) if version else None
        build = release.build(platform) if release else None
        device = _device(owner, receipt, meant, build, cuda=cuda)
        source = receipt.plan.choice.road if receipt is not None else "libraries" if conda >= CONDA_LIBRARIES else ""
        lock = _lock(catalogue, version, python, platform, set_of(device, source)) if build and not _by_conda(owner) else None
        ours = receipt is not None and planned == version
        known = Known(release=release, build=build, lock=lock, expected=_expected(version, receipt if ours else None, build, device))
        common = len(there) + 1 if ours else _common(lock, there) if lock else -1
        if best is None or common > best[0]:
            best = (common, known)
    return best[1] if best else Known(release=None, build=None, lock=None, expected=Expected())


def _by_conda(owner: Installed | None) -> bool:
    """The sets are of wheels; a TensorFlow that a channel has built goes with what that channel has."""
    return owner is not None and owner.installer == "conda"


def _lock(catalogue: Catalogue, version: str, python: str, platform: str, device: LockDevice) -> Lock | None:
    return catalogue.lock(version, python, platform, device) or catalogue.lock(version, python, platform, "cpu")


def _common(lock: Lock, there: set[tuple[str, str]]) -> int:
    return sum((file.name, file.version) in there for file in lock.files)


def _expected(version: str, receipt: Receipt | None, build: Build | None, device: ComputeDevice) -> Expected:
    return Expected(
        tensorflow=version,
        packages=receipt.plan.expected if receipt else {},
        device=receipt.plan.choice.device if receipt else "cpu" if build and build.cuda is None else "",
        cuda=build.cuda if build and device == "cuda" else None,
    )


def _device(owner: Installed | None, receipt: Receipt | None, meant: Purpose, build: Build | None, *, cuda: bool | None) -> ComputeDevice:
    """What the environment was made for: the receipt says; of a build that nobody knows, the CPU is all that is certain."""
    if receipt is not None:
        return receipt.plan.choice.device
    return device_of(owner.name, meant, build, cuda=cuda) if owner is not None and build is not None else "cpu"


def _by_company(there: set[tuple[str, str]], catalogue: Catalogue, python: str, platform: str) -> str:
    """The newest release whose set is there but for a few packages, TensorFlow itself among those."""
    best = ("", COMPANY - 1)
    if len(there) < COMPANY:
        return ""
    for version in catalogue.versions():
        for made_for, device in catalogue.locks(version, platform):
            lock = catalogue.lock(version, python, platform, device) if made_for == python else None
            if lock is None:
                continue
            common = _common(lock, there)
            if common > best[1] and common >= COMPANY_PART * len(lock.files):
                best = (version, common)
    return best[0]
