"""Resolve the locks of the catalogue again, each from its release's profile and upload-date cut-off, byte for byte.

    python tools/locks.py                  every release
    python tools/locks.py 2.20.0 2.21.0    these releases
    python tools/locks.py --platform windows-x86_64
    python tools/locks.py --check          change nothing; end with status 1 where a lock differs

The resolver is uv, told the target's Python and glibc, wheels only (but for the source distributions that the profile pins), and nothing
uploaded after the cut-off. Of each package it chose, the one wheel is taken that an installer prefers on a machine with exactly the
release's oldest glibc: so the set installs wherever the release itself does. Sizes come from the wheels' own directories, read by HTTP range
and kept in .cache/locks by hash.
"""

from __future__ import annotations

import argparse
import difflib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, cast

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from provisioner.base.versions import version_key  # noqa: E402
from provisioner.catalogue.lockfile import DEVICES, LockFile, Set, format_lockfile, glibc_of  # noqa: E402 - the path is set above
from provisioner.catalogue.releases import read_minor  # noqa: E402
from provisioner.catalogue.yaml_text import parse_yaml  # noqa: E402
from provisioner.engines.uv import platform_name  # noqa: E402
from provisioner.engines.wheels import Wheel, major_minor, pick, read_pylock, supported_tags  # noqa: E402
from provisioner.errors import InputError, OperationError  # noqa: E402
from provisioner.model.catalogue import Build, Constraint, LockDevice, LockedFile, Release, computes_on  # noqa: E402
from provisioner.plan.make import BUILDERS  # noqa: E402

PROFILES = ROOT / "profiles"
CACHE = ROOT / ".cache" / "locks"
DOWNLOADS = 8
RESOLVERS = 2
TAIL = 1 << 16
ATTEMPTS = 4
# An environment without pip sends a person's `pip install` into another Python, which is one of the commonest ways to break one.
EVERY_SET = ("pip",)
# pip before 20.3 knows neither the wheel tags of PEP 600 nor conflicts, so it breaks what it is let into; 21.3 is the last for Python 3.6.
PIP_FLOOR = "2022-01-01"
# Exact pins need no cut-off: of each there is one version, whenever it was uploaded.
NO_CUTOFF = "2100-01-01"
# uv resolves for no older glibc; each wheel is picked for this one, and the lock's own floor is what its wheels say.
GLIBC_FLOOR = (2, 17)


class LockError(Exception):
    """A set that cannot be locked, in words."""


def read_releases() -> dict[str, Release]:
    """Return every release of the profiles by its version, oldest first."""
    found: dict[str, Release] = {}
    for path in (PROFILES / "releases").glob("*.yaml"):
        for release in read_minor(parse_yaml(path.read_text("utf-8"), file=str(path)), minor=path.stem, file=str(path)):
            found[release.version] = release
    return {version: found[version] for version in sorted(found, key=version_key)}


def cuda_pins(build: Build, device: LockDevice) -> tuple[str, ...]:
    """Return the exact pins of the CUDA wheels; where conda brings the libraries there are none."""
    return build.cuda.requirements if device == "cuda" and build.cuda else ()


def requirements(release: Release, build: Build, python: str, device: LockDevice) -> list[str]:
    """Return what a set is resolved from: the distribution itself, the CUDA wheels by name, and what source distributions are built with."""
    builders = BUILDERS if any(item.source for item in constraints(build, python)) else ()
    return [f"{build.packages[computes_on(device)]}=={release.version}", *cuda_pins(build, device), *EVERY_SET, *builders]


def constraints(build: Build, python: str) -> list[Constraint]:
    """Return the limits that hold for a Python."""
    return [item for item in build.constraints if not item.pythons or python in item.pythons]


def name_of(requirement: str) -> str:
    """Return the normalised name that a requirement is about."""
    return canonicalize_name(Requirement(requirement).name)


def cutoffs(release: Release, build: Build, python: str, device: LockDevice) -> dict[str, str]:
    """Return the packages that have a cut-off of their own."""
    own = dict.fromkeys((name_of(pin) for pin in cuda_pins(build, device)), NO_CUTOFF)
    own |= {name_of(item.requirement): item.until for item in constraints(build, python) if item.until > release.cutoff}
    return {"pip": max(release.cutoff, PIP_FLOOR), **own}


def metadata(sources: Sequence[Constraint]) -> str:
    """Return a uv.toml that says what source distributions require, so that none of their code runs when a lock is made."""
    lines = []
    for item in sources:
        name, _, version = item.requirement.partition("==")
        lines += [
            "[[dependency-metadata]]",
            f'name = "{name}"',
            f'version = "{version}"',
            f"requires-dist = {json.dumps(list(item.requires))}",
        ]
    return "\n".join(lines) + "\n"


