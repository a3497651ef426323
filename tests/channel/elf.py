"""Changes where a 64-bit ELF file looks for its libraries, in place."""

from __future__ import annotations

import struct

LOAD, DYNAMIC = 1, 2
STRTAB, RPATH, RUNPATH = 5, 15, 29


def set_run_path(data: bytes, new: str) -> bytes:
    """Replace the run path that a file has, by one that is not longer; a file without one stays as it is."""
    found = run_path_at(data)
    if found is None:
        return data
    start, end = found
    if len(new) > end - start:
        raise ValueError(f"{new} is longer than {data[start:end].decode()}")
    return data[:start] + new.encode().ljust(end - start, b"\0") + data[end:]


def run_path(data: bytes) -> str:
    """Return the run path of a file, or ""."""
    found = run_path_at(data)
    return data[found[0] : found[1]].decode() if found else ""


def run_path_at(data: bytes) -> tuple[int, int] | None:
    """Return from where to where in the file the run path stands."""
    segments = program_headers(data)
    entries: dict[int, int] = {}
    for kind, offset, _, size in segments:
        if kind == DYNAMIC:
            entries.update(struct.iter_unpack("<qQ", data[offset : offset + size - size % 16]))
    name = entries.get(RUNPATH, entries.get(RPATH))
    if name is None:
        return None
    for kind, offset, address, size in segments:
        if kind == LOAD and address <= entries[STRTAB] < address + size:
            start = entries[STRTAB] - address + offset + name
            return start, data.index(b"\0", start)
    return None


def program_headers(data: bytes) -> list[tuple[int, int, int, int]]:
    """Return kind, offset, address and size in the file of each segment."""
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    found = []
    for number in range(count):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", data, start + number * size)
        found.append((kind, offset, address, length))
    return found
