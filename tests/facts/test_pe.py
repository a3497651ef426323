"""Windows' files: one made here by the format's own rules, damaged ones, and real ones of a small wheel."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.facts.pe import Pe, PeError, parse, read_pe
from tests.facts.fake_reader import FakeReader

BASE, START = 0x1000, 0x400


def made(imports: list[str], delayed: list[str], *, machine: int = 0x8664, plus: bool = True) -> bytes:
    """A PE file with one section that holds both tables."""
    names = b"".join(name.encode() + b"\0" for name in [*imports, *delayed])
    tables = 20 * (len(imports) + 1) + 32 * (len(delayed) + 1)
    places, at = [], BASE + tables
    for name in [*imports, *delayed]:
        places.append(at)
        at += len(name) + 1
    first = b"".join(struct.pack("<5I", 1, 0, 0, place, 1) for place in places[: len(imports)]) + bytes(20)
    second = b"".join(struct.pack("<8I", 1, place, *[1] * 6) for place in places[len(imports) :]) + bytes(32)
    section = first + second + names
    fixed = 112 if plus else 96
    directories = bytearray(16 * 8)
    struct.pack_into("<II", directories, 8, BASE if imports else 0, len(first))
    struct.pack_into("<II", directories, 13 * 8, BASE + len(first) if delayed else 0, len(second))
    optional = struct.pack("<HBB", 0x20B if plus else 0x10B, 14, 29).ljust(fixed - 4, b"\0") + struct.pack("<I", 16) + directories
    coff = struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, len(optional), 0)
    header = b".rdata\0\0" + struct.pack("<IIII", len(section), BASE, len(section), START) + bytes(16)
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 64) + b"PE\0\0" + coff + optional + header
    return head.ljust(START, b"\0") + section


def reading(data: bytes):
    return parse(lambda offset, size: data[offset : offset + size])


@pytest.mark.parametrize("plus", [True, False])
def test_imports_and_delayed_imports(plus: bool) -> None:
    pe = reading(made(["KERNEL32.dll", "MSVCP140.dll", "KERNEL32.dll"], ["nvcuda.dll"], plus=plus))
    assert pe == Pe(machine="x86_64", linker="14.29", imports=("KERNEL32.dll", "MSVCP140.dll"), delayed=("nvcuda.dll",))


def test_a_file_without_imports_and_of_another_machine() -> None:
    assert reading(made([], [], machine=0xAA64)) == Pe(machine="aarch64", linker="14.29", imports=(), delayed=())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a Windows program"),
        (b"\x7fELF" + bytes(100), "not a Windows program"),
        (b"MZ", "damaged"),
        (b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 1 << 31), "not a PE file"),
        (made(["a.dll"], [])[:200], "damaged"),
        (made(["a.dll"], []).replace(struct.pack("<I", BASE + 40 + 32), struct.pack("<I", 0x7FFFFFFF)), "outside"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(PeError, match=words):
        read_pe(FakeReader({"/x": data}), "/x")


def test_an_endless_table_ends() -> None:
    data = made(["a.dll"] * 3000, [])
    with pytest.raises(PeError, match="too many"):
        reading(data)


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_files_are_refused_or_read(data: st.DataObject) -> None:
    changed = bytearray(made(["KERNEL32.dll", "python311.dll"], ["nvcuda.dll"]))
    for _ in range(data.draw(st.integers(1, 16))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PeError):
        assert isinstance(reading(bytes(changed[: data.draw(st.integers(0, len(changed)))])), Pe)


@given(st.binary(max_size=2000))
def test_anything_may_be_behind_the_first_letters(rest: bytes) -> None:
    with contextlib.suppress(PeError):
        reading(b"MZ" + rest)


@pytest.mark.real
def test_the_extension_module_of_a_real_wheel(tmp_path: Path) -> None:
    argv = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--only-binary=:all:",
        "--platform",
        "win_amd64",
        "--python-version",
        "3.11",
    ]
    subprocess.run([*argv, "-d", tmp_path, "ml-dtypes==0.3.2"], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("_ml_dtypes_ext.cp311-win_amd64.pyd")]
        pe = reading(archive.read(name))
    assert pe.machine == "x86_64"
    assert {"python311.dll", "msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll"} <= {item.lower() for item in pe.imports}