def resolve(release: Release, build: Build, python: str, device: LockDevice) -> list[Wheel]:
    """Run the resolver for one set, in a folder of its own, and pick one wheel for each package."""
    with tempfile.TemporaryDirectory(prefix="tfsetup-locks-") as folder:
        limits = constraints(build, python)
        sources = [item for item in limits if item.source]
        (Path(folder) / "in.txt").write_text("\n".join(requirements(release, build, python, device)) + "\n")
        (Path(folder) / "limits.txt").write_text("\n".join(item.requirement for item in limits) + "\n")
        (Path(folder) / "uv.toml").write_text(metadata(sources))
        command = [
            uv(),
            "pip",
            "compile",
            "in.txt",
            "--constraints",
            "limits.txt",
            "--format",
            "pylock.toml",
            "--output-file",
            "pylock.toml",
        ]
        command += [
            "--python-version",
            python,
            "--python-platform",
            platform_name(build.platform, build.glibc),
            "--only-binary",
            ":all:",
        ]
        for item in sources:
            command += ["--no-binary", name_of(item.requirement)]
        for name, date in cutoffs(release, build, python, device).items():
            command += ["--exclude-newer-package", f"{name}={date}T00:00:00Z"]
        command += ["--exclude-newer", f"{release.cutoff}T00:00:00Z", "--resolution", "highest", "--prerelease", "if-necessary-or-explicit"]
        command += ["--no-python-downloads", "--no-sources", "--no-header", "--no-annotate", "--quiet"]
        # uv resolves for this macOS; without it for a newer one than old machines have.
        environment = {**os.environ, **({"MACOSX_DEPLOYMENT_TARGET": build.macos} if build.macos else {})}
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
        if result.returncode:
            raise LockError(f"{release.version} {build.platform} {python}/{device}: {result.stderr.strip()}")
        pylock = (Path(folder) / "pylock.toml").read_text("utf-8")
    tags = supported_tags(python, build.platform, floor(build))
    built = {name_of(item.requirement) for item in sources}
    try:
        offered = read_pylock(pylock, sources=built)
        return [wheels[0] if name in built else pick(wheels, tags) for name, wheels in offered.items()]
    except OperationError as error:
        raise LockError(f"{release.version} {build.platform} {python}/{device}: {error}") from None


def floor(build: Build) -> tuple[int, int]:
    """Return the glibc or the macOS of the oldest machine that wheels are picked for; Windows has no such number."""
    if build.macos:
        return major_minor(build.macos)
    return max(GLIBC_FLOOR, major_minor(build.glibc)) if build.glibc else (0, 0)


def uv() -> str:
    """Return the uv that came with the tool's own dependencies."""
    return str(find_uv_bin())


def uv_version() -> str:
    """Return ``uv 0.13.8``."""
    text = subprocess.run([uv(), "--version"], capture_output=True, text=True, check=True).stdout
    return " ".join(text.split()[:2])


class Remote:
    """A file on an index as ``zipfile`` wants it: seekable, read by HTTP ranges; the end, which holds the directory, is read first."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._at = 0
        self._tail, place = self._fetch(f"bytes=-{TAIL}")
        total = place.rpartition("/")[2]
        if not total.isdecimal():
            raise LockError(f"the index does not serve parts of {url.rpartition('/')[2]}")
        self.size = int(total)

    def _fetch(self, part: str) -> tuple[bytes, str]:
        request = urllib.request.Request(self._url, headers={"Range": part})
        for attempt in range(ATTEMPTS):
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    return response.read(), response.headers.get("Content-Range", "")
            except OSError as error:  # noqa: PERF203 - a network is slower than a try
                if attempt + 1 == ATTEMPTS:
                    raise LockError(f"{self._url.rpartition('/')[2]}: {error}") from None
                time.sleep(2**attempt)
        raise AssertionError

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def read(self, count: int = -1) -> bytes:
        end = self.size if count < 0 else min(self.size, self._at + count)
        start, self._at = self._at, max(self._at, end)
        if end <= start:
            return b""
        first = self.size - len(self._tail)
        if start >= first:
            return self._tail[start - first : end - first]
        return self._fetch(f"bytes={start}-{end - 1}")[0]


def _measure(url: str) -> list[int]:
    if url.endswith((".whl", ".zip")):
        remote = Remote(url)
        with zipfile.ZipFile(cast("IO[bytes]", remote)) as archive:
            return [remote.size, sum(item.file_size for item in archive.infolist())]
    with urllib.request.urlopen(url, timeout=60) as response:
        content = response.read()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return [len(content), sum(item.size for item in archive)]


class Sizes:
    """Size and unpacked size of wheels by hash, kept between runs; a hash names one content, so an entry never ages."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sizes.json"
        self._guard = threading.Lock()
        self._known: dict[str, list[int]] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def get(self, wheel: Wheel) -> tuple[int, int]:
        """Return size and unpacked size in bytes, from the wheel's directory where they are not known yet; a source distribution is read."""
        if wheel.sha256 not in self._known:
            measured = _measure(wheel.url)
            with self._guard:
                self._known[wheel.sha256] = measured
        size, unpacked = self._known[wheel.sha256]
        return size, unpacked

    def save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._guard:
            self._path.write_text(json.dumps(self._known, indent=0, sort_keys=True))


