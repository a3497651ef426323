"""An environment of a set without the bodies of its files: metadata on the disk as the wheels have it, everything else as their lists of files say.

What is read of a wheel are its list of files with their sizes (the zip's central directory) and its metadata folder (tools/wheel_parts.py). A file
whose size is the recorded one counts as recorded: the tool's own memory of files that were compared says so, and none of them is opened. So
``doctor`` and ``plan`` judge two writers of one path, what the wheels require of each other, and what is missing or there twice, from what was
really published, for every set in seconds.
"""

from __future__ import annotations

import csv
import errno
import fnmatch
import io
import os
import posixpath
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import uv
from published import addresses
from wheel_parts import TAIL, has_parts, keep_parts, read_parts

from provisioner.catalogue import Catalogue
from provisioner.engines._central import Remote
from provisioner.host import Entry, Stamp
from provisioner.host.local import LocalHost
from provisioner.judge.memory import Memory, Remembered
from provisioner.model.catalogue import Lock, LockedFile
from provisioner.model.facts import Facts
from provisioner.plan.xla_tools import xla_files
from provisioner.session import Session

PLATFORM = "linux-x86_64"
# Written long ago, so that the memory takes them for settled.
THEN = 1_500_000_000_000_000_000
SCHEMES = {"purelib": "", "platlib": "", "scripts": "../../../bin/", "data": "../../../"}


class Bodies(LocalHost):
    """This machine, and below ``root`` files of which only the sizes are known."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.root = root
        self.sizes: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        self.folders: dict[str, set[str]] = {}

    def add(self, path: str, size: int) -> None:
        """Let there be a file."""
        self.sizes[path] = size
        while path != self.root and path not in self.folders.get(posixpath.dirname(path), ()):
            folder = posixpath.dirname(path)
            self.folders.setdefault(folder, set()).add(path)
            path = folder

    def stamp(self, path: str) -> Stamp | None:
        """See ``host.Reader``."""
        size = self.sizes.get(path)
        return super().stamp(path) if size is None else Stamp(size, THEN, THEN, 1)

    def size(self, path: str) -> int:
        """See ``host.Reader``."""
        return self.sizes[path] if path in self.sizes else super().size(path)

    def exists(self, path: str) -> bool:
        """See ``host.Reader``."""
        return path in self.sizes or path in self.folders or super().exists(path)

    def entry(self, path: str) -> Entry:
        """See ``host.Reader``."""
        if path in self.sizes:
            return Entry(path=path, kind="file", size=self.sizes[path], mtime=THEN, mode=0o644, device=1, inode=1)
        if path in self.folders and not super().exists(path):
            return Entry(path=path, kind="directory", size=0, mtime=THEN, mode=0o755, device=1, inode=1)
        return super().entry(path)

    def list(self, path: str, *, named: Callable[[str], bool] | None = None) -> tuple[Entry, ...]:
        """See ``host.Reader``."""
        real = super().list(path, named=named) if super().exists(path) or path not in self.folders else ()
        there = {entry.path for entry in real}
        ours = (item for item in self.folders.get(path, ()) if item not in there and (named is None or named(posixpath.basename(item))))
        return tuple(sorted((*real, *map(self.entry, ours)), key=lambda entry: entry.path))

    def files_below(self, path: str) -> Iterator[str]:
        """See ``host.Reader``."""
        yield from super().files_below(path)
        waiting = [path]
        while waiting:
            for item in self.folders.get(waiting.pop(), ()):
                if item in self.sizes:
                    yield item
                else:
                    waiting.append(item)

    def glob(self, pattern: str) -> tuple[str, ...]:
        """See ``host.Reader``."""
        ours: list[str] = []
        parts = pattern.removeprefix(f"{self.root}/").split("/")
        if pattern.startswith(f"{self.root}/"):
            ours = [self.root]
            for part in parts:
                ours = [item for folder in ours for item in self.folders.get(folder, ()) if fnmatch.fnmatch(posixpath.basename(item), part)]
        return tuple(sorted({*super().glob(pattern), *ours}))

    def read_bytes(self, path: str, limit: int = 1 << 26, offset: int = 0) -> bytes:
        """See ``host.Reader``; of a file without a body there is nothing to read."""
        if path in self.texts:
            return self.texts[path].encode()[offset : offset + limit]
        if path in self.sizes:
            raise OSError(errno.EIO, "only its size is known", path)
        return super().read_bytes(path, limit, offset)

    def sha256(self, path: str) -> str:
        """See ``host.Reader``."""
        if path in self.sizes:
            raise OSError(errno.EIO, "only its size is known", path)
        return super().sha256(path)


class Once(Session):
    """A session that asks the machine once what it is: no environment here changes that."""

    facts: dict[bool, Facts] = {}  # noqa: RUF012 - shared on purpose

    def detect(self, *, env: str, full: bool = True, python: str = "", aloof_of: str = "") -> Facts:
        """See ``Session``."""
        if full not in self.facts:
            self.facts[full] = super().detect(env=env, full=full, python=python, aloof_of=aloof_of)
        return self.facts[full]


def build(host: Bodies, lock: Lock, catalogue: Catalogue) -> None:
    """Make the environment of ``lock`` at ``host.root`` (real, absolute; not there yet)."""
    root, site = Path(host.root), Path(host.root) / f"lib/python{lock.python}/site-packages"
    site.mkdir(parents=True)
    (root / "bin").mkdir()
    (root / "bin/python").symlink_to(os.path.realpath(sys.executable))
    (root / "pyvenv.cfg").write_text(f"home = {os.path.dirname(os.path.realpath(sys.executable))}\nversion = {lock.python}.0\n")
    recorded: dict[str, tuple[str, int]] = {}
    for file in lock.files:
        sizes, inside = read_parts(key_of(file, lock))
        for name, content in inside.items():
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(rewritten(content, lock.python) if name.endswith("/RECORD") else content)
        for name, size in sizes.items():
            if name not in inside:
                host.add(placed(site, name, lock.python), size)
        record = next(content for name, content in inside.items() if name.endswith("/RECORD"))
        for row in csv.reader(io.StringIO(record.decode())):
            if len(row) > 2 and row[1]:
                recorded[placed(site, row[0], lock.python)] = row[1].partition("=")[2], int(row[2] or -1)
    told = f"is_cuda_build = {lock.device == 'cuda'}\n"
    host.texts.update({path: told for path in host.sizes if path.endswith("/python/platform/build_info.py")})
    link(site, lock, catalogue)
    remember(host, recorded)


def key_of(file: LockedFile, lock: Lock) -> str:
    """Under which name the parts of a package are kept: a source distribution's are those of what each Python builds of it."""
    return f"{file.sha256}-{lock.python}" if file.source else file.sha256


