"""What is installed against what the packages' own records say: missing, truncated and altered files, rivals, leftovers."""

from __future__ import annotations

import base64
import csv
import hashlib
import posixpath
import re
from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple

from provisioner.environment.distributions import name_of_folder, parse_metadata, sites
from provisioner.host import Reader
from provisioner.model.record import record
from provisioner.verify import conda_files
from provisioner.verify.conda_files import CondaState, Wheel

# Files up to this size are always hashed; of larger ones (libraries) only the size is compared, unless ``deep`` is asked for.
SMALL = 64 * 1024
# Files up to this size are read at once.
WHOLE = 1 << 20
RECORD_LIMIT = 1 << 26
# Lists of certificates to which organisations, and the agents on their machines, append their own: certifi's, and pip's copy of it.
CERTIFICATES = "/cacert.pem"
FaultKind = Literal["missing", "size", "content", "appended", "unreadable", "no record", "no metadata", "leftover", "stray"]
_NATIVE = re.compile(r"\.(so|dylib|pyd|dll)(\.\d+)*$")
# Longer ones are no sizes of files; Python refuses to convert numbers of several thousand digits.
SIZE_DIGITS = 15


@record
class Installed:
    """A distribution as its metadata folder tells: ``requires`` are PEP 508 texts; ``site`` is the folder its files are relative to."""

    name: str
    version: str
    metadata: str
    site: str
    requires: tuple[str, ...] = ()
    requires_python: str = ""


@record
class Fault:
    """One file that is not as recorded; ``path`` is absolute, ``detail`` says what was expected and found."""

    distribution: str
    kind: FaultKind
    path: str
    detail: str


@record
class Integrity:
    """The state of an environment's files: ``rivals`` own one tensorflow folder; ``files`` were compared, ``hashed`` of them by content.

    ``natives`` are the compiled files that are there and their owners; ``owners`` are the distributions that record a tensorflow package.
    ``conda`` is the same of conda's packages (None where it is no conda environment): distributions that are conda's are compared there alone.
    """

    distributions: tuple[Installed, ...]
    rivals: tuple[str, ...]
    faults: tuple[Fault, ...]
    files: int
    hashed: int
    natives: tuple[tuple[str, str], ...] = ()
    owners: tuple[str, ...] = ()
    conda: CondaState | None = None


class _Row(NamedTuple):
    """One line of a RECORD (PEP 376, "Recording installed projects"): size is -1 and digest empty where the line has none.

    A tuple, because there are tens of thousands.
    """

    owner: str
    digest: str
    size: int
    metadata: str


def check(reader: Reader, env: str, *, deep: bool = False, sizes_only: bool = False, folders: tuple[str, ...] | None = None) -> Integrity:
    """Compare every distribution in ``env`` with its RECORD; ``deep`` hashes large files too, ``sizes_only`` none. Reads only.

    ``folders`` are the folders with distributions where they are not those below ``env``. A RECORD that names files outside ``env`` is not
    followed there.
    """
    distributions: list[Installed] = []
    faults: list[Fault] = []
    rows: dict[str, list[_Row]] = {}
    folders = sites(reader, env) if folders is None else folders
    for site in folders:
        for entry in reader.list(site):
            base = posixpath.basename(entry.path)
            if base.startswith("~"):
                # pip renames a folder so before it removes it, and leaves it when that fails (AdjacentTempDirectory).
                faults.append(Fault(distribution="", kind="leftover", path=entry.path, detail="left by an interrupted pip"))
            elif base.endswith(".dist-info"):
                _read_distribution(reader, site, entry.path, distributions, faults, rows)
    bounds = (env.rstrip("/") + "/", *(site + "/" for site in folders))
    rows = {path: found for path, found in rows.items() if path.startswith(bounds) and "\0" not in path}
    owning = _owners(rows)
    rivals = owning if len(owning) > 1 else ()
    conda = _conda(reader, env, distributions, rows, deep=deep, sizes_only=sizes_only)
    if conda is not None:
        rows = {path: found for path, found in rows.items() if any(row.metadata not in conda.own for row in found)}
        faults = [fault for fault in faults if fault.kind != "no record" or fault.path not in conda.own]
    sizes = {path: size for site in folders for path, size in reader.sizes(site).items()}
    hashed = 0
    for path, owners in rows.items():
        if sizes_only and any(row.size in (-1, sizes.get(path)) for row in owners) and path in sizes:
            continue
        kind, detail, read = _compare(reader, path, owners, deep=deep, sizes_only=sizes_only)
        hashed += read
        if kind is not None and not (set(rivals) & {row.owner for row in owners}):
            faults.append(Fault(distribution=owners[0].owner, kind=kind, path=path, detail=detail))
    if not rivals:
        faults.extend(_strays(reader, folders, sizes, rows.keys() | (conda.paths if conda is not None else set())))
    return Integrity(
        distributions=tuple(distributions),
        rivals=rivals,
        owners=owning,
        faults=tuple(faults),
        files=len(rows),
        hashed=hashed,
        natives=_natives(sizes, rows),
        conda=conda,
    )


def _conda(
    reader: Reader, env: str, distributions: list[Installed], rows: dict[str, list[_Row]], *, deep: bool, sizes_only: bool
) -> CondaState | None:
    wheels = [Wheel(item.name, item.version, item.metadata) for item in distributions]
    claimed = {path: found[-1].metadata for path, found in rows.items()}
    return conda_files.compare(reader, env, wheels, claimed, deep=deep, sizes_only=sizes_only)


def installed(reader: Reader, env: str) -> tuple[Installed, ...]:
    """Return the distributions in ``env`` with what they require; their files are not looked at."""
    found: list[Installed] = []
    for site in sites(reader, env):
        for entry in reader.list(site):
            if entry.path.endswith(".dist-info") and not posixpath.basename(entry.path).startswith("~"):
                _read_distribution(reader, site, entry.path, found, [], {})
    return tuple(found)