def devices(build: Build) -> list[LockDevice]:
    """Return what a build has sets for: on CUDA where the index has its libraries, and where conda has them."""
    conda = build.cuda.conda if build.cuda else ()
    there = {"cpu": "cpu" in build.packages, "cuda": bool(cuda_pins(build, "cuda")), "cuda-conda": bool(conda)}
    return [device for device in DEVICES if there[device]]


def lock(release: Release, build: Build, sizes: Sizes, resolver: str) -> LockFile:
    """Return the lock file of a release on a platform: every Python and device, resolved and measured."""
    sets: list[Set] = [(python, device) for python in build.pythons for device in devices(build)]
    with ThreadPoolExecutor(RESOLVERS) as pool:
        picked = list(pool.map(lambda item: resolve(release, build, item[0], item[1]), sets))
    members: dict[Wheel, set[Set]] = {}
    for item, wheels in zip(sets, picked, strict=True):
        for wheel in wheels:
            members.setdefault(wheel, set()).add(item)
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        try:
            files = list(pool.map(lambda wheel: _locked(wheel, *sizes.get(wheel)), members))
        finally:
            sizes.save()
    pairs = sorted(zip(files, map(frozenset, members.values()), strict=True), key=lambda pair: pair[0].filename)
    for file, _ in pairs:
        if build.glibc and glibc_of(file.filename) > floor(build):
            raise LockError(f"{release.version}: {file.filename} needs a newer glibc than {build.glibc}")
    return LockFile(
        release=release.version,
        platform=build.platform,
        cutoff=release.cutoff,
        resolver=resolver,
        sets=tuple(sets),
        members=tuple(pairs),
    )


def _locked(wheel: Wheel, size: int, unpacked: int) -> LockedFile:
    source = not wheel.filename.endswith(".whl")
    version = parse_sdist_filename(wheel.filename)[1] if source else parse_wheel_filename(wheel.filename)[1]
    return LockedFile(
        name=wheel.package, version=str(version), filename=wheel.filename, sha256=wheel.sha256, size=size, unpacked=unpacked, source=source
    )


def same_but_resolver(old: str, new: str) -> bool:
    """True when two lock files differ in the resolver's version at most; then the old one stays, so that uv's releases cause no churn."""
    return _without_resolver(old) == _without_resolver(new)


def _without_resolver(text: str) -> list[str]:
    return [line for line in text.split("\n") if not line.startswith("resolver ")]


def differences(old: str, new: str, name: str) -> Iterator[str]:
    """Yield the lines that differ, as a diff without context."""
    yield from difflib.unified_diff(old.splitlines(), new.splitlines(), f"{name} (now)", f"{name} (resolved)", n=0, lineterm="")


def main(arguments: Iterable[str]) -> int:
    """Lock, or check, the releases that were named, or all."""
    parser = argparse.ArgumentParser(description="Resolve the locks of the catalogue from their profiles.")
    parser.add_argument("versions", nargs="*", metavar="VERSION")
    parser.add_argument("--platform", default="", help="this platform only, such as macos-aarch64")
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 where a lock differs")
    options = parser.parse_args(list(arguments))
    try:
        releases = read_releases()
    except InputError as error:
        print(error, *error.faults, sep="\n  ", file=sys.stderr)
        return 2
    unknown = [version for version in options.versions if version not in releases]
    if unknown:
        print(f"no profile for {', '.join(unknown)}; there are {', '.join(releases)}", file=sys.stderr)
        return 2
    sizes, resolver, different, failed = Sizes(CACHE), uv_version(), 0, 0
    for version in options.versions or releases:
        for build in releases[version].builds:
            if options.platform not in {"", build.platform}:
                continue
            try:
                text = format_lockfile(lock(releases[version], build, sizes, resolver))
            except LockError as error:
                failed += 1
                print(error, file=sys.stderr)
                continue
            path = PROFILES / "locks" / build.platform / f"{version}.lock"
            old = path.read_text("utf-8") if path.exists() else ""
            if same_but_resolver(old, text):
                print(f"{version} {build.platform}: as it was")
                continue
            different += 1
            print(*differences(old, text, path.name) if old else [f"{version} {build.platform}: new"], sep="\n")
            if not options.check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
    return 1 if failed or (options.check and different) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
