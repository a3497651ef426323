"""What is installed against what the packages' own records say: missing, truncated and altered files, rivals, leftovers."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Collection, Container, Iterator
from dataclasses import replace
from typing import Literal

from provisioner.base.names import OWN_FOLDERS
from provisioner.base.prints import Prints
from provisioner.environment.distributions import Installed, described, is_leftover, read_metadata, sites
from provisioner.environment.owners import Claim, read_claims
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
    followed there. Records are read twice, row by row: an environment may have hundreds of thousands of files, and none is kept in memory.
    """
    folders = sites(reader, env) if folders is None else folders
    distributions, faults = _read_folders(reader, folders)
    records = _Records(reader, env, folders, tuple(item for item in distributions if item.recorded))
    owning, repeated = records.owning()
    conda = conda_files.compare(reader, env, distributions, records.folders_of, deep=deep, sizes_only=sizes_only)
    own = conda.own if conda is not None else frozenset()
    work = _Comparison(reader, deep=deep, sizes_only=sizes_only, rivals=owning if len(owning) > 1 else (), folders=folders)
    several: dict[str, tuple[int, list[Claim]]] = {}
    for place, (path, claim) in enumerate(records.claims()):
        if path in repeated:
            several.setdefault(path, (place, []))[1].append(claim)
        elif claim.metadata not in own:
            work.compare(place, path, (claim,))
    for path, (place, claims) in several.items():
        if any(claim.metadata not in own for claim in claims):
            work.compare(place, path, tuple(claims))
    if conda is not None:
        faults = [fault for fault in faults if fault.kind != "no record" or fault.path not in own]
    faults += work.in_order()
    if not work.rivals:
        faults += _strays(reader, folders, work.code, conda.paths if conda is not None else ())
    return Integrity(
        distributions=distributions,
        rivals=work.rivals,
        owners=owning,
        faults=tuple(faults),
        files=work.files,
        hashed=work.hashed,
        natives=tuple((path, owner) for _, path, owner in sorted(work.natives)),
        conda=conda,
    )


class _Records:
    """The rows of all records that are looked at, read anew from the disk each time they are asked for."""

    def __init__(self, reader: Reader, env: str, folders: tuple[str, ...], distributions: tuple[Installed, ...]) -> None:
        self._reader = reader
        self._bounds = (env.rstrip("/") + "/", *(site + "/" for site in folders))
        self._distributions = distributions

    def claims(self) -> Iterator[tuple[str, Claim]]:
        """Every recorded file whose content can be compared, with who says what of it."""
        for item in self._distributions:
            for path, claim in read_claims(self._reader, item) or ():
                if path.startswith(self._bounds) and not path.endswith(_NOT_COMPARED):
                    yield path, claim

    def owning(self) -> tuple[tuple[str, ...], Prints]:
        """The distributions that record a tensorflow package, and the paths that are recorded more than once."""
        owners: set[str] = set()
        every = Prints()
        for path, claim in self.claims():
            every.add(path)
            if path.endswith(_PACKAGES):
                owners.add(claim.owner)
        return tuple(sorted(owners)), every.repeated()

    def folders_of(self, paths: Collection[str]) -> dict[str, str]:
        """The metadata folder of the last distribution that has recorded each of these paths, for those that one has."""
        return {path: claim.metadata for path, claim in self.claims() if path in paths} if paths else {}


class _Comparison:
    """What the comparison of the files has shown so far; places are those in the order of the records, in which faults are told."""

    def __init__(self, reader: Reader, *, deep: bool, sizes_only: bool, rivals: tuple[str, ...], folders: tuple[str, ...]) -> None:
        self._reader = reader
        self._deep = deep
        self._sizes_only = sizes_only
        self._roots = _roots(folders)
        self.rivals = rivals
        self.files = self.hashed = 0
        self.faults: list[tuple[int, Fault]] = []
        self.natives: list[tuple[int, str, str]] = []
        # What is recorded of the code in the tensorflow folder.
        self.code = Prints()

    def compare(self, place: int, path: str, claims: tuple[Claim, ...]) -> None:
        """Look at one file, and at all that is said of it."""
        self.files += 1
        if path.startswith(self._roots) and _is_code(path):
            self.code.add(path)
        native = _NATIVE.search(path) is not None
        size = self._reader.size(path) if native or self._sizes_only else -1
        if native and size >= 0:
            self.natives.append((place, path, claims[-1].owner))
        if self._sizes_only and size >= 0 and any(claim.size in (-1, size) for claim in claims):
            return
        kind, detail, read = _compare(self._reader, path, claims, deep=self._deep, sizes_only=self._sizes_only)
        self.hashed += read
        if kind is not None and not (set(self.rivals) & {claim.owner for claim in claims}):
            self.faults.append((place, Fault(distribution=claims[0].owner, kind=kind, path=path, detail=detail)))

    def in_order(self) -> list[Fault]:
        """The faults in the order of the records."""
        return [fault for _, fault in sorted(self.faults, key=lambda item: item[0])]


def _read_folders(reader: Reader, folders: tuple[str, ...]) -> tuple[tuple[Installed, ...], list[Fault]]:
    """Read the distributions of the folders, and what is wrong with their metadata."""
    distributions: list[Installed] = []
    faults: list[Fault] = []
    for site in folders:
        for entry in reader.list(site, named=lambda base: is_leftover(base) or base.endswith(".dist-info")):
            if is_leftover(posixpath.basename(entry.path)):
                faults.append(Fault(distribution="", kind="leftover", path=entry.path, detail="left by an interrupted pip"))
            else:
                _read_distribution(reader, entry, distributions, faults)
    return tuple(distributions), faults


def _read_distribution(reader: Reader, entry: Entry, distributions: list[Installed], faults: list[Fault]) -> None:
    folder, base = entry.path, posixpath.basename(entry.path)
    text, told = read_metadata(reader, entry)
    if text.text is None:
        faults.append(Fault(distribution=base, kind="leftover", path=folder, detail="a metadata folder without METADATA"))
        return
    if not told.name or not told.version:
        faults.append(Fault(distribution=base, kind="no metadata", path=folder, detail="METADATA names no distribution and version"))
    item = described(folder, told)
    if read_claims(reader, item) is None:
        # conda's packages of this kind may have none either, and keep their own record (``conda_files``).
        faults.append(
            Fault(distribution=item.name, kind="no record", path=folder, detail="RECORD is missing, so its files cannot be checked")
        )
        item = replace(item, recorded=False)
    distributions.append(item)


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


def _roots(folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{site}/tensorflow/" for site in folders)


def _is_code(path: str) -> bool:
    """What Python would import, and what it would load."""
    return path.endswith(".py") or ".so" in posixpath.basename(path)


def _strays(reader: Reader, folders: tuple[str, ...], recorded: Container[str], conda: Container[str]) -> list[Fault]:
    """Code in the tensorflow folder that no distribution owns: what an earlier release left, and what Python would import all the same."""
    there = (path for root in _roots(folders) for path in reader.files_below(root.rstrip("/")) if _is_code(path))
    strays = sorted(path for path in there if path not in recorded and path not in conda)
    return [Fault(distribution="", kind="stray", path=path, detail="belongs to no installed distribution") for path in strays]
