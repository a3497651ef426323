"""Questions of remedies to the catalogue: which version of a package goes, which release goes with a Python, a driver, a card, a C library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from provisioner.base.names import normalise
from provisioner.base.versions import contains, is_prerelease, minor_of, numbers
from provisioner.model.catalogue import NO_ADDON, Build, Lock, LockDevice, Release
from provisioner.model.catalogue_view import CatalogueView

if TYPE_CHECKING:
    from provisioner.catalogue.fits import Fits

# Where nothing is known of the machine, what most have.
USUAL = "linux-x86_64"


class View(CatalogueView, Protocol):
    """The catalogue, with what goes with which release beyond what metadata says (``provisioner.catalogue.Catalogue`` is one)."""

    def fits(self) -> Fits:
        """What does not go with which release although the metadata allows it."""


def release_of(view: CatalogueView, text: str) -> Release | None:
    """The release that a text means (``2.15``, ``2.15.1``): that one, else the newest of its minor, None for one that the catalogue lacks."""
    have = view.versions()
    if text in have:
        return view.release(text)
    parts = numbers(text)[:2] if text[:1].isdigit() else ()
    return next((view.release(item) for item in have if len(parts) > 1 and numbers(item)[:2] == parts), None)


def stable(view: CatalogueView) -> Iterator[Release]:
    """The newest release of each minor, newest first, without pre-releases."""
    seen = set()
    for version in view.versions():
        minor = minor_of(version)
        if minor not in seen and not is_prerelease(version):
            seen.add(minor)
            release = view.release(version)
            if release is not None:
                yield release


def newest(view: CatalogueView, fits: Callable[[Build], bool], *, platform: str, python: str = "", below: str = "") -> Release | None:
    """The newest release whose build for a platform passes, with wheels for a Python ("" any); below a release where one is named."""
    for release in stable(view):
        build = release.build(platform or USUAL)
        if build is None or (python and python not in build.pythons) or not fits(build):
            continue
        if not below or numbers(release.version)[:2] < numbers(below)[:2]:
            return release
    return None


def pythons(view: CatalogueView, tensorflow: str, platform: str) -> tuple[str, ...]:
    """The Pythons that a release has wheels for on a platform, oldest first; without a release, those of the newest."""
    release = release_of(view, tensorflow) if tensorflow else next(stable(view), None)
    build = release.build(platform or USUAL) if release else None
    return tuple(sorted(build.pythons, key=numbers)) if build else ()


def package_of(release: str, platform: str, *, cuda: bool = False) -> str:
    """The name under which pip finds a release: tensorflow, but for macOS on Apple silicon before 2.13 and for CUDA until 2.0."""
    number = numbers(release)[:2]
    if platform == "macos-aarch64" and number < (2, 13):
        return "tensorflow-macos"
    if cuda and number < (2, 1):
        return "tensorflow-gpu"
    return "tensorflow"


def set_of(view: CatalogueView, release: Release | None, platform: str, python: str, *, cuda: bool = False) -> Lock | None:
    """The set of a release for this Python, else for the newest that it has one for; None where it has none."""
    device: LockDevice = "cuda" if cuda else "cpu"
    names = [name for name, of in view.locks(release.version, platform or USUAL) if of == device] if release else []
    name = python if python in names else max(names, key=numbers, default="")
    return view.lock(release.version, name, platform or USUAL, device) if release and name else None


def proven(view: CatalogueView, release: Release | None, platform: str, python: str, *, cuda: bool) -> str:
    """How that set was proven, as words to put after "a set that was"."""
    lock = set_of(view, release or next(stable(view), None), platform, python, cuda=cuda)
    proof = view.proof(lock) if lock else None
    if proof is None or not proof.computed:
        return "resolved and hashed, and run nowhere yet"
    return f"installed and verified under {proof.emulator}" if proof.level == "emulated" else "installed and verified"


def locked(view: CatalogueView, release: Release | None, package: str, *, platform: str, python: str) -> str:
    """The version of a package in the proven set of a release, "" where there is none: for this Python, else for the newest that it has."""
    lock = set_of(view, release, platform, python)
    wanted = normalise(package)
    return next((file.version for file in lock.files if normalise(file.name) == wanted), "") if lock else ""


def specifier(view: View, release: Release | None, package: str, *, platform: str = "", python: str = "") -> str:
    """The versions of a package that go with a release, as a specifier, "" where nothing is known, NO_ADDON where none goes.

    An add-on has its own; of a package that the release's wheels take, what is known not to work is left out, and of the rest nothing is
    narrowed, so that the change is the smallest.
    """
    if release is None:
        return ""
    if package in release.addons:
        return release.addons[package]
    minor = minor_of(release.version)
    for item in view.fits().companions:
        if item.package == package and item.tensorflow == "same minor" and (not item.releases or contains(item.releases, release.version)):
            return f"=={minor}.*"
    bounds = [
        _complement(item.versions)
        for item in view.fits().misfits
        if item.package == package
        and contains(item.releases, release.version)
        and (not item.pythons or not python or python in item.pythons)
    ]
    spec = _tightest([bound for bound in bounds if bound])
    version = locked(view, release, package, platform=platform, python=python)
    if spec and (not version or contains(spec, version)):
        return spec
    return f"=={version}" if version else spec


def _complement(versions: str) -> str:
    """The other side of a specifier of one bound: ``<2`` for ``>=2``."""
    for sign, other in ((">=", "<"), ("<", ">=")):
        if versions.startswith(sign) and "," not in versions:
            return other + versions[len(sign) :]
    return ""


def narrowed(spec: str) -> str:
    """Return a specifier with one lower and one upper bound, the narrowest of those that it has; others stay."""
    parts = list(dict.fromkeys(part.strip() for part in spec.split(",") if part.strip()))
    bounds = [part for part in parts if part.startswith((">=", "<")) and not part.startswith("<=")]
    rest = [part for part in parts if part not in bounds]
    return ",".join(part for part in (_tightest(bounds), *rest) if part)


def _tightest(bounds: list[str]) -> str:
    upper = sorted((item for item in bounds if item.startswith("<")), key=lambda item: numbers(item[1:]))
    lower = sorted((item for item in bounds if item.startswith(">=")), key=lambda item: numbers(item[2:]))
    return ",".join([*lower[-1:], *upper[:1]])


def takes(view: CatalogueView, release: Release | None, platform: str, python: str, *, cuda: bool) -> str:
    """What a set takes on disk, as words to put after others (``; takes 1.4 GB``), "" where no lock tells."""
    lock = set_of(view, release or next(stable(view), None), platform, python, cuda=cuda)
    return f"; takes {sum(file.unpacked for file in lock.files) / 1e9:.1f} GB" if lock else ""


def cuda_pin(release: Release | None, name: str) -> str:
    """The exact requirement of one CUDA wheel of a release (``nvidia-cudnn-cu12==8.9.7.29``), by a part of its name; "" where it has none."""
    build = release.build(USUAL) if release else None
    return next((item for item in (build.cuda.requirements if build and build.cuda else ()) if item.startswith(name)), "")


def has_cuda_set(view: CatalogueView, release: Release | None, platform: str, python: str) -> bool:
    """Whether the catalogue has a set with CUDA for a release, on a platform and (where one is given) a Python."""
    if release is None:
        return False
    return any(device == "cuda" and (not python or name == python) for name, device in view.locks(release.version, platform or USUAL))


__all__ = ["NO_ADDON", "View"]
