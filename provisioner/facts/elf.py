"""Reads what the tool needs of an ELF file: its architecture, its loader, its soname.

Source: System V ABI, "Object Files" and "Dynamic Linking" (gabi 4.1); machine numbers from the ELF registry.
"""

from __future__ import annotations

import struct

from provisioner.host import Reader
from provisioner.model.record import record

MAGIC = b"\x7fELF"
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_STRTAB, DT_SONAME = 0, 5, 14
MAX_SEGMENTS = 512
MAX_DYNAMIC = 1 << 16
MAX_NAME = 4096
MACHINES = {
    (3, 32): "i686",
    (8, 32): "mips",
    (21, 64): "ppc64le",
    (22, 64): "s390x",
    (40, 32): "armv7l",
    (62, 64): "x86_64",
    (62, 32): "x32",
    (183, 64): "aarch64",
    (243, 64): "riscv64",
    (258, 64): "loongarch64",
}


class ElfError(ValueError):
    """Not an ELF file, or a damaged one."""


@record
class Header:
    """The file header: ``bits`` is 32 or 64, ``architecture`` as in ``model.facts.System``."""

    bits: int
    little: bool
    architecture: str
    segments: tuple[int, int, int]


@record
class Elf:
    """An ELF file: ``loader`` is the program interpreter (empty in libraries and static programs), ``soname`` may be empty."""

    header: Header
    loader: str
    soname: str


def parse_header(data: bytes) -> Header:
    """Read the first 64 bytes of a file. Raises ``ElfError``."""
    if data[:4] != MAGIC:
        raise ElfError("not an ELF file")
    try:
        bits = {1: 32, 2: 64}[data[4]]
        little = {1: True, 2: False}[data[5]]
        order = "<" if little else ">"
        (machine,) = struct.unpack_from(order + "H", data, 18)
        offset_at, size_at = (28, 42) if bits == 32 else (32, 54)  # noqa: PLR2004 - bits
        (offset,) = struct.unpack_from(order + ("I" if bits == 32 else "Q"), data, offset_at)  # noqa: PLR2004 - bits
        size, count = struct.unpack_from(order + "HH", data, size_at)
    except (KeyError, IndexError, struct.error):
        raise ElfError("a damaged ELF header") from None
    architecture = MACHINES.get((machine, bits), f"elf-machine-{machine}")
    return Header(bits=bits, little=little, architecture=architecture, segments=(offset, size, count))


def header(host: Reader, path: str) -> Header:
    """The header of the file at ``path``. Raises ``ElfError`` and ``OSError``."""
    return parse_header(host.read_bytes(path, 64))


def read_elf(host: Reader, path: str) -> Elf:
    """Header, loader and soname of the file at ``path``. Raises ``ElfError`` and ``OSError``."""
    head = header(host, path)
    try:
        parts = segments(host, path, head)
        loader = next(
            (_text(host.read_bytes(path, min(size, MAX_NAME), offset)) for kind, offset, _, size in parts if kind == PT_INTERP), ""
        )
        return Elf(header=head, loader=loader, soname=_soname(host, path, head, parts))
    except (struct.error, OverflowError):
        raise ElfError("a damaged ELF file") from None


def segments(host: Reader, path: str, head: Header) -> list[tuple[int, int, int, int]]:
    """Each segment as (type, offset in the file, address, size in the file)."""
    offset, size, count = head.segments
    if count > MAX_SEGMENTS:
        raise ElfError("too many segments")
    data = host.read_bytes(path, size * count, offset)
    order = "<" if head.little else ">"
    found = []
    for number in range(count):
        at = number * size
        if head.bits == 64:  # noqa: PLR2004 - bits
            kind, _, start, address, _, length = struct.unpack_from(order + "IIQQQQ", data, at)
        else:
            kind, start, address, _, length = struct.unpack_from(order + "IIIII", data, at)
        found.append((kind, start, address, length))
    return found


def _soname(host: Reader, path: str, head: Header, segments: list[tuple[int, int, int, int]]) -> str:
    dynamic = next(((start, size) for kind, start, _, size in segments if kind == PT_DYNAMIC), None)
    if dynamic is None:
        return ""
    data = host.read_bytes(path, min(dynamic[1], MAX_DYNAMIC), dynamic[0])
    form = ("<" if head.little else ">") + ("qQ" if head.bits == 64 else "iI")  # noqa: PLR2004 - bits
    table, name = None, None
    for at in range(0, len(data) - struct.calcsize(form) + 1, struct.calcsize(form)):
        tag, value = struct.unpack_from(form, data, at)
        if tag == DT_NULL:
            break
        table = value if tag == DT_STRTAB else table
        name = value if tag == DT_SONAME else name
    if table is None or name is None:
        return ""
    for kind, start, address, size in segments:
        if kind == PT_LOAD and address <= table < address + size:
            return _text(host.read_bytes(path, MAX_NAME, start + table - address + name))
    return ""


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "replace")