def installed(path: str, python: str) -> str:
    """Where a file of a wheel goes, relative to the folder of packages ("The .data directory" of the wheel format)."""
    head, _, rest = path.partition("/")
    if not head.endswith(".data"):
        return path
    scheme, _, inner = rest.partition("/")
    return SCHEMES.get(scheme, f"../../../include/site/python{python}/{head.partition('-')[0]}/") + inner


def placed(site: Path, path: str, python: str) -> str:
    """The absolute path of a wheel's file; there are millions in all sets together."""
    inner = installed(path, python)
    return posixpath.normpath(f"{site}/{inner}") if "./" in inner or ".data/" in path else f"{site}/{inner}"


def rewritten(record: bytes, python: str) -> bytes:
    """A RECORD as an installer writes it: with the paths to which the files went."""
    out = io.StringIO()
    rows = ([installed(row[0], python), *row[1:]] for row in csv.reader(io.StringIO(record.decode())) if row)
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def link(site: Path, lock: Lock, catalogue: Catalogue) -> None:
    """Put the links and small files there that ``apply`` makes for a CUDA set."""
    release = catalogue.release(lock.release)
    built = release.build(PLATFORM) if release else None
    if lock.device != "cuda" or built is None or built.cuda is None:
        return
    for item in (*built.cuda.links, *(() if built.cuda.finds_tools else xla_files())):
        path = site / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if item.text:
            path.write_text(item.text)
        else:
            path.symlink_to(item.target)


def remember(host: Bodies, recorded: Mapping[str, tuple[str, int]]) -> None:
    """Tell the tool's memory that each file whose size is the recorded one has the recorded hash."""
    known = Remembered(array("Q"), THEN * 2)
    for path, (digest, size) in recorded.items():
        stamp = host.stamp(path) if path in host.sizes else None
        if stamp is not None and size in {-1, stamp.size}:
            known.add(path, digest, stamp)
    Memory(host, Session(host).folder("as-recorded")).keep(host.root, known)


def fetch(lock: Lock, scratch: Path) -> list[str]:
    """Fetch what is not kept yet of a set's wheels, and build its source distributions; return what cannot be had."""
    missing = [file for file in lock.files if not has_parts(key_of(file, lock))]
    places = addresses(lock) if any(not file.source for file in missing) else {}
    return [fault for file in missing if (fault := _fetched(file, lock, places, scratch))]


def _fetched(file: LockedFile, lock: Lock, places: Mapping[str, str], scratch: Path) -> str:
    try:
        if file.source:
            keep_parts(key_of(file, lock), built_wheel(file, lock, scratch))
        else:
            keep_parts(file.sha256, Remote(places[file.sha256], TAIL))
    except (OSError, KeyError, StopIteration, subprocess.CalledProcessError) as error:
        return f"{file.filename} cannot be had: {error!r}"
    return ""


def built_wheel(file: LockedFile, lock: Lock, scratch: Path) -> Path:
    """Build a source distribution, pinned by its hash, with the lock's Python and the builders that `apply` takes."""
    listed = scratch / "requirements.txt"
    listed.write_text(f"{file.name}=={file.version} --hash=sha256:{file.sha256}\n")
    out, env = scratch / f"{file.name}-{lock.python}", scratch / f"builder-{lock.python}"
    if not env.exists():
        found = Once(LocalHost()).detect(env="/").interpreters.value or ()
        python = next(item.path for item in found if item.version.startswith(f"{lock.python}."))
        run_uv("venv", "--no-project", "--python", python, str(env))
        run_uv("pip", "install", "--python", str(env / "bin/python"), "pip<24", "setuptools<60", "wheel")
    argv = [str(env / "bin/python"), "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--require-hashes", "-r", str(listed)]
    subprocess.run([*argv, "--wheel-dir", str(out)], check=True, capture_output=True, cwd="/")
    return next(out.glob("*.whl"))


def run_uv(*argv: str) -> None:
    """Run uv."""
    subprocess.run([uv.find_uv_bin(), *argv, "--quiet"], check=True, capture_output=True, cwd="/")
