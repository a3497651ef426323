"""The processor, from recorded texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import cpu
from provisioner.host import Completed
from tests.facts.fake_reader import FakeReader

V3 = "fpu lm cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"


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
    machine = FakeReader(platform="win32", python="py.exe", env={"NUMBER_OF_PROCESSORS": "4"}, commands={("py.exe",): "39 40 x 99\n"})
    assert cpu.probe(machine, "x86_64", {}).features.value == ("avx", "avx2")
    failed = Completed(argv=(), code=1, out="", err="", seconds=0)
    machine = FakeReader(platform="win32", python="py.exe", commands={("py.exe",): failed})
    assert cpu.probe(machine, "x86_64", {}).features.status == "unknown"


@given(st.text())
def test_parsers_never_crash(text: str) -> None:
    cpu.parse_cpuinfo(text)
    assert cpu.parse_online(text) >= 0
