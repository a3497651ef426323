"""The text of a lock file: one release on one platform, every set of it (Python and device), one line for each distinct file.

A file looks like this; the parts of a line are parted by one space::

    tfsetup-lock 1
    release 2.20.0
    platform linux-x86_64
    cutoff 2025-09-15
    resolver uv 0.13.8
    sets 3.9/cpu 3.9/cuda 3.10/cpu 3.10/cuda

    absl_py-2.3.1-py3-none-any.whl 135811 530432 eeec…d26d *
    numpy-2.0.2-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64.whl 19540391 59711488 ab12…90ff 3.9
    nvidia_cublas_cu12-12.5.3.2-py3-none-manylinux2014_x86_64.whl 363332256 559240192 ca07…7d1e cuda

that is file name, size in bytes, bytes when unpacked, SHA-256, and the sets it belongs to: ``*`` all, ``3.9`` that Python, ``cuda`` that
device, ``3.9/cuda`` one set; several are parted by commas. No address is in it: files come from the indexes the user configured.
Devices are ``cpu``, ``cuda``, and ``cuda-conda``: CUDA's libraries are then conda packages, and none of them is in the set.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from provisioner.base.numbers import whole
from provisioner.base.versions import is_version
from provisioner.errors import InputError
from provisioner.model.catalogue import Lock, LockDevice, LockedFile
from provisioner.model.record import record

MAGIC = "tfsetup-lock 1"
HEADER = ("release", "platform", "cutoff", "resolver", "sets")
DEVICES: tuple[LockDevice, ...] = ("cpu", "cuda", "cuda-conda")
LINE_PARTS = 5
WHEEL_PARTS = (5, 6)

Set = tuple[str, LockDevice]

_SET = re.compile(r"(\d+\.\d+)/(cpu|cuda|cuda-conda)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_|manylinux(1|2010|2014)_")
# https://peps.python.org/pep-0600/#legacy-manylinux-tags
_LEGACY = {"1": (2, 5), "2010": (2, 12), "2014": (2, 17)}


@record
class LockFile:
    """The parsed text: ``sets`` in file order; ``members`` gives for each file the sets it belongs to, sorted by file name."""

    release: str
    platform: str
    cutoff: str
    resolver: str
    sets: tuple[Set, ...]
    members: tuple[tuple[LockedFile, frozenset[Set]], ...]

    def lock(self, python: str, device: LockDevice) -> Lock | None:
        """Return one set as a lock of its own, or None where there is no such set."""
        if (python, device) not in self.sets:
            return None
        files = tuple(file for file, sets in self.members if (python, device) in sets)
        return Lock(
            release=self.release,
            python=python,
            platform=self.platform,
            device=device,
            glibc=glibc_floor(file.filename for file in files),
            files=files,
            digest=digest_of(self.release, self.platform, python, device, files),
        )


def digest_of(release: str, platform: str, python: str, device: str, files: Iterable[LockedFile]) -> str:
    """Return the SHA-256 of a set's canonical text, which names what is installed and nothing else.

    The text is ``<release> <platform> <python> <device>`` and, sorted by name, ``<file name> <sha256>`` for each file, each on a line.
    """
    lines = [f"{release} {platform} {python} {device}", *sorted(f"{file.filename} {file.sha256}" for file in files)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def glibc_of(filename: str) -> tuple[int, int]:
    """Return the oldest glibc that a wheel's tag admits (PEP 600), (0, 0) where it names none; of several tags the lowest counts."""
    found = [_LEGACY[match[3]] if match[3] else (whole(match[1]), whole(match[2])) for match in _MANYLINUX.finditer(filename)]
    return min(found, default=(0, 0))


def glibc_floor(filenames: Iterable[str]) -> str:
    """Return the oldest glibc on which every file of a set installs, or "" where none of them asks for one."""
    floor = max(map(glibc_of, filenames), default=(0, 0))
    return f"{floor[0]}.{floor[1]}" if floor != (0, 0) else ""


def name_and_version(filename: str) -> tuple[str, str]:
    """Return normalised name and version out of a wheel's or a source distribution's file name.

    Raises ``ValueError`` for anything else (https://packaging.python.org/specifications/binary-distribution-format/#file-name-convention).
    """
    if filename.endswith(".whl"):
        parts = filename[:-4].split("-")
        if len(parts) in WHEEL_PARTS and all(parts):
            return parts[0].replace("_", "-").replace(".", "-").lower(), parts[1]
    for ending in (".tar.gz", ".zip"):
        stem, found, rest = filename.rpartition(ending)
        name, dash, version = stem.rpartition("-")
        if found and not rest and dash and name and version:
            return name.replace("_", "-").replace(".", "-").lower(), version
    message = f"not the name of a wheel or a source distribution: {filename!r}"
    raise ValueError(message)


def selectors(members: frozenset[Set], sets: Sequence[Set]) -> str:
    """Return the shortest selectors for ``members`` out of all ``sets``: whole columns and rows first, then single sets, in order."""
    if members == frozenset(sets):
        return "*"
    found: list[str] = []
    left = set(members)
    for device in dict.fromkeys(device for _, device in sets):
        column = {item for item in sets if item[1] == device}
        if column <= members:
            found.append(device)
            left -= column
    for python in dict.fromkeys(python for python, _ in sets):
        row = {item for item in sets if item[0] == python}
        if row <= members and row & left:
            found.append(python)
            left -= row
    found += [f"{python}/{device}" for python, device in sets if (python, device) in left]
    return ",".join(found)