def _read_distribution(
    reader: Reader, site: str, folder: str, distributions: list[Installed], faults: list[Fault], rows: dict[str, list[_Row]]
) -> None:
    base = posixpath.basename(folder)
    try:
        name, version, requires, requires_python = parse_metadata(reader.read_text(posixpath.join(folder, "METADATA"), limit=1 << 24))
    except OSError:
        faults.append(Fault(distribution=base, kind="leftover", path=folder, detail="a metadata folder without METADATA"))
        return
    if not name or not version:
        faults.append(Fault(distribution=base, kind="no metadata", path=folder, detail="METADATA names no distribution and version"))
        name, version = name_of_folder(base)
    distributions.append(
        Installed(name=name, version=version, metadata=folder, site=site, requires=requires, requires_python=requires_python)
    )
    try:
        text = reader.read_text(posixpath.join(folder, "RECORD"), limit=RECORD_LIMIT)
    except OSError:
        # conda's packages of this kind may have none either, and keep their own record (``conda_files``).
        faults.append(Fault(distribution=name, kind="no record", path=folder, detail="RECORD is missing, so its files cannot be checked"))
        return
    for path, row in _rows(text, site, name, folder):
        rows.setdefault(path, []).append(row)


def _rows(text: str, site: str, owner: str, metadata: str) -> Iterator[tuple[str, _Row]]:
    """Read a RECORD; one that is no CSV (binary junk, a field of megabytes) ends where it stops to be one."""
    reader = csv.reader(text.splitlines())
    while True:
        try:
            fields = next(reader)
        except (StopIteration, csv.Error):
            return
        if not fields or not fields[0] or fields[0].endswith((".pyc", "/RECORD", "/RECORD.jws")):
            continue
        digest = fields[1] if len(fields) > 1 else ""
        told = fields[2] if len(fields) > 2 else ""  # noqa: PLR2004 - path, digest, size
        size = int(told) if told.isascii() and told.isdecimal() and len(told) <= SIZE_DIGITS else -1
        name = fields[0]
        path = posixpath.normpath(posixpath.join(site, name)) if "./" in name or "//" in name or name[0] == "/" else f"{site}/{name}"
        yield path, _Row(owner, digest, size, metadata)


def _owners(rows: dict[str, list[_Row]]) -> tuple[str, ...]:
    """The distributions that record a tensorflow package."""
    owners: set[str] = set()
    for path, found in rows.items():
        if path.endswith(("/site-packages/tensorflow/__init__.py", "/site-packages/tensorflow_core/__init__.py")):
            owners |= {row.owner for row in found}
    return tuple(sorted(owners))


def _compare(reader: Reader, path: str, owners: list[_Row], *, deep: bool, sizes_only: bool) -> tuple[FaultKind | None, str, int]:
    """Compare a file with every record of it: packages may ship the same path, and the last one installed is right."""
    try:
        entry = reader.entry(path)
        if entry.kind == "link":
            entry = reader.entry(reader.real(path))
    except FileNotFoundError:
        return "missing", "is not there", 0
    except OSError as error:
        return "unreadable", error.strerror or str(error), 0
    fitting = [row for row in owners if row.size in (-1, entry.size)]
    if not fitting and path.endswith(CERTIFICATES) and any(_begins(reader, path, row, entry.size) for row in owners):
        return "appended", "certificates were added to it", 1
    if not fitting:
        return "size", f"{entry.size} bytes instead of {owners[0].size}", 0
    wanted = {row.digest for row in fitting}
    if sizes_only or entry.kind != "file" or "" in wanted or not (deep or entry.size <= SMALL or path.endswith(".py")):
        return None, "", 0
    try:
        found = base64.urlsafe_b64encode(_digest(reader, path, entry.size)).rstrip(b"=").decode()
    except OSError as error:
        return "unreadable", error.strerror or str(error), 0
    ours = {digest.partition("=")[2] for digest in wanted if digest.startswith("sha256=")}
    return ("content", "its content is not the recorded one", 1) if ours and found not in ours else (None, "", 1)


def _begins(reader: Reader, path: str, row: _Row, size: int) -> bool:
    """Whether a file begins with the recorded content and goes on after it."""
    if not 0 <= row.size < size:
        return False
    try:
        head = reader.read_bytes(path, limit=row.size)
    except OSError:
        return False
    return base64.urlsafe_b64encode(hashlib.sha256(head).digest()).rstrip(b"=").decode() == row.digest.partition("=")[2]


def _digest(reader: Reader, path: str, size: int) -> bytes:
    # One read for the many small files is a third faster than reading in pieces.
    return hashlib.sha256(reader.read_bytes(path, limit=size + 1)).digest() if size <= WHOLE else bytes.fromhex(reader.sha256(path))


def _natives(sizes: dict[str, int], rows: dict[str, list[_Row]]) -> tuple[tuple[str, str], ...]:
    return tuple((path, found[-1].owner) for path, found in rows.items() if path in sizes and _NATIVE.search(path))


def _strays(reader: Reader, folders: tuple[str, ...], sizes: dict[str, int], rows: Collection[str]) -> Iterator[Fault]:
    """Code in the tensorflow folder that no distribution owns: what an earlier release left, and what Python would import all the same."""
    roots = tuple(f"{site}/tensorflow/" for site in folders)
    for path in sorted(sizes):
        if path.startswith(roots) and path not in rows and (path.endswith(".py") or ".so" in posixpath.basename(path)):
            if reader.entry(path).kind != "file":
                continue
            yield Fault(distribution="", kind="stray", path=path, detail="belongs to no installed distribution")
