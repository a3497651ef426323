"""The dynamic loader's cache: which libraries it finds by name alone, read without running ``ldconfig``."""

from __future__ import annotations

import struct

from provisioner.host import Reader
from provisioner.host.files import FAULTS

PATH = "/etc/ld.so.cache"
# glibc, sysdeps/generic/dl-cache.h: struct cache_file_new (48 bytes) and struct file_entry_new (24 bytes).
MAGIC = b"glibc-ld.so.cache1.1"
HEADER, ENTRY = 48, 24
LIMIT = 16 << 20
MAX_ENTRIES = 1 << 17
BIG_ENDIAN = 3


def parse(data: bytes, starts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The (name, path) pairs of ``/etc/ld.so.cache`` whose name starts with one of ``starts``; none when it is no such cache.

    Caches written for old systems begin with an older table; the new one follows it and its offsets count from its own start.
    """
    start = data.find(MAGIC)
    if start < 0 or not any(name.encode() in data for name in starts):
        return ()
    data = data[start:]
    try:
        order = ">" if data[28] & 3 == BIG_ENDIAN else "<"
        (count,) = struct.unpack_from(order + "I", data, len(MAGIC))
        found = []
        for number in range(min(count, MAX_ENTRIES)):
            _, key, value = struct.unpack_from(order + "iII", data, HEADER + number * ENTRY)
            name = _text(data, key)
            if name.startswith(starts):
                found.append((name, _text(data, value)))
        return tuple(dict.fromkeys(found))
    except (struct.error, IndexError):
        return ()


def _text(data: bytes, at: int) -> str:
    end = data.find(b"\0", at)
    return data[at : end if end >= 0 else at].decode("utf-8", "replace")


def find(host: Reader, *starts: str) -> tuple[tuple[str, str], ...]:
    """What the loader's cache of this machine holds under names that start so; none where there is no cache (musl, macOS, NixOS)."""
    try:
        return parse(host.read_bytes(PATH, LIMIT), starts)
    except FAULTS:
        return ()
