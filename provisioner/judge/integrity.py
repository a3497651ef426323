"""What is installed against what the packages' own records say: missing, truncated and altered files, rivals, leftovers."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from provisioner.base.names import OWN_FOLDERS
from provisioner.base.prints import Prints
from provisioner.catalogue.published import Contradiction
from provisioner.environment.distributions import Installed, described, is_leftover, read_metadata, sites
from provisioner.environment.owners import Claim, read_claims
from provisioner.host import Entry, Reader, Stamp, files
from provisioner.judge import conda_files
from provisioner.judge.conda_files import CondaState
from provisioner.judge.memory import Memory, Remembered
from provisioner.model.record import record

# A file above this size that is not as long as recorded is not read.
WHOLE = 1 << 20
# Lists of certificates to which organisations, and the agents on their machines, append their own: certifi's, and pip's copy of it.
CERTIFICATES = "/cacert.pem"
FaultKind = Literal[
    "missing", "size", "content", "appended", "published", "unreadable", "two writers", "no record", "no metadata", "leftover", "stray"
]
# What makes an environment less than whole; the others are worth a word: what was added to a list of certificates, and what a wheel that contradicts
# its own record was published with.
# Which functions the commands of a distribution call ("Entry points specification").
ENTRY_POINTS = "entry_points.txt"
DAMAGE: frozenset[FaultKind] = frozenset({"missing", "size", "content", "unreadable"})
CONTENT = "its content is not the recorded one"
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
    outside ``env`` is not followed there. ``published`` are the files that wheels were published with against their own records. Records are read
    twice, row by row: an environment may have hundreds of thousands of files, and none is kept in memory.
    """
    folders = sites(reader, env) if folders is None else folders
    distributions, faults = _read_folders(reader, folders)
    records = _Records(reader, env, folders, tuple(item for item in distributions if item.recorded))
    owning, repeated = records.owning()
    conda = conda_files.compare(reader, env, distributions, records.folders_of, deep=deep, sizes_only=sizes_only)
    own = conda.own if conda is not None else frozenset()
    memory = None if deep else memory
    known = memory.open(env) if memory is not None else None
    work = _Comparison(reader, rivals=owning if len(owning) > 1 else (), folders=folders, published=published, known=known)
    several: dict[str, tuple[int, list[Claim]]] = {}
    for place, (path, claim) in enumerate(records.claims()):
        if path in repeated:
            several.setdefault(path, (place, []))[1].append(claim)
        elif claim.metadata not in own:
            work.compare(place, path, (claim,))
    for path, (place, claims) in several.items():
        if any(claim.metadata not in own for claim in claims):
            work.compare(place, path, tuple(claims))
    if memory is not None and known is not None and known.changed:
        memory.keep(env, known)
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

    def __init__(
        self,
        reader: Reader,
        *,
        rivals: tuple[str, ...],
        folders: tuple[str, ...],
        published: frozenset[Contradiction],
        known: Remembered | None,
    ) -> None:
        self._reader = reader
        self._folders = folders
        self._roots = _roots(folders)
        self._published = published
        self._known = known
        self.rivals = rivals
        self.files = 0
        self.faults: list[tuple[int, Fault]] = []
        self.natives: list[tuple[int, str, str]] = []
        # What is recorded of the code in the tensorflow folder.
        self.code = Prints()

    def compare(self, place: int, path: str, claims: tuple[Claim, ...]) -> None:
        """Look at one file, and at all that is said of it."""
        self.files += 1
        if path.startswith(self._roots) and _is_code(path):
            self.code.add(path)
        stamp = self._reader.stamp(path)
        if stamp is not None and _NATIVE.search(path) is not None:
            self.natives.append((place, path, claims[-1].owner))
        fault = self._without_file(path, claims) if stamp is None else self._of_file(path, claims, stamp)
        if fault is not None and not (set(self.rivals) & {claim.owner for claim in claims}):
            self.faults.append((place, fault))

    def _of_file(self, path: str, claims: tuple[Claim, ...], stamp: Stamp) -> Fault | None:
        """Compare a file with every record of it; None where all is as recorded."""
        owner = claims[0].owner
        digests = {claim.digest.partition("=")[2]: claim for claim in claims if claim.digest.startswith("sha256=")}
        fits = any(claim.size in (-1, stamp.size) for claim in claims)
        words = f"{stamp.size} bytes instead of {claims[0].size}"
        if not digests:
            return None if fits else _fault(owner, "size", path, words)
        if not fits and stamp.size > WHOLE:
            # That much is certain without reading it.
            return _fault(owner, "size", path, words)
        known = next((digest for digest in digests if self._known is not None and self._known.holds(path, digest, stamp)), "")
        try:
            found = known or base64.urlsafe_b64encode(bytes.fromhex(self._reader.sha256(path))).rstrip(b"=").decode()
        except OSError as error:
            return _fault(owner, "unreadable", path, error.strerror or str(error))
        if found in digests:
            if self._known is not None and not known:
                self._known.add(path, found, stamp)
            return self._of_two(path, digests, found)
        if self._is_published(path, claims, found):
            return _fault(owner, "published", path, "its wheel was published so, against its own record")
        if path.endswith(CERTIFICATES) and any(_begins(self._reader, path, claim, stamp.size) for claim in claims):
            return _fault(owner, "appended", path, "certificates were added to it")
        return _fault(owner, "content", path, CONTENT) if fits else _fault(owner, "size", path, words)

    def _without_file(self, path: str, claims: tuple[Claim, ...]) -> Fault | None:
        """What is the matter where no file is: it is missing, or cannot be looked at, or something else is in its place."""
        owner = claims[0].owner
        try:
            entry = self._reader.entry(path)
            if entry.kind == "link":
                entry = self._reader.entry(self._reader.real(path))
        except (FileNotFoundError, NotADirectoryError):
            if self._is_published(path, claims, ""):
                return _fault(owner, "published", path, "its wheel was published without it")
            return _fault(owner, "missing", path, "is not there")
        except OSError as error:
            return _fault(owner, "unreadable", path, error.strerror or str(error))
        return _fault(owner, "missing", path, f"a {entry.kind} is in its place") if any(claim.digest for claim in claims) else None

    def _is_one_command(self, path: str, one: Claim, other: Claim) -> bool:
        """True for a command that both packages declare with the same function: each installer writes it in words of its own."""
        from provisioner.engines._central import commands  # noqa: PLC0415 - brings zipfile and urllib, for what is rare

        told = []
        for claim in (one, other):
            text = files.read(self._reader, posixpath.join(claim.metadata, ENTRY_POINTS)).text or ""
            told.append({crc for name, _, crc in commands(text) if posixpath.basename(name) == posixpath.basename(path)})
        return told[0] == told[1] != set()

    def _of_two(self, path: str, digests: Mapping[str, Claim], found: str) -> Fault | None:
        """The fault of a file that another package has recorded with another content; of one name it is the same package twice."""
        winner = digests[found]
        lost = next((claim for digest, claim in digests.items() if digest != found and claim.owner != winner.owner), None)
        if lost is None or BESIDE.match(self._inner(path)) or self._is_one_command(path, lost, winner):
            return None
        words = f"{lost.owner} and {winner.owner} both have this file, each another one; that of {winner.owner} is there"
        return Fault(distribution=lost.owner, kind="two writers", path=path, detail=words, other=winner.owner)

    def _is_published(self, path: str, claims: tuple[Claim, ...], found: str) -> bool:
        inner = self._inner(path)
        return any((inner, claim.digest.partition("=")[2], found) in self._published for claim in claims)

    def _inner(self, path: str) -> str:
        """The path as a wheel has it; "" outside of the folders of packages."""
        return next((path[len(site) + 1 :] for site in self._folders if path.startswith(f"{site}/")), "")

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


def _fault(owner: str, kind: FaultKind, path: str, detail: str) -> Fault:
    return Fault(distribution=owner, kind=kind, path=path, detail=detail)


def _begins(reader: Reader, path: str, row: Claim, size: int) -> bool:
    """Whether a file begins with the recorded content and goes on after it."""
    if not 0 <= row.size < size:
        return False
    try:
        head = reader.read_bytes(path, limit=row.size)
    except OSError:
        return False
    return base64.urlsafe_b64encode(hashlib.sha256(head).digest()).rstrip(b"=").decode() == row.digest.partition("=")[2]


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