def format_lockfile(lockfile: LockFile) -> str:
    """Return the text; ``parse_lockfile`` reads it back to an equal value."""
    lines = [
        MAGIC,
        f"release {lockfile.release}",
        f"platform {lockfile.platform}",
        f"cutoff {lockfile.cutoff}",
        f"resolver {lockfile.resolver}",
        "sets " + " ".join(f"{python}/{device}" for python, device in lockfile.sets),
        "",
    ]
    for file, members in sorted(lockfile.members, key=lambda member: member[0].filename):
        lines.append(f"{file.filename} {file.size} {file.unpacked} {file.sha256} {selectors(members, lockfile.sets)}")
    return "\n".join(lines) + "\n"


def parse_lockfile(text: str, *, file: str) -> LockFile:
    """Read a lock file; raises ``InputError`` with every fault as ``line N: what was expected``."""
    lines = text.split("\n")
    if lines[0] != MAGIC:
        raise InputError("not a lock of a known format", place=file, faults=(f"line 1: expected {MAGIC!r}",))
    faults: list[str] = []
    header = _header(lines[1 : len(HEADER) + 1], faults)
    sets = _sets(header["sets"], faults)
    first = len(HEADER) + 1
    if lines[first : first + 1] != [""] or lines[-1] != "":
        faults.append(f"line {first + 1}: expected an empty line after the header, and one line end at the end of the file")
    members = _members(lines[first + 1 : -1], first + 2, sets, faults)
    if faults:
        raise InputError("cannot be read as a lock", place=file, faults=tuple(faults))
    return LockFile(
        release=header["release"],
        platform=header["platform"],
        cutoff=header["cutoff"],
        resolver=header["resolver"],
        sets=sets,
        members=members,
    )


def _header(lines: Sequence[str], faults: list[str]) -> Mapping[str, str]:
    values = dict.fromkeys(HEADER, "")
    for number, name in enumerate(HEADER, 2):
        line = lines[number - 2] if number - 2 < len(lines) else ""
        found, _, value = line.partition(" ")
        if found == name and value:
            values[name] = value
        else:
            faults.append(f"line {number}: expected `{name}` and its value")
    if values["release"] and not is_version(values["release"]):
        faults.append(f"line 2: expected a version, found {values['release']!r}")
    return values


def _sets(text: str, faults: list[str]) -> tuple[Set, ...]:
    sets: list[Set] = []
    for item in text.split():
        match = _SET.fullmatch(item)
        if match is None or (match[1], match[2]) in sets:
            faults.append(f"line {len(HEADER) + 1}: expected sets such as 3.11/cpu, each once, found {item!r}")
        else:
            sets.append((match[1], cast("LockDevice", match[2])))
    return tuple(sets)


def _members(lines: Iterable[str], first: int, sets: tuple[Set, ...], faults: list[str]) -> tuple[tuple[LockedFile, frozenset[Set]], ...]:
    table = _selector_table(sets)
    members: list[tuple[LockedFile, frozenset[Set]]] = []
    last = ""
    for number, line in enumerate(lines, first):
        parts = line.split(" ")
        if len(parts) != LINE_PARTS:
            faults.append(f"line {number}: expected file name, size, unpacked size, SHA-256 and sets")
            continue
        file = _file(parts, number, faults)
        chosen: frozenset[Set] = frozenset()
        for selector in parts[4].split(","):
            if selector in table:
                chosen |= table[selector]
            else:
                faults.append(f"line {number}: no set is selected by {selector!r}")
        if parts[0] <= last:
            faults.append(f"line {number}: expected file names in order, each once, found {parts[0]!r} after {last!r}")
        last = parts[0]
        if file is not None:
            members.append((file, chosen))
    return tuple(members)


def _selector_table(sets: tuple[Set, ...]) -> dict[str, frozenset[Set]]:
    """Return what each selector stands for; a text that many lines share is looked up, not read again."""
    table: dict[str, frozenset[Set]] = {"*": frozenset(sets)}
    for python, device in sets:
        table[f"{python}/{device}"] = frozenset({(python, device)})
        table[python] = table.get(python, frozenset()) | {(python, device)}
        table[device] = table.get(device, frozenset()) | {(python, device)}
    return table


def _file(parts: Sequence[str], number: int, faults: list[str]) -> LockedFile | None:
    filename, size, unpacked, sha256, _ = parts
    before = len(faults)
    name = version = ""
    try:
        name, version = name_and_version(filename)
    except ValueError as error:
        faults.append(f"line {number}: {error}")
    if not (size.isdecimal() and size.isascii() and unpacked.isdecimal() and unpacked.isascii()):
        faults.append(f"line {number}: expected two whole numbers of bytes, found {size!r} and {unpacked!r}")
    if _SHA256.fullmatch(sha256) is None:
        faults.append(f"line {number}: expected a SHA-256 of 64 hexadecimal digits, found {sha256!r}")
    if len(faults) > before:
        return None
    return LockedFile(
        name=name,
        version=version,
        filename=filename,
        sha256=sha256,
        size=whole(size),
        unpacked=whole(unpacked),
        source=not filename.endswith(".whl"),
    )
