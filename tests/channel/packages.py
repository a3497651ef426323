"""Writes conda packages (.conda and .tar.bz2) from files and index fields; the same input gives the same bytes."""

from __future__ import annotations

import bz2
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import zstandard

# As conda-build leaves it in files: 255 characters, so that any real prefix fits into a binary.
PLACEHOLDER = ("/home/conda/feedstock_root/build_artifacts/_h_env" + "_placehold" * 30)[:255]
STAMP = 1_577_836_800  # 2020-01-01, for every file

Kind = Literal[".conda", ".tar.bz2"]
KINDS: tuple[Kind, ...] = (".conda", ".tar.bz2")


@dataclass(frozen=True)
class File:
    """One path of a package: a file with ``data``, or a symbolic link when ``link`` is given, or an empty folder."""

    data: bytes = b""
    mode: int = 0o644
    link: str = ""
    folder: bool = False

    @property
    def path_type(self) -> str:
        return "softlink" if self.link else "directory" if self.folder else "hardlink"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package before it is written.

    ``files`` maps paths below the prefix to their content (for ``noarch="python"``: ``site-packages/…`` and ``python-scripts/…``).
    ``listed`` replaces what info/paths.json says of single paths, ``None`` leaving one out: only for packages that are to be wrong.
    """

    name: str
    version: str
    build: str = "0"
    number: int = 0
    subdir: str = "linux-64"
    depends: Sequence[str] = ()
    constrains: Sequence[str] = ()
    noarch: Literal["", "python", "generic"] = ""
    entry_points: Sequence[str] = ()
    track_features: str = ""
    license: str = "LicenseRef-test"
    files: Mapping[str, File | bytes | str] = field(default_factory=dict)
    listed: Mapping[str, Mapping[str, object] | None] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        return f"{self.name}-{self.version}-{self.build}"


@dataclass(frozen=True)
class Written:
    """A package on disk, and its entry in repodata.json."""

    path: Path
    record: dict[str, object]

    @property
    def subdir(self) -> str:
        return str(self.record["subdir"])


def write(package: Package, folder: Path, kind: Kind = ".conda") -> Written:
    """Write a package into a folder."""
    files = {path: as_file(content) for path, content in sorted(package.files.items())}
    index = index_json(package)
    info = {path: File(data) for path, data in sorted(info_files(package, index, files).items())}
    content = conda(package.stem, info, files) if kind == ".conda" else bz2.compress(tar({**info, **files}))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{package.stem}{kind}"
    path.write_bytes(content)
    return Written(path, {**index, **fingerprint(content)})


def fingerprint(content: bytes) -> dict[str, object]:
    """Return what repodata.json says of a package's bytes."""
    return {
        "md5": hashlib.md5(content).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }


def as_file(content: File | bytes | str) -> File:
    """Return plain text or bytes as a file."""
    if isinstance(content, File):
        return content
    return File(content.encode() if isinstance(content, str) else content)


def index_json(package: Package) -> dict[str, object]:
    """Return info/index.json, which is the package's entry in repodata.json as well."""
    subdir = "noarch" if package.noarch else package.subdir
    index: dict[str, object] = {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": package.number,
        "subdir": subdir,
        "depends": list(package.depends),
        "constrains": list(package.constrains),
        "license": package.license,
        "timestamp": STAMP * 1000,
    }
    if package.noarch:
        index["noarch"] = package.noarch
    else:
        system, _, machine = subdir.partition("-")
        index["platform"] = system
        index["arch"] = {"64": "x86_64", "32": "x86"}.get(machine, machine)
    if package.track_features:
        index["track_features"] = package.track_features
    return index


def info_files(package: Package, index: Mapping[str, object], files: Mapping[str, File]) -> dict[str, bytes]:
    """Return the files below info/."""
    entries = [entry for path, file in files.items() if (entry := paths_entry(path, file, package)) is not None]
    found = {
        "info/index.json": as_json(index),
        "info/paths.json": as_json({"paths": entries, "paths_version": 1}),
        "info/about.json": as_json({"summary": f"{package.name}, built by the tests", "license": package.license}),
        "info/files": "".join(f"{path}\n" for path in files).encode(),
    }
    if package.noarch == "python":
        noarch = {"type": "python", "entry_points": list(package.entry_points)}
        found["info/link.json"] = as_json({"noarch": noarch, "package_metadata_version": 1})
    return found


def paths_entry(path: str, file: File, package: Package) -> dict[str, object] | None:
    """Return what info/paths.json says of one path."""
    entry: dict[str, object] = {"_path": path, "path_type": file.path_type}
    if not file.link and not file.folder:
        entry["sha256"] = hashlib.sha256(file.data).hexdigest()
        entry["size_in_bytes"] = len(file.data)
    if PLACEHOLDER.encode() in file.data:
        entry["prefix_placeholder"] = PLACEHOLDER
        entry["file_mode"] = "binary" if b"\0" in file.data else "text"
    changed = package.listed.get(path, {})
    return None if changed is None else {**entry, **changed}


def as_json(value: object) -> bytes:
    """Return a document as conda's tools write them."""
    return json.dumps(value, indent=2, sort_keys=True).encode()


def conda(stem: str, info: Mapping[str, File], files: Mapping[str, File]) -> bytes:
    """Return a .conda file: a zip that compresses nothing, of two compressed tars."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        members = {
            "metadata.json": json.dumps({"conda_pkg_format_version": 2}).encode(),
            f"pkg-{stem}.tar.zst": compress(tar(files)),
            f"info-{stem}.tar.zst": compress(tar(info)),
        }
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)
    return stream.getvalue()


def compress(data: bytes) -> bytes:
    """Return zstd-compressed bytes, with their size in front."""
    return zstandard.ZstdCompressor(level=3).compress(data)


def tar(files: Mapping[str, File]) -> bytes:
    """Return a tar of those files in their order, names taken as they are."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, file in files.items():
            member = tarfile.TarInfo(path)
            member.mtime = STAMP
            member.mode = 0o755 if file.folder or file.link else file.mode
            if file.link:
                member.type, member.linkname = tarfile.SYMTYPE, file.link
            elif file.folder:
                member.type = tarfile.DIRTYPE
            else:
                member.size = len(file.data)
            archive.addfile(member, io.BytesIO(file.data))
    return stream.getvalue()
