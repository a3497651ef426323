"""The facts as text."""

from __future__ import annotations

import dataclasses

from provisioner.model.facts import Cpu, Disk, Driver, Fact, Facts, Gpu, Interpreter, Libc, System, Volume, absent, known, unknown
from provisioner.report.facts_text import facts_text, size

SYSTEM = System(
    os=known("linux", "python"),
    version=absent("", "Linux has none"),
    distribution=unknown("/etc/os-release", "/etc/os-release cannot be read: permission denied"),
    kernel=known("6.1", "/proc"),
    wsl=absent("", "no"),
    container=absent("", "no"),
    libc=known(Libc(kind="glibc", version="2.36"), "libc.so.6"),
    architecture=known("x86_64", "/proc"),
    process_architecture=known("i686", "ELF"),
    translated=absent("", "no"),
)
CARD = Gpu(
    index=0,
    name="NVIDIA A100",
    compute_capability=known("8.0", "NVML"),
    memory=known(40 << 30, "NVML"),
    mig=known("enabled", "NVML"),
    mig_devices=("MIG 1g.5gb",),
)
PYTHON = Interpreter(
    path="/usr/bin/python3.11", version="3.11.2", bits=64, architecture="x86_64", implementation="cpython", origin="system", managed=True
)
VOLUME = known(Volume(path="/home", free=5 << 30, free_inodes=1, writable=False, filesystem="ext4"), "statvfs /home")
FACTS = Facts(
    system=SYSTEM,
    cpu=Cpu(model=known("Xeon", ""), cores=known(2, ""), features=known(("avx", "mmx"), "/proc/cpuinfo"), level=known("x86-64-v1", "")),
    gpus=known((CARD, dataclasses.replace(CARD, index=1, mig=absent("", ""), memory=unknown("NVML", "not told"))), "NVML"),
    pci_gpus=absent("/sys", "no bus"),
    driver=Driver(
        release=known("550.54.14", "NVML"),
        cuda=known("12.4", "NVML"),
        kernel_module=absent("", ""),
        devices=absent("", "none"),
        problem="it is broken",
    ),
    toolkits=unknown("", "not asked for a plan"),
    libraries=unknown("", "not asked for a plan"),
    interpreters=Fact(status="known", value=(PYTHON,), source="asked", why="/x/python3 was left out: it hangs"),
    conda_tools=absent("PATH", "no conda"),
    disk=Disk(environment=VOLUME, cache=VOLUME, hard_links=known(False, "")),
    variables={"LD_LIBRARY_PATH": "/a\x1b[31m\n/b", "A_VERY_LONG_NAME_OF_A_VARIABLE": "1"},
)


def test_what_is_there_and_why_something_is_not() -> None:
    text = facts_text(FACTS, verbose=False)
    for words in (
        "Distribution       could not tell: /etc/os-release cannot be read: permission denied",
        "C library          glibc 2.36",
        "This Python's      i686",
        "0: NVIDIA A100, compute capability 8.0, 40.0 GiB, MIG on: MIG 1g.5gb",
        "1: NVIDIA A100, compute capability 8.0, memory could not tell: not told",
        "Problem            it is broken",
        "Driver's CUDA      up to 12.4",
        "3.11.2   /usr/bin/python3.11 (system, 64-bit, x86_64, managed by the system)",
        "note: /x/python3 was left out: it hangs",
        "5.4 GB free at /home (ext4), not writable",
        "do not work between the two",
        "Conda tools        none: no conda",
    ):
        assert words in text
    assert "mmx" not in text
    assert "[NVML]" not in text


def test_verbose_adds_sources_and_all_features() -> None:
    text = facts_text(FACTS, verbose=True)
    assert "550.54.14  [NVML]" in text
    assert "avx mmx" in text
    assert "none: Linux has none" in text


def test_control_characters_cannot_reach_the_terminal() -> None:
    text = facts_text(FACTS, verbose=False)
    assert "\x1b" not in text
    assert "/a?[31m?/b" in text


def test_size() -> None:
    assert [size(number) for number in (0, 1023, 1024, 5 << 20, 3 << 40, 5 << 50)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "5.0 MiB",
        "3.0 TiB",
        "5120.0 TiB",
    ]


def test_an_emulator_is_named_where_there_is_one() -> None:
    translated = known(True, "/proc/sys/kernel/arch")
    container = dataclasses.replace(FACTS, system=dataclasses.replace(SYSTEM, translated=translated))
    assert "Translated         yes: this Python runs under an emulator, for the processor is of another kind" in facts_text(
        container, verbose=False
    )
    mac = dataclasses.replace(FACTS, system=dataclasses.replace(SYSTEM, os=known("macos", "python"), translated=translated))
    assert "an emulator (Rosetta)" in facts_text(mac, verbose=False)
    assert "Translated" not in facts_text(FACTS, verbose=False)
