"""What a Windows library or program (``.dll``, ``.pyd``, ``.exe``) asks of the loader: its machine and the DLLs that it imports.

Source: Microsoft, "PE Format": DOS header, COFF header, optional header, section table, import directory table, delay-load directory table.

Read here and not with `pefile` (2024.8.26, well kept): that wants the whole file or a memory map, while TensorFlow's has hundreds of
megabytes and everything goes through the port; importing its 8000 lines takes over 100 ms, and these two tables need eighty. Both were held
against each other on the 48 files of the Windows wheels of h5py 3.10.0, ml-dtypes 0.3.2 and NumPy 1.26.4: the same answers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from provisioner.host import Reader
from provisioner.model.record import record

MACHINES = {0x014C: "i686", 0x8664: "x86_64", 0xAA64: "aarch64", 0x01C4: "armv7l", 0xA641: "arm64ec"}
# Its signature, and the first version of the structure.
FIXED_FILE_INFO = struct.pack("<II", 0xFEEF04BD, 0x00010000)
PE32, PE32_PLUS = 0x10B, 0x20B
# Entries of the data directory.
IMPORTS, DELAYED = 1, 13
IMPORT_SIZE, DELAY_SIZE, SECTION_SIZE = 20, 32, 40
# The format allows 96 sections; libraries that import more than a few hundred others do not exist.
MAX_SECTIONS = 96
MAX_IMPORTS = 1024
MAX_NAME = 260
# Bytes that are read at once.
BLOCK = 1 << 16

Read = Callable[[int, int], bytes]


class PeError(ValueError):
    """Not a PE file, or a damaged one."""


@record
class Pe:
    """``machine`` as in ``model.facts.System``; DLL names as they are written: ``imports`` are loaded with it, ``delayed`` at first use.

    ``linker`` is the version of the linker (``14.29``), whose first numbers are also those of the Visual C++ runtime that goes with it.
    """

    machine: str
    linker: str
    imports: tuple[str, ...]
    delayed: tuple[str, ...]


def parse(read: Read) -> Pe:
    """Read a file by ``read(offset, size)``, which gives fewer bytes at the end. Raises ``PeError``."""
    try:
        return _parse(read)
    except struct.error:
        raise PeError("a damaged PE file") from None


def read_pe(reader: Reader, path: str) -> Pe:
    """Read the file at ``path``. Raises ``PeError`` and ``OSError``."""
    # A name is a few bytes and there are hundreds of them: each read opens the file anew, which a scanner makes slow on Windows.
    blocks: dict[int, bytes] = {}

    def read(offset: int, size: int) -> bytes:
        first, last = offset // BLOCK, (offset + size - 1) // BLOCK
        for number in range(first, last + 1):
            if number not in blocks:
                blocks[number] = reader.read_bytes(path, BLOCK, number * BLOCK)
        return b"".join(blocks[number] for number in range(first, last + 1))[offset - first * BLOCK :][:size]

    return parse(read)


def file_version(data: bytes, parts: int = 3) -> str:
    """Return the version (``14.38.33130``; it has four parts) that the resources of a whole file tell, "" where they tell none.

    Source: Microsoft, "VS_FIXEDFILEINFO".
    """
    at = data.find(FIXED_FILE_INFO)
    if at < 0 or at + 16 > len(data):
        return ""
    high, low = struct.unpack_from("<II", data, at + 8)
    return ".".join(map(str, (high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF)[:parts]))


def _parse(read: Read) -> Pe:
    start = read(0, 64)
    if start[:2] != b"MZ":
        raise PeError("not a Windows program or library")
    (at,) = struct.unpack_from("<I", start, 0x3C)
    head = read(at, 24)
    if head[:4] != b"PE\0\0":
        raise PeError("not a PE file")
    machine, count, _, _, _, size, _ = struct.unpack_from("<HHIIIHH", head, 4)
    if count > MAX_SECTIONS:
        raise PeError("too many sections")
    optional = read(at + 24, size)
    directories = _directories(optional)
    table = read(at + 24 + size, count * SECTION_SIZE)
    sections = [struct.unpack_from("<IIII", table, number * SECTION_SIZE + 8) for number in range(count)]
    return Pe(
        linker=f"{optional[2]}.{optional[3]}",
        machine=MACHINES.get(machine, f"pe-machine-{machine:#06x}"),
        imports=_names(read, sections, directories.get(IMPORTS, 0), IMPORT_SIZE, 12),
        delayed=_names(read, sections, directories.get(DELAYED, 0), DELAY_SIZE, 4),
    )


def _directories(optional: bytes) -> dict[int, int]:
    """The addresses of the data directory's entries that are there."""
    (magic,) = struct.unpack_from("<H", optional)
    if magic not in {PE32, PE32_PLUS}:
        raise PeError("neither PE32 nor PE32+")
    first = 96 if magic == PE32 else 112
    (count,) = struct.unpack_from("<I", optional, first - 4)
    found = {}
    for number in (IMPORTS, DELAYED):
        if number < count and first + 8 * number + 8 <= len(optional):
            (address,) = struct.unpack_from("<I", optional, first + 8 * number)
            found[number] = address
    return found


def _names(read: Read, sections: list[tuple[int, ...]], address: int, size: int, name_at: int) -> tuple[str, ...]:
    """The DLL names of a directory table, which an empty entry ends."""
    if not address:
        return ()
    start = _offset(sections, address)
    found: list[str] = []
    for number in range(MAX_IMPORTS):
        entry = read(start + number * size, size)
        if len(entry) < size or not any(entry):
            return tuple(dict.fromkeys(found))
        (name,) = struct.unpack_from("<I", entry, name_at)
        if not name:
            return tuple(dict.fromkeys(found))
        text = read(_offset(sections, name), MAX_NAME).split(b"\0", 1)[0]
        found.append(text.decode("ascii", "replace"))
    raise PeError("too many imports")


def _offset(sections: list[tuple[int, ...]], address: int) -> int:
    """Where an address of memory lies in the file; raises ``PeError`` for one outside of it."""
    for virtual, base, raw, start in sections:
        if base <= address < base + max(virtual, raw):
            inside = address - base
            if inside >= raw:
                break
            return start + inside
    raise PeError("a table lies outside the file")
