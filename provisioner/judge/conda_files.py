"""What conda has installed against what its records say: missing, truncated and altered files, and Python packages that pip has put over them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from provisioner.base.names import normalise
from provisioner.conda.specs import spec_name
from provisioner.environment.conda_owned import Brought, brought, identity
from provisioner.environment.conda_records import META, distribution_owners, read_records
from provisioner.environment.distributions import Installed
from provisioner.environment.layout import SHAPES
from provisioner.host import Reader
from provisioner.model.conda import CondaFile, CondaRecord
from provisioner.model.record import record

# Files up to this size are always hashed; so are modules, and libraries and programs as long as all together are below the second.
SMALL = 64 * 1024
NATIVE_BUDGET = 256 << 20
CondaFaultKind = Literal["missing", "size", "content", "unreadable"]
# What has a content of its own. Entry points are written by whoever links the package, and byte code by whoever imports it.
_COMPARED = frozenset({"hardlink", "softlink"})
_NATIVE = re.compile(r"\.so(\.\d+)*$|^bin/|^lib/[^/]+\.dylib$")
# What an import reads, or a program starts; headers, manuals and tests are thinned out on purpose at times.
_CODE = re.compile(r"\.(py|so|dylib)(\.\d+)*$|\.bc$")
_BESIDE_THE_POINT = re.compile(r"(^|/)(include|share|tests?|testing|examples?|idlelib|turtledemo|config-[^/]+)/|\.dist-info/|\.egg-info")
# The packages that CUDA's libraries come in: cudatoolkit and cudnn, and one for each part since CUDA 12 (conda-forge's CUDA documentation).
CUDA = re.compile(r"cudatoolkit|cudnn|libcudnn|nccl|cuda-[a-z-]+|lib(cublas|cufft|curand|cusolver|cusparse|nvjitlink|nvptxcompiler)")


@record
class CondaFault:
    """A file that is not as its package's record says: ``package`` is name, version and build, ``path`` absolute.

    ``by`` is the distribution that pip or uv has put in its place, "" where that is not why.
    """

    package: str
    kind: CondaFaultKind
    path: str
    detail: str
    by: str = ""


@record
class Over:
    """A Python distribution that conda brought, and that pip or uv has replaced: ``package`` is conda's; the versions are theirs, in this order.

    ``metadata`` is the folder of the one that is there now (absolute); ``both`` is true where conda's is there, too.
    """

    package: str
    name: str
    conda: str
    version: str
    metadata: str
    both: bool


@record
class CondaState:
    """A conda environment's files: ``records`` are conda's, ``files`` were compared, ``hashed`` of them by content.

    ``own`` are the metadata folders (absolute) of the distributions that are still conda's, and ``owners`` the packages by those folders.
    """

    root: str
    records: tuple[CondaRecord, ...]
    faults: tuple[CondaFault, ...] = ()
    over: tuple[Over, ...] = ()
    own: frozenset[str] = frozenset()
    owners: Mapping[str, str]
    files: int = 0
    hashed: int = 0

    @property
    def paths(self) -> frozenset[str]:
        """Every file that a record lists, absolute."""
        return frozenset(posixpath.join(self.root, file.path) for item in self.records for file in item.files)


def of_packages(state: CondaState | None) -> tuple[CondaFault, ...]:
    """Return the faults that matter: code of packages that something rests on; what pip has replaced is judged by pip's record."""
    if state is None:
        return ()
    rest_on = needed(state)
    return tuple(item for item in state.faults if not item.by and item.package in rest_on and is_code(state.root, item.path))


def is_code(root: str, path: str) -> bool:
    """True for a file that something imports, opens or starts."""
    inner = posixpath.relpath(path, root)
    code = any(shape.is_interpreter(inner) for shape in SHAPES) or _CODE.search(inner)
    return bool(code) and not _BESIDE_THE_POINT.search(inner)


def needed(state: CondaState, distributions: Collection[str] | None = None) -> frozenset[str]:
    """Return the packages that a program with TensorFlow rests on, with all that they depend on, by their identities.

    Those are Python, CUDA's libraries, and what brings one of the ``distributions`` (normalised names; any for None).
    """
    named = {item.name: item for item in state.records}
    waiting = [item.name for item in state.records if item.name == "python" or CUDA.fullmatch(item.name)]
    for item in state.records:
        names = distribution_owners([item]).keys()
        if names and (distributions is None or names & set(distributions)):
            waiting.append(item.name)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in named:
            seen.add(name)
            waiting += [spec_name(spec) for spec in named[name].depends]
    return frozenset(identity(item) for item in state.records if item.name in seen)


