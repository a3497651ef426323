"""What an ELF file asks of the loader: the libraries and symbol versions it needs, where it has them looked for, what it defines itself.

Sources: System V ABI (gabi 4.1), "Dynamic Linking"; Linux Standard Base, core, generic part, "Symbol Versioning" (Verneed, Vernaux, Verdef,
Verdaux). Only the dynamic segment is used, as the loader does it, so a file without section headers is read, too.
"""

from __future__ import annotations

import struct

from provisioner.facts.elf import (
    DT_NULL,
    DT_SONAME,
    DT_STRTAB,
    MAX_DYNAMIC,
    MAX_NAME,
    PT_DYNAMIC,
    PT_LOAD,
    ElfError,
    Header,
    header,
    segments,
)
from provisioner.host import Reader
from provisioner.model.record import record

DT_NEEDED, DT_RPATH, DT_RUNPATH = 1, 15, 29
DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
WEAK = 2
# libstdc++ defines about a hundred versions, in a table of four kilobytes.
MAX_TABLE = 1 << 16
MAX_ENTRIES = 4096
VERNEED, VERNAUX, VERDEF = struct.Struct("HHIII"), struct.Struct("IHHII"), struct.Struct("HHHHIII")


@record
class Links:
    """``needed``, ``rpath`` and ``runpath`` as they are written (with ``$ORIGIN``).

    ``requires``: symbol versions by library, without weak ones, whose absence the loader forgives; ``defines``: those that the file has.
    """

    header: Header
    soname: str
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...] | None
    requires: dict[str, tuple[str, ...]]
    defines: tuple[str, ...]


class _File:
    """The dynamic segment of one file: entries by tag, and text and tables by address."""

    def __init__(self, reader: Reader, path: str) -> None:
        self.reader, self.path = reader, path
        self.header = header(reader, path)
        self.order = "<" if self.header.little else ">"
        self.parts = segments(reader, path, self.header)
        size = reader.entry(reader.real(path)).size
        if any(kind == PT_LOAD and start + length > size for kind, start, _, length in self.parts):
            raise ElfError("the file is too short")
        self.entries = self._entries()

    def _entries(self) -> list[tuple[int, int]]:
        dynamic = next(((start, size) for kind, start, _, size in self.parts if kind == PT_DYNAMIC), None)
        if dynamic is None:
            return []
        form = struct.Struct(self.order + ("qQ" if self.header.bits == 64 else "iI"))  # noqa: PLR2004 - bits
        data = self.reader.read_bytes(self.path, min(dynamic[1], MAX_DYNAMIC), dynamic[0])
        found: list[tuple[int, int]] = []
        for tag, value in form.iter_unpack(data[: len(data) // form.size * form.size]):
            if tag == DT_NULL:
                break
            found.append((tag, value))
        return found

    def value(self, tag: int) -> int | None:
        return next((value for found, value in self.entries if found == tag), None)

    def text(self, offset: int) -> str:
        """The text at an offset of the string table."""
        table = self.value(DT_STRTAB)
        return self.at(table + offset, MAX_NAME).split(b"\0", 1)[0].decode("utf-8", "replace") if table is not None else ""

    def at(self, address: int, size: int) -> bytes:
        """Bytes at an address of memory."""
        for kind, start, base, length in self.parts:
            if kind == PT_LOAD and base <= address < base + length:
                return self.reader.read_bytes(self.path, min(size, base + length - address), start + address - base)
        raise ElfError("a table lies outside the file")

    def folders(self, tag: int) -> tuple[str, ...] | None:
        value = self.value(tag)
        return tuple(part for part in self.text(value).split(":") if part) if value is not None else None


def read_links(reader: Reader, path: str) -> Links:
    """Read the file at ``path``. Raises ``ElfError`` and ``OSError``."""
    try:
        file = _File(reader, path)
        soname = file.value(DT_SONAME)
        return Links(
            header=file.header,
            soname=file.text(soname) if soname is not None else "",
            needed=tuple(file.text(value) for tag, value in file.entries[:MAX_ENTRIES] if tag == DT_NEEDED),
            rpath=file.folders(DT_RPATH) or (),
            runpath=file.folders(DT_RUNPATH),
            requires=_requires(file),
            defines=_defines(file),
        )
    except (struct.error, OverflowError):
        raise ElfError("a damaged ELF file") from None


def _requires(file: _File) -> dict[str, tuple[str, ...]]:
    start, count = file.value(DT_VERNEED), file.value(DT_VERNEEDNUM)
    if start is None or not count:
        return {}
    table = file.at(start, MAX_TABLE)
    need, aux = struct.Struct(file.order + VERNEED.format), struct.Struct(file.order + VERNAUX.format)
    found: dict[str, tuple[str, ...]] = {}
    at = 0
    for _ in range(min(count, MAX_ENTRIES)):
        _, versions, name, first, after = need.unpack_from(table, at)
        names: list[str] = []
        inner = at + first
        for _ in range(min(versions, MAX_ENTRIES)):
            _, flags, _, text, onward = aux.unpack_from(table, inner)
            if not flags & WEAK:
                names.append(file.text(text))
            inner += onward
            if not onward:
                break
        library = file.text(name)
        found[library] = (*found.get(library, ()), *names)
        at += after
        if not after:
            break
    return found


def _defines(file: _File) -> tuple[str, ...]:
    start, count = file.value(DT_VERDEF), file.value(DT_VERDEFNUM)
    if start is None or not count:
        return ()
    table = file.at(start, MAX_TABLE)
    form = struct.Struct(file.order + VERDEF.format)
    found: list[str] = []
    at = 0
    for _ in range(min(count, MAX_ENTRIES)):
        _, _, _, _, _, first, after = form.unpack_from(table, at)
        (name,) = struct.unpack_from(file.order + "I", table, at + first)
        found.append(file.text(name))
        at += after
        if not after:
            break
    return tuple(found)
