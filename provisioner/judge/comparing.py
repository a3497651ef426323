"""One file after the other against what records say of it: missing, truncated and altered files, two writers."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from provisioner.base.prints import Prints
from provisioner.catalogue.published import Contradiction
from provisioner.environment.owners import Claim
from provisioner.host import Reader, Stamp, files
from provisioner.judge.memory import Remembered
from provisioner.judge.relabelled import relabelled
from provisioner.model.record import record

# A file above this size that is not as long as recorded is not read.
WHOLE = 1 << 20
# Lists of certificates to which organisations, and the agents on their machines, append their own: certifi's, and pip's copy of it.
CERTIFICATES = "/cacert.pem"
FaultKind = Literal[
    "missing", "size", "content", "appended", "published", "unreadable", "two writers", "no record", "no metadata", "leftover", "stray"
]
METADATA = ".dist-info/METADATA"
# Which functions the commands of a distribution call ("Entry points specification").
ENTRY_POINTS = "entry_points.txt"
# What makes an environment less than whole; the others are worth a word: what was added to a list of certificates, and what a wheel that contradicts
# its own record was published with.
DAMAGE: frozenset[FaultKind] = frozenset({"missing", "size", "content", "unreadable"})
CONTENT = "its content is not the recorded one"
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


class Comparison:
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
        self._roots = roots(folders)
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
        if path.startswith(self._roots) and is_code(path):
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
        if self._is_published(path, claims, found) or self._is_relabelled(path, digests.values(), stamp.size):
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

    def _is_relabelled(self, path: str, claims: Iterable[Claim], size: int) -> bool:
        """True for a METADATA that got another version than the one that its record was written with."""
        if not path.endswith(METADATA) or size > WHOLE:
            return False
        try:
            text = self._reader.read_bytes(path, limit=WHOLE)
        except OSError:
            return False
        return any(relabelled(text, claim.digest.partition("=")[2], claim.size) for claim in claims)

    def _inner(self, path: str) -> str:
        """The path as a wheel has it; "" outside of the folders of packages."""
        return next((path[len(site) + 1 :] for site in self._folders if path.startswith(f"{site}/")), "")

    def in_order(self) -> list[Fault]:
        """The faults in the order of the records."""
        return [fault for _, fault in sorted(self.faults, key=lambda item: item[0])]


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


def roots(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders of TensorFlow's own package below those of packages."""
    return tuple(f"{site}/tensorflow/" for site in folders)


def is_code(path: str) -> bool:
    """What Python would import, and what it would load."""
    return path.endswith(".py") or ".so" in posixpath.basename(path)
