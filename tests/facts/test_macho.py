"""Files of macOS, made here and cut anywhere; those of real wheels are held in ``tests/diagnose/macos``."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import macho
from provisioner.facts.macho import MachoError, Part, parse, read_macho
from tests.facts.fake_reader import FakeReader

CPUS = {name: number for number, name in macho.MACHINES.items()}


def part(architecture: str = "aarch64", macos: str = "12.0", needed: Sequence[str] = (), rpaths: Sequence[str] = ()) -> Part:
    return Part(architecture=architecture, macos=macos, needed=tuple(needed), rpaths=tuple(rpaths), end=0)


def _texts(command: int, fixed: int, names: Sequence[str]) -> list[bytes]:
    """Commands whose text stands after ``fixed`` bytes, filled up to eight."""
    padded = [name.encode() + b"\0" * (8 - len(name) % 8) for name in names]
    return [struct.pack("<III", command, fixed + len(text), fixed) + bytes(fixed - 12) + text for text in padded]


def thin(item: Part, *, body: int = 64, old: bool = False) -> bytes:
    """The bytes of one architecture's file, with a segment of ``body`` bytes; ``old``: its version in the command of before 2018."""
    major, minor = map(int, item.macos.split("."))
    number = major << 16 | minor << 8
    commands = [struct.pack("<IIII", 0x24, 16, number, 0) if old else struct.pack("<IIIIII", 0x32, 24, 1, number, 0, 0)]
    commands += _texts(0xC, 24, item.needed) + _texts(0x8000001C, 12, item.rpaths)
    size = sum(map(len, commands)) + 72
    end = 32 + size + body
    commands.append(struct.pack("<II16sQQQQIIII", 0x19, 72, b"__TEXT", 0, end, 0, end, 5, 5, 0, 0))
    head = struct.pack("<IIIIIIII", 0xFEEDFACF, CPUS[item.architecture], 0, 6, len(commands), size, 0, 0)
    return head + b"".join(commands) + bytes(body)


def made(parts: Sequence[Part]) -> bytes:
    """The bytes of a file; of several architectures behind a table, each at a page's start."""
    if len(parts) == 1:
        return thin(parts[0])
    table, data, page = b"", b"", 1 << 12
    for item in parts:
        one = thin(item)
        table += struct.pack(">IIIII", CPUS[item.architecture], 0, page + len(data), len(one), 12)
        data += one + bytes(-len(one) % page)
    head = struct.pack(">II", 0xCAFEBABE, len(parts)) + table
    return head + bytes(page - len(head)) + data


def read(data: bytes) -> tuple[Part, ...]:
    return read_macho(FakeReader({"/x.so": data}), "/x.so")


LIBRARIES = ("@rpath/libtensorflow_framework.2.dylib", "/usr/lib/libSystem.B.dylib")
RPATHS = ("@loader_path/", "@loader_path/..")


@pytest.mark.parametrize("parts", [[part(needed=LIBRARIES, rpaths=RPATHS)], [part("x86_64", "10.15", LIBRARIES), part(macos="11.0")]])
def test_what_a_file_asks_for(parts: list[Part]) -> None:
    found = read(made(parts))
    assert [(item.architecture, item.macos, item.needed, item.rpaths) for item in found] == [
        (item.architecture, item.macos, item.needed, item.rpaths) for item in parts
    ]
    assert all(0 < item.end <= len(made(parts)) for item in found)


def test_the_version_as_it_was_said_before_2018() -> None:
    assert read(thin(part("x86_64", "10.9"), old=True))[0].macos == "10.9"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF" + bytes(60),
        # A class file of Java 8, which begins as a file for several architectures does.
        b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(60),
        thin(part(needed=LIBRARIES))[:100],
        thin(part())[:-1],
        made([part(), part("x86_64")])[:-5000],
    ],
    ids=["empty", "of Linux", "of Java", "cut in its commands", "cut at its end", "cut in its second part"],
)
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(MachoError):
        read(data)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_nothing_else_is_raised(noise: bytes, at: int) -> None:
    data = made([part(needed=LIBRARIES, rpaths=RPATHS)])
    mixed = data[:at] + noise + data[at + len(noise) :]
    with contextlib.suppress(MachoError):
        parse(lambda offset, size: mixed[offset : offset + size])
