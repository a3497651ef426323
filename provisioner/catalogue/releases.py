"""One minor's file (``releases/2.15.yaml``) as releases: what is common stands once, a release overrides it, everything is checked.

The file::

    schema: tfsetup/releases/1
    sources: [where the facts come from]
    common:                    # for every release of the minor
      builds: {linux-x86_64: {pythons: [...], glibc: ..., cuda: {...}}}
      known_bad: [...]
      addons: {tensorflow-text: "==2.15.*", tf-keras: none}
    releases:
      2.15.0: {released: 2023-11-14, cutoff: 2023-12-04, builds: {...}}

A release's mappings are merged into the common ones, key by key; anything else (a list, a text, null) takes the common one's place.
A build that says ``like: linux-x86_64`` has the constraints of that one before its own; nothing else is taken over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from provisioner.base.paths import is_inside
from provisioner.base.versions import is_prerelease, is_version, minor_of, version_key
from provisioner.errors import InputError
from provisioner.model.catalogue import NO_ADDON, Build, Constraint, CudaBuild, KnownBad, Link, Release
from provisioner.model.codec import from_data

T = TypeVar("T")

SCHEMA = "tfsetup/releases/1"

_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_NUMBERS = re.compile(r"\d+(\.\d+)+")
_MINOR = re.compile(r"\d+\.\d+")
_CAPABILITY = re.compile(r"(sm|compute)_\d{2,3}")
_LIBRARY = re.compile(r"lib[\w.+-]+\.so(\.\d+)*|\w+\.dll")
_RUNTIME = re.compile(r"(msvcp|vcruntime|concrt)140(_\w+)?\.dll")
# The forms of conda's match specs that say which versions are meant without asking a channel.
_SPEC = re.compile(r"[a-z0-9][a-z0-9._-]* (\d+(\.\d+)*\.\*|>=\d+(\.\d+)*,<\d+(\.\d+)*)")
_PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==\d[0-9A-Za-z.]*")
_FOLDER = re.compile(r"[a-z_]+")
_ADDON = re.compile(rf"{NO_ADDON}|(==|>=|<=|<|>)\d+(\.\d+)*(\.\*)?(,(>=|<=|<|>)\d+(\.\d+)*)*")
_CAUSE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PLATFORM = re.compile(r"(linux|macos|windows)-(x86_64|aarch64)")


def read_minor(data: Any, *, minor: str, file: str) -> tuple[Release, ...]:
    """Return the releases of one minor's document, newest first; raises ``InputError`` with every fault of the file."""
    faults: list[str] = []
    common, releases = _parts(data, faults)
    found: list[Release] = []
    for version, own in releases.items():
        if not is_version(version) or minor_of(version) != minor:
            faults.append(f"releases.{version}: expected a version of {minor}")
        elif not isinstance(own, dict):
            faults.append(f"releases.{version}: expected an object")
        else:
            found += _release(version, common, own, faults)
    if faults:
        unique = tuple(dict.fromkeys(faults))
        count = "1 fault" if len(unique) == 1 else f"{len(unique)} faults"
        raise InputError(f"cannot be read: {count}", place=file, faults=unique)
    return tuple(sorted(found, key=lambda release: version_key(release.version), reverse=True))


def merge(common: Any, own: Any) -> Any:
    """Return ``own`` laid over ``common``: mappings key by key, anything else in whole."""
    if not (isinstance(common, dict) and isinstance(own, dict)):
        return own
    return {
        key: merge(common[key], own[key]) if key in common and key in own else (own if key in own else common)[key]
        for key in {**common, **own}
    }


