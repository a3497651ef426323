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
from provisioner.catalogue.published import Contradiction
from provisioner.environment.distributions import Installed, described, read_metadata, sites
from provisioner.environment.owners import Claim, index, read_claims
from provisioner.host import Entry, Reader, Stamp
from provisioner.judge import conda_files
from provisioner.judge.conda_files import CondaState
from provisioner.judge.memory import Hashes, Memory
from provisioner.model.record import record

# Files up to this size are read at once.
WHOLE = 1 << 20
# Lists of certificates to which organisations, and the agents on their machines, append their own: certifi's, and pip's copy of it.
CERTIFICATES = "/cacert.pem"
FaultKind = Literal[
    "missing", "size", "content", "appended", "published", "unreadable", "two writers", "no record", "no metadata", "leftover", "stray"
]
# What makes an environment less than whole; the others are worth a word: what was added to a list of certificates, and what a wheel that contradicts
# its own record was published with.
DAMAGE: frozenset[FaultKind] = frozenset({"missing", "size", "content", "unreadable"})
# What changes after the install: byte code, and the record itself.
_NOT_COMPARED = (".pyc", "/RECORD", "/RECORD.jws")
_PACKAGES = tuple(f"/site-packages/{name}/__init__.py" for name in OWN_FOLDERS)
_NATIVE = re.compile(r"\.(so|dylib|pyd|dll)(\.\d+)*$")


# What many packages put beside their own folder by mistake, so that the last one wins: nothing imports it.
BESIDE = re.compile(
    r"(tests?|testing|docs?|examples?|samples?|benchmarks?)/|[^/]+\.(md|rst|txt)$|(LICEN[CS]E|NOTICE|AUTHORS|CHANGE(S|LOG))[^/]*$",
    re.IGNORECASE,
)


@record
class Fault:
    """One file that is not as recorded; ``path`` is absolute, ``detail`` says what was expected and found.

    Of a file that two packages have written, each with a content of its own, ``distribution`` is the one whose file was lost, and ``other`` the one
    whose file is there.
    """

    distribution: str
    kind: FaultKind
    path: str
    detail: str
    other: str = ""


@record
class Integrity:
    """The state of an environment's files: ``rivals`` own one tensorflow folder; ``files`` were compared.

    ``natives`` are the compiled files that are there and their owners; ``owners`` are the distributions that record a tensorflow package.
    ``conda`` is the same of conda's packages (None where it is no conda environment): distributions that are conda's are compared there alone.
    """

    distributions: tuple[Installed, ...]
    rivals: tuple[str, ...]
    faults: tuple[Fault, ...]
    files: int
    natives: tuple[tuple[str, str], ...] = ()
    owners: tuple[str, ...] = ()
    conda: CondaState | None = None


class _Looking:
    """A comparison under way: what it goes by, and the hashes that it knows or finds."""

    def __init__(self, reader: Reader, published: frozenset[Contradiction], folders: tuple[str, ...], known: Hashes) -> None:
        self.reader = reader
        self.published = published
        self.folders = folders
        self.stamps: dict[str, Stamp] = {path: stamp for site in folders for path, stamp in reader.stamps(site).items()}
        self.known = known
        self.hashes: Hashes = {}
        self.fresh = 0
        self._near: set[str] = set()

    def stamp(self, path: str) -> Stamp | None:
        """What the file system says of a file, links to files followed; None where none is there. Other folders are read when needed."""
        if path not in self.stamps and not path.startswith(self.folders):
            folder = posixpath.dirname(path)
            if folder not in self._near:
                self._near.add(folder)
                self.stamps.update(
                    {other: stamp for other, stamp in self.reader.stamps(folder).items() if posixpath.dirname(other) == folder}
                )
        return self.stamps.get(path)

    def digest(self, path: str, stamp: Stamp) -> str:
        """The SHA-256 of a file as RECORD writes it; raises ``OSError`` where it cannot be read."""
        before = self.known.get(path)
        if before is not None and before[0] == stamp:
            found = before[1]
        else:
            found = base64.urlsafe_b64encode(_digest(self.reader, path, stamp.size)).rstrip(b"=").decode()
            self.fresh += 1
        self.hashes[path] = (stamp, found)
        return found


