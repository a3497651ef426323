"""What a library or program of macOS (Mach-O) asks of the loader: its architectures, the libraries it needs, the oldest macOS it runs on.

Source: Apple's `mach-o/loader.h` and `mach-o/fat.h`; dyld(1) on ``@rpath``, ``@loader_path`` and ``@executable_path``. All of it stands at the
start of the file (of each architecture's part, in one that holds several), so little of a large file is read.

Read here and not with `macholib` (1.16.3, well kept): that wants to open the file itself, while everything goes through the port. Both were held
against each other on the native files of two sets for macOS (``tests/diagnose/macos``): the same answers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from provisioner.host import Reader
from provisioner.model.record import record

MACHINES = {7: "i686", 0x01000007: "x86_64", 12: "armv7l", 0x0100000C: "aarch64"}
FAT, FAT_64 = 0xCAFEBABE, 0xCAFEBABF
# Little-endian, as on every Mac that TensorFlow has wheels for: the size of the header by its magic number.
THIN = {0xFEEDFACE: 28, 0xFEEDFACF: 32}
SEGMENT, SEGMENT_64, VERSION_MIN, BUILD_VERSION, RPATH = 0x1, 0x19, 0x24, 0x32, 0x8000001C
# LC_LOAD_DYLIB, LC_REEXPORT_DYLIB, LC_LOAD_UPWARD_DYLIB; without a weak one (LC_LOAD_WEAK_DYLIB) dyld goes on.
LOAD = frozenset({0xC, 0x8000001F, 0x80000023})
MACOS = 1
# Java's class files begin as a fat file does; their version, which stands where the count does, is 45 and more.
MAX_PARTS = 30
MAX_COMMANDS = 1 << 20

Read = Callable[[int, int], bytes]


class MachoError(ValueError):
    """Not a Mach-O file, or a damaged one."""


@record
class Part:
    """One architecture of a file: ``architecture`` as in ``model.facts.System``; ``macos`` as ``12.0``, "" where it says none.

    ``needed`` and ``rpaths`` as they are written (``@rpath/libtensorflow_framework.2.dylib``). ``end``: bytes that the file must have.
    """

    architecture: str
    macos: str
    needed: tuple[str, ...]
    rpaths: tuple[str, ...]
    end: int


def parse(read: Read) -> tuple[Part, ...]:
    """Read a file by ``read(offset, size)``, which gives fewer bytes at the end. Raises ``MachoError``."""
    try:
        return tuple(_part(read, at) for at in starts(read))
    except (struct.error, IndexError):
        raise MachoError("a damaged Mach-O file") from None


def read_macho(reader: Reader, path: str) -> tuple[Part, ...]:
    """Read the file at ``path``. Raises ``MachoError`` and ``OSError``."""
    parts = parse(lambda offset, size: reader.read_bytes(path, size, offset))
    if any(part.end > reader.entry(reader.real(path)).size for part in parts):
        raise MachoError("the file is too short")
    return parts


def starts(read: Read) -> tuple[int, ...]:
    """Where each architecture's part begins: of a fat file by its table (big-endian), else the start."""
    magic, count = struct.unpack(">II", read(0, 8))
    if magic not in {FAT, FAT_64}:
        return (0,)
    if not 0 < count <= MAX_PARTS:
        raise MachoError("not a Mach-O file")
    form = struct.Struct(">IIIII" if magic == FAT else ">IIQQII")
    return tuple(entry[2] for entry in form.iter_unpack(read(8, form.size * count)))


def _part(read: Read, at: int) -> Part:
    magic, machine = struct.unpack("<II", read(at, 8))
    if magic not in THIN:
        raise MachoError("not a Mach-O file")
    count, size = struct.unpack("<II", read(at + 16, 8))
    if size > MAX_COMMANDS:
        raise MachoError("too many load commands")
    data = read(at + THIN[magic], size)
    if len(data) < size:
        raise MachoError("the file is too short")
    macos, needed, rpaths, end, place = "", [], [], at, 0
    for _ in range(count):
        command, length = struct.unpack_from("<II", data, place)
        body = data[place : place + length]
        if length < 8:  # noqa: PLR2004 - the two numbers themselves
            raise MachoError("a damaged Mach-O file")
        if command in LOAD:
            needed.append(_text(body))
        elif command == RPATH:
            rpaths.append(_text(body))
        elif command in {SEGMENT, SEGMENT_64}:
            start, held = struct.unpack_from("<II", body, 32) if command == SEGMENT else struct.unpack_from("<QQ", body, 40)
            end = max(end, at + start + held)
        elif command == VERSION_MIN or (command == BUILD_VERSION and struct.unpack_from("<I", body, 8)[0] == MACOS):
            macos = _version(struct.unpack_from("<I", body, 8 if command == VERSION_MIN else 12)[0])
        place += length
    return Part(architecture=MACHINES.get(machine, f"mach-cpu-{machine}"), macos=macos, needed=tuple(needed), rpaths=tuple(rpaths), end=end)


def _text(body: bytes) -> str:
    """The text of a command, whose place in it is its third number."""
    (at,) = struct.unpack_from("<I", body, 8)
    return body[at:].split(b"\0", 1)[0].decode("utf-8", "replace")


def _version(number: int) -> str:
    """``xxxx.yy.zz`` in 32 bits, without the last."""
    return f"{number >> 16}.{number >> 8 & 255}"