def compare(
    reader: Reader,
    root: str,
    wheels: Iterable[Installed],
    claimed: Callable[[Collection[str]], Mapping[str, str]],
    *,
    deep: bool = False,
    sizes_only: bool = False,
) -> CondaState | None:
    """Compare every file of the conda packages at ``root`` with their records; None where it is no conda environment. Reads only.

    ``wheels`` are the distributions there, by absolute folders, ``claimed`` maps those of some files that a RECORD lists to the metadata
    folder of its owner.
    """
    state = read_state(reader, root, wheels)
    if state is None:
        return None
    replaced = {item.package: item.name for item in state.over}
    faults: list[CondaFault] = []
    chosen = _chosen(state.records, deep=deep, sizes_only=sizes_only)
    hashed = count = 0
    for item in state.records:
        for file in item.files:
            if file.kind not in _COMPARED or file.path.endswith(".pyc"):
                continue
            count += 1
            path = posixpath.join(root, file.path)
            kind, detail, read = _compare(reader, path, file, hashing=file.path in chosen)
            hashed += read
            if kind is not None:
                faults.append(CondaFault(package=identity(item), kind=kind, path=path, detail=detail, by=replaced.get(identity(item), "")))
    claims = claimed(frozenset(fault.path for fault in faults))
    alien = {path: folder for path, folder in claims.items() if folder not in state.own}
    named = (replace(fault, by=_name(alien[fault.path])) if fault.path in alien else fault for fault in faults)
    return replace(state, faults=tuple(named), files=count, hashed=hashed)


def read_state(reader: Reader, root: str, wheels: Iterable[Installed]) -> CondaState | None:
    """Read the records and tell whose the distributions are, without looking at the files of the packages."""
    if not reader.exists(posixpath.join(root, META)):
        return None
    records = read_records(reader, root)
    found = brought(reader, root, records)
    owners = {posixpath.join(root, item.folder): item.package for item in found}
    own = frozenset(posixpath.join(root, item.folder) for item in found if item.state == "own")
    return CondaState(root=root, records=records, over=tuple(_over(found, root, tuple(wheels), owners)), own=own, owners=owners)


def _name(folder: str) -> str:
    return normalise(posixpath.basename(folder).partition("-")[0])


def _over(items: Iterable[Brought], root: str, wheels: tuple[Installed, ...], owners: Mapping[str, str]) -> Iterator[Over]:
    """Yield those of conda's distributions that pip or uv has replaced, or put another version beside."""
    for item in items:
        folder = posixpath.join(root, item.folder)
        others = [wheel for wheel in wheels if wheel.name == item.name and wheel.metadata not in owners]
        now = others[0] if others else Installed(name=item.name, version=item.version, metadata=folder) if item.state == "again" else None
        if now is not None:
            both = item.state == "own"
            yield Over(package=item.package, name=item.name, conda=item.version, version=now.version, metadata=now.metadata, both=both)


def _chosen(records: Iterable[CondaRecord], *, deep: bool, sizes_only: bool) -> frozenset[str]:
    """Return the files whose content is read: of libraries and programs the smaller ones first, until the budget is used up."""
    if sizes_only:
        return frozenset()
    files = [file for item in records for file in item.files if file.kind == "hardlink" and file.sha256]
    chosen = {file.path for file in files if deep or 0 <= file.size <= SMALL or file.path.endswith(".py")}
    left = NATIVE_BUDGET
    for file in sorted((file for file in files if _NATIVE.search(file.path) and file.path not in chosen), key=lambda file: file.size):
        left -= max(file.size, 0)
        if left < 0:
            break
        chosen.add(file.path)
    return frozenset(chosen)


def _compare(reader: Reader, path: str, file: CondaFile, *, hashing: bool) -> tuple[CondaFaultKind | None, str, int]:
    try:
        entry = reader.entry(path)
        if file.kind == "softlink":
            # What is behind it is recorded by itself, or lies outside.
            return None, "", 0
        if entry.kind == "link":
            entry = reader.entry(reader.real(path))
    except FileNotFoundError:
        return "missing", "is not there", 0
    except OSError as error:
        return "unreadable", error.strerror or str(error), 0
    # With the prefix in it a text has another length; a binary is filled up with zeros (conda-build's documentation, "Making packages relocatable").
    fixed = file.size >= 0 and not (file.rewritten and file.mode != "binary")
    if fixed and entry.size != file.size:
        return "size", f"{entry.size} bytes instead of {file.size}", 0
    if not hashing or entry.kind != "file" or not file.sha256:
        return None, "", 0
    try:
        found = reader.sha256(path)
    except OSError as error:
        return "unreadable", error.strerror or str(error), 0
    return ("content", "its content is not the recorded one", 1) if found != file.sha256 else (None, "", 1)