def check(
    reader: Reader,
    env: str,
    *,
    deep: bool = False,
    sizes_only: bool = False,
    folders: tuple[str, ...] | None = None,
    published: frozenset[Contradiction] = frozenset(),
    memory: Memory | None = None,
) -> Integrity:
    """Compare every distribution in ``env`` with its RECORD, each file by its content. Reads only, but for ``memory``.

    ``memory`` spares reading again what has not changed since; with ``deep`` everything is read, and of conda's packages large files, too, of which
    ``sizes_only`` reads none. ``folders`` are the folders with distributions where they are not those below ``env``. A RECORD that names files
    outside ``env`` is not followed there. ``published`` are the files that wheels were published with against their own records.
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
    memory = None if deep else memory
    began = memory.now() if memory is not None else 0
    looking = _Looking(reader, published, folders, memory.recall(env) if memory is not None else {})
    stamps = looking.stamps
    found = [fault for path, owners in rows.items() if (fault := _compare(looking, path, owners)) is not None]
    faults.extend(fault for fault in found if not (set(rivals) & {row.owner for row in rows[fault.path]}))
    if memory is not None and (looking.fresh or looking.known.keys() != looking.hashes.keys()):
        memory.keep(env, looking.hashes, began)
    if not rivals:
        faults.extend(_strays(reader, folders, stamps, rows.keys() | (conda.paths if conda is not None else set())))
    return Integrity(
        distributions=tuple(distributions),
        rivals=rivals,
        owners=owning,
        faults=tuple(faults),
        files=len(rows),
        natives=_natives(stamps, rows),
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


def _compare(looking: _Looking, path: str, owners: tuple[Claim, ...]) -> Fault | None:
    """Compare a file with every record of it; None where all is as recorded."""
    owner, stamp = owners[0].owner, looking.stamp(path)
    if stamp is None:
        return _without_file(looking, path, owners)
    digests = {row.digest.partition("=")[2]: row for row in owners if row.digest.startswith("sha256=")}
    fits = any(row.size in (-1, stamp.size) for row in owners)
    words = f"{stamp.size} bytes instead of {owners[0].size}"
    if not digests:
        return None if fits else _fault(owner, "size", path, words)
    if not fits and stamp.size > WHOLE:
        # That much is certain without reading it.
        return _fault(owner, "size", path, words)
    try:
        found = looking.digest(path, stamp)
    except OSError as error:
        return _fault(owner, "unreadable", path, error.strerror or str(error))
    if found in digests:
        return _of_two(looking, path, digests, found)
    if _is_published(looking, path, owners, found):
        return _fault(owner, "published", path, "its wheel was published so, against its own record")
    if path.endswith(CERTIFICATES) and any(_begins(looking.reader, path, row, stamp.size) for row in owners):
        return _fault(owner, "appended", path, "certificates were added to it")
    return _fault(owner, "content", path, "its content is not the recorded one") if fits else _fault(owner, "size", path, words)


def _without_file(looking: _Looking, path: str, owners: tuple[Claim, ...]) -> Fault | None:
    """What is the matter where no file is: it is missing, or what is there cannot be looked at or is something else."""
    owner, reader = owners[0].owner, looking.reader
    try:
        entry = reader.entry(path)
        if entry.kind == "link":
            entry = reader.entry(reader.real(path))
    except (FileNotFoundError, NotADirectoryError):
        known = _is_published(looking, path, owners, "")
        return (
            _fault(owner, "published", path, "its wheel was published without it")
            if known
            else _fault(owner, "missing", path, "is not there")
        )
    except OSError as error:
        return _fault(owner, "unreadable", path, error.strerror or str(error))
    if entry.kind == "file":
        # Behind a link that takes the place of a folder.
        found = base64.urlsafe_b64encode(bytes.fromhex(reader.sha256(path))).rstrip(b"=").decode()
        right = any(found == row.digest.partition("=")[2] or not row.digest for row in owners)
        return None if right else _fault(owner, "content", path, "its content is not the recorded one")
    return _fault(owner, "missing", path, f"a {entry.kind} is in its place") if any(row.digest for row in owners) else None


def _fault(owner: str, kind: FaultKind, path: str, detail: str) -> Fault:
    return Fault(distribution=owner, kind=kind, path=path, detail=detail)


def _of_two(looking: _Looking, path: str, digests: Mapping[str, Claim], found: str) -> Fault | None:
    """The fault of a file that another package has recorded with another content; of one name it is the same package twice."""
    winner = digests[found]
    lost = next((row for digest, row in digests.items() if digest != found and row.owner != winner.owner), None)
    if lost is None or BESIDE.match(_inner(looking, path)):
        return None
    words = f"{lost.owner} and {winner.owner} both have this file, each another one; that of {winner.owner} is there"
    return Fault(distribution=lost.owner, kind="two writers", path=path, detail=words, other=winner.owner)


def _inner(looking: _Looking, path: str) -> str:
    """The path as a wheel has it; "" outside of the folders of packages."""
    return next((path[len(site) + 1 :] for site in looking.folders if path.startswith(f"{site}/")), "")


def _is_published(looking: _Looking, path: str, owners: tuple[Claim, ...], found: str) -> bool:
    inner = _inner(looking, path)
    return any((inner, row.digest.partition("=")[2], found) in looking.published for row in owners)


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


def _natives(sizes: Mapping[str, Stamp], rows: Mapping[str, tuple[Claim, ...]]) -> tuple[tuple[str, str], ...]:
    return tuple((path, found[-1].owner) for path, found in rows.items() if path in sizes and _NATIVE.search(path))


def _strays(reader: Reader, folders: tuple[str, ...], sizes: Mapping[str, Stamp], rows: Collection[str]) -> Iterator[Fault]:
    """Code in the tensorflow folder that no distribution owns: what an earlier release left, and what Python would import all the same."""
    roots = tuple(f"{site}/tensorflow/" for site in folders)
    for path in sorted(sizes):
        if path.startswith(roots) and path not in rows and (path.endswith(".py") or ".so" in posixpath.basename(path)):
            if reader.entry(path).kind != "file":
                continue
            yield Fault(distribution="", kind="stray", path=path, detail="belongs to no installed distribution")
