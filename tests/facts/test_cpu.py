"""The processor, from recorded texts."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import cpu
from provisioner.host import Completed
from tests.facts.fake_reader import FakeReader

V3 = "fpu lm cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"


def program(machine: int, loader: str) -> bytes:
    """The start of an ELF program of 64 bits that names its loader."""
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    name = loader.encode() + b"\0"
    return header + struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(name), len(name), 1) + name


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        (V3, "x86-64-v3"),
        (V3 + " avx512f avx512bw avx512cd avx512dq avx512vl", "x86-64-v4"),
        ("fpu lm cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3", "x86-64-v2"),
        ("fpu lm", "x86-64-v1"),
        ("fpu lm avx avx2 fma", "x86-64-v1"),
    ],
)
def test_levels(flags: str, level: str) -> None:
    machine = FakeReader(
        {"/proc/cpuinfo": f"processor\t: 0\nmodel name\t: Xeon\nflags\t\t: {flags}\n\nprocessor\t: 1\n", cpu.ONLINE: "0-7,16-23\n"}
    )
    found = cpu.probe(machine, "x86_64", {})
    assert (found.level.value, found.cores.value, found.model.value) == (level, 16, "Xeon")


def test_arm_has_no_level() -> None:
    text = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd evtstrm sve\nCPU architecture: 8\n"
    found = cpu.probe(FakeReader({"/proc/cpuinfo": text}), "aarch64", {})
    assert found.features.value == ("asimd", "evtstrm", "fp", "sve")
    assert (found.level.status, found.model.status, found.cores.status) == ("absent", "absent", "unknown")


# What glibc 2.36 prints under qemu 7.2; its processors, newest first: max, Nehalem, qemu64.
HWCAPS = """Subdirectories of glibc-hwcaps directories, in priority order:
  x86-64-v4
  x86-64-v3{}
  x86-64-v2{}

Legacy HWCAP subdirectories under library search path directories:
  x86_64 (AT_PLATFORM; supported, searched)
"""
YES = " (supported, searched)"
ARM_INFO = "processor\t: 0\nFeatures\t: fp asimd\nCPU architecture: 8\n"
X86_INFO = "processor\t: 0\nmodel name\t: Xeon\nflags\t\t: fpu lm avx\n"


@pytest.mark.parametrize(
    ("said", "level", "avx"),
    [
        (HWCAPS.format(YES, YES), "x86-64-v3", True),
        (HWCAPS.format("", YES), "x86-64-v2", False),
        (HWCAPS.format("", ""), "x86-64-v1", False),
        ("Usage: ld.so [OPTION]... EXECUTABLE-FILE [ARGS-FOR-PROGRAM...]\n", None, None),
    ],
)
def test_an_emulator_for_x86_64_is_asked_through_the_loader(said: str, level: str | None, avx: bool | None) -> None:
    loader = "/lib64/ld-linux-x86-64.so.2"
    python = program(62, loader)
    machine = FakeReader({"/proc/cpuinfo": ARM_INFO, "/usr/bin/python3": python, loader: ""}, commands={(loader, "--help"): said})
    found = cpu.probe(machine, "x86_64", {})
    assert (found.level.value, found.model.status) == (level, "absent")
    assert (None if found.features.value is None else "avx" in found.features.value) == avx


def test_an_emulator_for_arm_does_not_say_what_it_has() -> None:
    found = cpu.probe(FakeReader({"/proc/cpuinfo": X86_INFO}), "aarch64", {})
    assert (found.model.status, found.features.status, found.level.status) == ("absent", "unknown", "absent")
    assert "is that of the x86_64 processor" in found.features.why
    # qemu 8.2 and later show their own.
    assert cpu.probe(FakeReader({"/proc/cpuinfo": ARM_INFO}), "aarch64", {}).features.value == ("asimd", "fp")


def test_unreadable() -> None:
    found = cpu.probe(FakeReader({"/proc/cpuinfo": PermissionError(13, "Permission denied")}), "x86_64", {})
    assert found.features.status == found.level.status == "unknown"
    assert "permission denied" in found.features.why


def test_intel_mac() -> None:
    values = {
        "machdep.cpu.brand_string": "Intel(R) Core(TM) i7",
        "hw.logicalcpu": "8",
        "machdep.cpu.features": "FPU SSE3 SSSE3 SSE4.1 SSE4.2 CX16 POPCNT AVX1.0 FMA F16C MOVBE XSAVE",
        "machdep.cpu.leaf7_features": "AVX2 BMI1 BMI2",
        "machdep.cpu.extfeatures": "LAHF LZCNT",
    }
    found = cpu.probe(FakeReader(platform="darwin"), "x86_64", values)
    assert (found.level.value, found.cores.value) == ("x86-64-v3", 8)


def test_windows_asks_the_kernel() -> None:
    machine = FakeReader(
        platform="win32", python="py.exe", env={"NUMBER_OF_PROCESSORS": "4"}, commands={("py.exe",): "39 40 x 99\n", ("reg",): ""}
    )
    assert cpu.probe(machine, "x86_64", {}).features.value == ("avx", "avx2")
    failed = Completed(argv=(), code=1, out="", err="", seconds=0)
    machine = FakeReader(platform="win32", python="py.exe", commands={("py.exe",): failed, ("reg",): ""})
    assert cpu.probe(machine, "x86_64", {}).features.status == "unknown"


@given(st.text())
def test_parsers_never_crash(text: str) -> None:
    cpu.parse_cpuinfo(text)
    assert cpu.parse_online(text) >= 0
