"""Puts packages into a folder as a channel: a folder a platform, with repodata.json; packed Pythons are kept for the next run."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.channel import python
from tests.channel.packages import Kind, Package, Written, compress, write

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "channel"  # git ignores it
SUBDIRS = ("noarch", "linux-64")


@dataclass(frozen=True)
class Channel:
    """A built channel; ``packages`` are all that are in it, in the order in which they came."""

    folder: Path
    packages: tuple[Written, ...]

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def package(self, name: str, version: str = "") -> Written:
        """Return the last package of a name, and a version when that is given."""
        found = [item for item in self.packages if item.record["name"] == name and version in ("", item.record["version"])]
        if not found:
            raise LookupError(f"{name} {version} is not in the channel")
        return found[-1]

    def index(self) -> None:
        """Write repodata.json again, after records were changed."""
        for subdir in sorted({*SUBDIRS, *(item.subdir for item in self.packages)}):
            write_repodata(self.folder / subdir, [item for item in self.packages if item.subdir == subdir])


def build(folder: Path, packages: Iterable[Package | Written], kinds: Sequence[Kind] = (".conda",)) -> Channel:
    """Write packages (those already on disk are linked) and the channel's repodata; the same input gives the same bytes."""
    placed: list[Written] = []
    for package in packages:
        if isinstance(package, Written):
            placed.append(link(package, folder))
        else:
            subdir = "noarch" if package.noarch else package.subdir
            placed += [write(package, folder / subdir, kind) for kind in kinds]
    channel = Channel(folder, tuple(placed))
    channel.index()
    return channel


def link(package: Written, folder: Path) -> Written:
    """Put a written package into a channel, by a hard link where the file system can."""
    target = folder / package.subdir / package.path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(package.path, target)
    except OSError:
        shutil.copyfile(package.path, target)
    return Written(target, dict(package.record))


def write_repodata(folder: Path, packages: Sequence[Written]) -> None:
    """Write repodata.json of one platform, plain and compressed."""
    listed: dict[str, dict[str, object]] = {"packages": {}, "packages.conda": {}}
    for item in packages:
        listed["packages.conda" if item.path.suffix == ".conda" else "packages"][item.path.name] = item.record
    document = {"info": {"subdir": folder.name}, **listed, "removed": [], "repodata_version": 1}
    data = json.dumps(document, indent=1, sort_keys=True).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "repodata.json").write_bytes(data)
    (folder / "repodata.json.zst").write_bytes(compress(data))


def pythons(*versions: str, cache: Path = CACHE) -> list[Written]:
    """Return ``python``, ``python_abi`` and ``pip`` for these Pythons of the machine, packed once; raises python.MissingPythonError."""
    found: dict[str, Written] = {}
    for version in versions:
        prefix = python.find(version)
        folder = kept(f"python-{python.release_of(prefix)}", str(prefix), functools.partial(pack_python, prefix), cache)
        for path in sorted(folder.glob("*.json")):
            record = json.loads(path.read_text())
            found[path.stem] = Written(path.with_suffix(""), record)
    return list(found.values())


def pack_python(prefix: Path, folder: Path) -> None:
    """Pack one Python and what goes with it, each with its record in a file beside it."""
    packages = [python.pack(prefix), python.pack_abi(python.release_of(prefix))]
    with contextlib.suppress(python.MissingPythonError):
        packages.append(python.pack_pip(prefix))
    for package in packages:
        written = write(package, folder)
        written.path.with_name(written.path.name + ".json").write_text(json.dumps(written.record))


def kept(name: str, key: str, make: Callable[[Path], None], cache: Path = CACHE) -> Path:
    """Return a folder of the cache, filled when it is not there; it lasts as long as what it is made by and from.

    It is filled aside and appears complete, so that several processes may ask for it at once.
    """
    target = cache / f"{name}-{hashlib.sha256((sources() + key).encode()).hexdigest()[:16]}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=cache))
    try:
        make(aside)
        for old in cache.glob(f"{name}-*"):
            shutil.rmtree(old, ignore_errors=True)
        with contextlib.suppress(OSError):  # another process was first
            aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


@functools.cache
def sources() -> str:
    """Return a digest of the code that packs a Python."""
    names = ("build.py", "elf.py", "packages.py", "python.py")
    content = b"".join(Path(__file__).with_name(name).read_bytes() for name in names)
    return hashlib.sha256(content).hexdigest()
