"""What is installed against what the packages' own records say: missing, truncated and altered files, rivals, leftovers."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from provisioner.base.names import OWN_FOLDERS
from provisioner.environment.distributions import Installed, described, read_metadata, sites
from provisioner.environment.owners import Claim, index, read_claims
from provisioner.host import Entry, Reader
from provisioner.judge import conda_files
from provisioner.judge.conda_files import CondaState
from provisioner.model.record import record

# Files up to this size are always hashed; of larger ones (libraries) only the size is compared, unless ``deep`` is asked for.
SMALL = 64 * 1024
# Files up to this size are read at once.
WHOLE = 1 << 20
# Lists of certificates to which organisations, and the agents on their machines, append their own: certifi's, and pip's copy of it.
CERTIFICATES = "/cacert.pem"
FaultKind = Literal["missing", "size", "content", "appended", "unreadable", "no record", "no metadata", "leftover", "stray"]
# What changes after the install: byte code, and the record itself.
_NOT_COMPARED = (".pyc", "/RECORD", "/RECORD.jws")
_PACKAGES = tuple(f"/site-packages/{name}/__init__.py" for name in OWN_FOLDERS)
_NATIVE = re.compile(r"\.(so|dylib|pyd|dll)(\.\d+)*$")


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


def check(reader: Reader, env: str, *, deep: bool = False, sizes_only: bool = False, folders: tuple[str, ...] | None = None) -> Integrity:
    """Compare every distribution in ``env`` with its RECORD; ``deep`` hashes large files too, ``sizes_only`` none. Reads only.

    ``folders`` are the folders with distributions where they are not those below ``env``. A RECORD that names files outside ``env`` is not
    followed there.
    """
    folders = sites(reader, env) if folders is None else folders
    distributions, faults, claims = _read_folders(reader, folders)
    bounds = (env.rstrip("/") + "/", *(site + "/" for site in folders))
    rows = index((path, claim) for path, claim in claims if path.startswith(bounds) and not path.endswith(_NOT_COMPARED)).claims
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


def _read_folders(reader: Reader, folders: tuple[str, ...]) -> tuple[list[Installed], list[Fault], list[tuple[str, Claim]]]:
    """Read the distributions of the folders, what is wrong with their metadata, and what they have recorded."""
    distributions: list[Installed] = []
    faults: list[Fault] = []
    claims: list[tuple[str, Claim]] = []
    for site in folders:
        for entry in reader.list(site):
            base = posixpath.basename(entry.path)
            if base.startswith("~"):
                # pip renames a folder so before it removes it, and leaves it when that fails (AdjacentTempDirectory).
                faults.append(Fault(distribution="", kind="leftover", path=entry.path, detail="left by an interrupted pip"))
            elif base.endswith(".dist-info"):
                _read_distribution(reader, entry, distributions, faults, claims)
    return distributions, faults, claims


def _conda(
    reader: Reader, env: str, distributions: list[Installed], rows: Mapping[str, tuple[Claim, ...]], *, deep: bool, sizes_only: bool
) -> CondaState | None:
    claimed = {path: found[-1].metadata for path, found in rows.items()}
    return conda_files.compare(reader, env, distributions, claimed, deep=deep, sizes_only=sizes_only)


def _read_distribution(
    reader: Reader, entry: Entry, distributions: list[Installed], faults: list[Fault], claims: list[tuple[str, Claim]]
) -> None:
    folder, base = entry.path, posixpath.basename(entry.path)
    text, told = read_metadata(reader, entry)
    if text.text is None:
        faults.append(Fault(distribution=base, kind="leftover", path=folder, detail="a metadata folder without METADATA"))
        return
    if not told.name or not told.version:
        faults.append(Fault(distribution=base, kind="no metadata", path=folder, detail="METADATA names no distribution and version"))
    item = described(folder, told)
    recorded = read_claims(reader, item)
    if recorded is None:
        # conda's packages of this kind may have none either, and keep their own record (``conda_files``).
        faults.append(
            Fault(distribution=item.name, kind="no record", path=folder, detail="RECORD is missing, so its files cannot be checked")
        )
        item = replace(item, recorded=False)
    distributions.append(item)
    claims.extend(recorded or ())


def _owners(rows: Mapping[str, tuple[Claim, ...]]) -> tuple[str, ...]:
    """The distributions that record a tensorflow package."""
    owners: set[str] = set()
    for path, found in rows.items():
        if path.endswith(_PACKAGES):
            owners |= {row.owner for row in found}
    return tuple(sorted(owners))


def _compare(reader: Reader, path: str, owners: tuple[Claim, ...], *, deep: bool, sizes_only: bool) -> tuple[FaultKind | None, str, int]:
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


def _begins(reader: Reader, path: str, row: Claim, size: int) -> bool:
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


def _natives(sizes: dict[str, int], rows: Mapping[str, tuple[Claim, ...]]) -> tuple[tuple[str, str], ...]:
    return tuple((path, found[-1].owner) for path, found in rows.items() if path in sizes and _NATIVE.search(path))


def _strays(reader: Reader, folders: tuple[str, ...], sizes: dict[str, int], rows: Collection[str]) -> Iterator[Fault]:
    """Code in the tensorflow folder that no distribution owns: what an earlier release left, and what Python would import all the same."""
    roots = tuple(f"{site}/tensorflow/" for site in folders)
    for path in sorted(sizes):
        if path.startswith(roots) and path not in rows and (path.endswith(".py") or ".so" in posixpath.basename(path)):
            if reader.entry(path).kind != "file":
                continue
            yield Fault(distribution="", kind="stray", path=path, detail="belongs to no installed distribution")