def _parts(data: Any, faults: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        faults.append(f"schema: expected {SCHEMA!r}")
        return {}, {}
    faults += [f"{name}: is not a known field" for name in data if name not in {"schema", "sources", "common", "releases"}]
    sources = data.get("sources")
    if not isinstance(sources, list) or not sources or not all(isinstance(item, str) for item in sources):
        faults.append("sources: expected a list of texts that say where the facts come from")
    common = data.get("common", {})
    releases = data.get("releases", {})
    for name, part in (("common", common), ("releases", releases)):
        if not isinstance(part, dict):
            faults.append(f"{name}: expected an object")
            return {}, {}
    if not releases:
        faults.append("releases: expected at least one release")
    return common, releases


def _release(version: str, common: dict[str, Any], own: dict[str, Any], faults: list[str]) -> Iterator[Release]:
    """Yield the release, or nothing when it has faults; each is placed where the wrong value stands, in ``common`` or in the release."""

    def report(place: str) -> None:
        path = place.partition(": ")[0]
        faults.append(f"releases.{version}.{place}" if _stands_in(own, path) or not _stands_in(common, path) else f"common.{place}")

    before = len(faults)
    merged = merge(common, own)
    merged["version"] = version
    merged["prerelease"] = is_prerelease(version)
    if "version" in own or "prerelease" in own or "version" in common or "prerelease" in common:
        report("version: follows from the name of the release")
    builds = merged.get("builds", {})
    if isinstance(builds, dict):
        builds = {platform: build for platform, build in builds.items() if build is not None}
        merged["builds"] = [
            {**_like(build, builds), "platform": platform} if isinstance(build, dict) else build for platform, build in builds.items()
        ]
    release = _read(Release, merged, lambda place: report(_by_platform(place, tuple(builds))))
    if release is None:
        return
    for place in _faults(release):
        report(place)
    if len(faults) == before:
        yield release


def _like(build: dict[str, Any], builds: dict[str, Any]) -> dict[str, Any]:
    """Return the build with the constraints of the one that it is like; a name that leads nowhere stays, and is then no known field."""
    other = builds.get(str(build.get("like")))
    if not isinstance(other, dict) or "like" in other:
        return build
    shared, own = other.get("constraints", []), build.get("constraints", [])
    if not (isinstance(shared, list) and isinstance(own, list)):
        return build
    rest = {name: value for name, value in build.items() if name != "like"}
    return {**rest, "constraints": [*shared, *own]}


def _read(cls: type[T], data: Any, report: Callable[[str], None]) -> T | None:
    try:
        return from_data(cls, data)
    except InputError as error:
        for fault in error.faults:
            report(fault)
        return None


def _by_platform(place: str, platforms: tuple[str, ...]) -> str:
    """Name a build by its platform, as the file does, not by its number."""
    match = re.match(r"builds\[(\d+)\]", place)
    return f"builds.{platforms[int(match[1])]}{place[match.end() :]}" if match else place


def _stands_in(data: Any, path: str) -> bool:
    for part in re.split(r"\.(?!\d)|(?=\[)", path):
        if part.startswith("["):
            return isinstance(data, list)
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True


def _faults(release: Release) -> Iterator[str]:
    """Yield what types alone cannot say."""
    for name, value in (("released", release.released), ("cutoff", release.cutoff)):
        if _DATE.fullmatch(value) is None:
            yield f"{name}: expected a date such as 2023-11-14, found {value!r}"
    if not release.builds:
        yield "builds: expected at least one platform"
    for build in release.builds:
        for fault in _build_faults(build):
            yield f"builds.{build.platform}{fault}"
    for name, value in release.addons.items():
        if _ADDON.fullmatch(value) is None:
            yield f"addons.{name}: expected specifiers such as ==2.15.*, or {NO_ADDON}, found {value!r}"
    for number, known in enumerate(release.known_bad):
        for fault in _known_bad_faults(known):
            yield f"known_bad[{number}].{fault}"


def _build_faults(build: Build) -> Iterator[str]:
    if _PLATFORM.fullmatch(build.platform) is None:
        yield f": expected a platform such as linux-x86_64, found {build.platform!r}"
    yield from _each(".pythons", build.pythons, _MINOR, "a Python such as 3.11", least=1)
    yield from _floor_faults(build)
    yield from _each(".vc_runtime", build.vc_runtime, _RUNTIME, "a DLL of the Visual C++ runtime such as msvcp140.dll")
    if not build.packages or not set(build.packages) <= {"cpu", "cuda"}:
        yield ".packages: expected a distribution for cpu, cuda or both"
    if ("cuda" in build.packages) != (build.cuda is not None):
        yield ".cuda: expected exactly where packages names a distribution for cuda"
    for number, constraint in enumerate(build.constraints):
        for fault in _constraint_faults(constraint):
            yield f".constraints[{number}].{fault}"
    if build.cuda is not None:
        yield from _cuda_faults(build.cuda)


def _floor_faults(build: Build) -> Iterator[str]:
    """The oldest system is named where wheels name one, and the plug-in for Macs by version and Pythons."""
    if build.platform.startswith("linux") and _NUMBERS.fullmatch(build.glibc) is None:
        yield f".glibc: expected a version such as 2.17, found {build.glibc!r}"
    if build.platform.startswith("macos") and _NUMBERS.fullmatch(build.macos) is None:
        yield f".macos: expected a version such as 12.0, found {build.macos!r}"
    if build.metal is not None:
        if _NUMBERS.fullmatch(build.metal.version) is None:
            yield f".metal.version: expected numbers and dots, found {build.metal.version!r}"
        yield from _each(".metal.pythons", build.metal.pythons, _MINOR, "a Python such as 3.11", least=1)


def _cuda_faults(cuda: CudaBuild) -> Iterator[str]:
    for name, value in (("version", cuda.version), ("cudnn", cuda.cudnn), ("driver", cuda.driver)):
        if _NUMBERS.fullmatch(value) is None:
            yield f".cuda.{name}: expected numbers and dots, found {value!r}"
    yield from _each(".cuda.capabilities", cuda.capabilities, _CAPABILITY, "sm_80 or compute_90", least=1)
    yield from _each(".cuda.must_open", cuda.must_open, _LIBRARY, "a library such as libcudart.so.12", least=1)
    yield from _each(".cuda.may_open", cuda.may_open, _LIBRARY, "a library such as libnccl.so.2")
    yield from _each(".cuda.requirements", cuda.requirements, _PIN, "an exact pin such as name==1.0")
    yield from _each(".cuda.conda", cuda.conda, _SPEC, "a package and its versions such as cudnn 8.1.0.* or cudnn >=8.0.4,<9")
    if len({spec.partition(" ")[0] for spec in cuda.conda}) < len(set(cuda.conda)):
        yield ".cuda.conda: expected each package once"
    if _FOLDER.fullmatch(cuda.folder) is None:
        yield f".cuda.folder: expected a folder of site-packages, found {cuda.folder!r}"
    for number, link in enumerate(cuda.links):
        for fault in _link_faults(link):
            yield f".cuda.links[{number}].{fault}"


def _each(place: str, values: tuple[str, ...], pattern: re.Pattern[str], expected: str, *, least: int = 0) -> Iterator[str]:
    if len(values) < least:
        yield f"{place}: expected at least {least}"
    seen: set[str] = set()
    for number, value in enumerate(values):
        if pattern.fullmatch(value) is None:
            yield f"{place}[{number}]: expected {expected}, found {value!r}"
        elif value in seen:
            yield f"{place}[{number}]: {value!r} is there twice"
        seen.add(value)


def _constraint_faults(constraint: Constraint) -> Iterator[str]:
    """A constraint has its reason; a source distribution is named exactly, because its hash is that of one file."""
    if not constraint.requirement or not constraint.reason or not constraint.reference:
        yield "reason: expected a requirement, a reason and a reference"
    if constraint.until and _DATE.fullmatch(constraint.until) is None:
        yield f"until: expected a date such as 2023-11-14, found {constraint.until!r}"
    if constraint.source and _PIN.fullmatch(constraint.requirement) is None:
        yield f"requirement: expected an exact pin such as name==1.0 for a source distribution, found {constraint.requirement!r}"
    if constraint.requires and not constraint.source:
        yield "requires: expected with source only; a wheel says itself what it needs"


def _link_faults(link: Link) -> Iterator[str]:
    """A link lies in site-packages and leads to something in site-packages, so that removing the environment removes it whole."""
    path = link.path.split("/")
    if not is_inside(link.path):
        yield f"path: expected a path inside site-packages, found {link.path!r}"
    if link.text:
        yield "text: is not for a profile"
    depth = len(path) - 1
    for part in link.target.split("/"):
        depth += -1 if part == ".." else 1
        if depth < 0 or part in {"", "."}:
            yield f"target: expected a relative path that stays inside site-packages, found {link.target!r}"
            return


def _known_bad_faults(known: KnownBad) -> Iterator[str]:
    if _CAUSE.fullmatch(known.cause) is None:
        yield f"cause: expected a code such as gpu-too-new, found {known.cause!r}"
    for name, values, pattern in (
        ("pythons", known.pythons, _MINOR),
        ("devices", known.devices, re.compile("cpu|cuda")),
        ("platforms", known.platforms, _PLATFORM),
        ("capabilities", known.capabilities, _MINOR),
    ):
        yield from (f"{name}: found {value!r}" for value in values if pattern.fullmatch(value) is None)
    if not known.reason or not known.reference:
        yield "reason: expected a reason and a reference"
