"""The processor: model, count, features, and its x86-64 level."""

from __future__ import annotations

import re
from collections.abc import Mapping

from provisioner.facts import libc, windows
from provisioner.host import Reader, files
from provisioner.model.facts import Cpu, Fact, absent, known, unknown

CPUINFO = "/proc/cpuinfo"
ONLINE = "/sys/devices/system/cpu/online"
# The first processor's block is enough, and the kernel takes long to write all blocks of a machine with many.
FIRST_BLOCK = 16 << 10

# System V ABI, x86-64 supplement, "micro-architecture levels", by the names Linux gives the features
# (``abm`` is LZCNT, ``pni`` is SSE3; OSXSAVE is not shown by Linux, ``xsave`` stands for it).
LEVELS = (
    ("x86-64-v2", frozenset({"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"})),
    ("x86-64-v3", frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"})),
    ("x86-64-v4", frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})),
)

# Each has an emulator that shows its programs the other's ``/proc/cpuinfo``.
WIDE = frozenset({"x86_64", "aarch64"})

# macOS's names where they are not Linux's in lower case.
MAC_NAMES = {
    "avx1.0": "avx",
    "sse3": "pni",
    "sse4.1": "sse4_1",
    "sse4.2": "sse4_2",
    "lahf": "lahf_lm",
    "lzcnt": "abm",
    "supplementalsse3": "ssse3",
}

# winnt.h, PF_*_AVAILABLE: what IsProcessorFeaturePresent is asked for.
WINDOWS_FEATURES = {13: "pni", 36: "ssse3", 37: "sse4_1", 38: "sse4_2", 39: "avx", 40: "avx2", 41: "avx512f", 14: "cx16", 17: "xsave"}
PROCESSOR = r"HKLM\HARDWARE\DESCRIPTION\System\CentralProcessor\0"
WINDOWS_SCRIPT = (
    "import ctypes,sys;f=ctypes.windll.kernel32.IsProcessorFeaturePresent;print(' '.join(n for n in sys.argv[1:] if f(int(n))))"
)


def parse_cpuinfo(text: str) -> tuple[str, tuple[str, ...]]:
    r"""Read model and features of the first processor of ``/proc/cpuinfo``.

    x86 has ``model name : Intel(R) Xeon(R) Processor`` and ``flags : fpu vme … avx2``; ARM has ``Features : fp asimd …`` and often no name.

    >>> parse_cpuinfo("processor : 0\nmodel name : Xeon\nflags : fpu avx\n")
    ('Xeon', ('avx', 'fpu'))
    """
    model, features = "", ""
    for row in text.splitlines():
        name, _, value = row.partition(":")
        name = name.strip().lower()
        if name in {"model name", "model", "cpu model", "hardware"} and not model and not value.strip().isdecimal():
            model = value.strip()
        elif name in {"flags", "features"} and not features:
            features = value
        if features and not row.strip():
            break
    return model, tuple(sorted(set(features.lower().split())))


def parse_architecture(text: str) -> str:
    """The hardware's architecture by ``/proc/cpuinfo``: the flag ``lm`` is 64-bit x86, ``CPU architecture: 8`` 64-bit ARM; empty for others."""
    if re.search(r"^flags\s*:.*\blm\b", text, re.MULTILINE):
        return "x86_64"
    return "aarch64" if re.search(r"^CPU architecture\s*:\s*(8|AArch64)\b", text, re.MULTILINE) else ""


def parse_loader_levels(text: str) -> tuple[str, ...] | None:
    """The x86-64 levels that glibc's loader (2.33 and later) finds the processor to have; ``None`` when it names none at all.

    ::

        Subdirectories of glibc-hwcaps directories, in priority order:
          x86-64-v4
          x86-64-v3 (supported, searched)
          x86-64-v2 (supported, searched)
    """
    rows = re.findall(r"^ +(x86-64-v\d)( \(supported)?", text, re.MULTILINE)
    return tuple(name for name, supported in rows if supported) if rows else None


def parse_online(text: str) -> int:
    """Count the processors of a kernel list such as ``0-3,8-11``; 0 when it is not one."""
    count = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        try:
            count += int(last or first) - int(first) + 1
        except ValueError:
            return 0
    return max(count, 0)


def parse_mac_features(values: Mapping[str, str]) -> tuple[str, ...]:
    """Read the feature names that an Intel Mac gives (``AVX1.0 SSE4.2``) as Linux's names."""
    text = " ".join(values.get(name, "") for name in ("machdep.cpu.features", "machdep.cpu.leaf7_features", "machdep.cpu.extfeatures"))
    return tuple(sorted({MAC_NAMES.get(name, name) for name in text.lower().split()}))


def level(architecture: str | None, features: Fact[tuple[str, ...]]) -> Fact[str]:
    """The highest x86-64 level whose features are all there."""
    if architecture != "x86_64":
        return (
            absent(features.source, "levels are defined for x86-64 only") if architecture else unknown("", "the architecture is not known")
        )
    if features.value is None:
        return unknown(features.source, features.why)
    best = "x86-64-v1"
    for name, needed in LEVELS:
        if not needed <= set(features.value):
            break
        best = name
    return known(best, features.source)


def probe(host: Reader, architecture: str | None, mac: Mapping[str, str]) -> Cpu:
    """Look at the processor.

    1. Linux: the first block of ``/proc/cpuinfo``; the count from ``/sys/devices/system/cpu/online``. Where an emulator runs this Python and
       leaves the host's ``/proc/cpuinfo`` as it is: what the C library's loader, which runs under it too, finds.
    2. macOS: ``sysctl`` (asked once, see ``macos``).
    3. Windows: the registry's name, else the environment's PROCESSOR_IDENTIFIER, and the kernel's IsProcessorFeaturePresent in a child process.
    """
    if host.platform == "darwin":
        return _mac(architecture, mac)
    if host.platform == "win32":
        return _windows(host, architecture)
    read = files.read(host, CPUINFO, FIRST_BLOCK)
    if read.text is None:
        return _unknown(CPUINFO, read.why)
    name, flags = parse_cpuinfo(read.text)
    count = parse_online(files.line(host, ONLINE))
    cores = known(count, ONLINE) if count else unknown(ONLINE, f"{ONLINE} cannot be read")
    hardware = parse_architecture(read.text)
    if hardware and architecture in WIDE and architecture != hardware:
        found = _emulated(host, architecture, hardware)
        hidden: Fact[str] = absent(CPUINFO, f"an emulator stands before the processor, which is {hardware}")
        return Cpu(model=hidden, cores=cores, features=found, level=level(architecture, found))
    features: Fact[tuple[str, ...]] = known(flags, CPUINFO) if flags else unknown(CPUINFO, "the file names no features")
    return Cpu(
        model=known(name, CPUINFO) if name else absent(CPUINFO, "the kernel gives no model name"),
        cores=cores,
        features=features,
        level=level(architecture, features),
    )


def _emulated(host: Reader, architecture: str, hardware: str) -> Fact[tuple[str, ...]]:
    """The features of the processor that an emulator gives: for x86-64 those of the levels that glibc's loader finds it to have."""
    why = f"{CPUINFO} is that of the {hardware} processor under the emulator"
    loader = libc.own_loader(host) if architecture == "x86_64" else ""
    if not loader:
        return unknown(CPUINFO, why)
    try:
        levels = parse_loader_levels(host.run([loader, "--help"], timeout=10).out)
    except files.FAULTS as error:
        return unknown(loader, f"{why}; {files.reason(error)}")
    if levels is None:
        return unknown(loader, f"{why}, and the C library's loader names no levels")
    return known(tuple(sorted(set().union(*(needed for name, needed in LEVELS if name in levels)))), f"{loader} --help")


def _unknown(source: str, why: str) -> Cpu:
    return Cpu(model=unknown(source, why), cores=unknown(source, why), features=unknown(source, why), level=unknown(source, why))


def _mac(architecture: str | None, mac: Mapping[str, str]) -> Cpu:
    if not mac:
        return _unknown("sysctl", "sysctl did not answer")
    flags = parse_mac_features(mac)
    count = mac.get("hw.logicalcpu", "")
    features: Fact[tuple[str, ...]] = known(flags, "sysctl") if flags else absent("sysctl", "Apple silicon lists no x86 features")
    return Cpu(
        model=known(mac["machdep.cpu.brand_string"], "sysctl") if mac.get("machdep.cpu.brand_string") else unknown("sysctl", "not given"),
        cores=known(int(count), "sysctl") if count.isdecimal() else unknown("sysctl", "not given"),
        features=features,
        level=level(architecture, features),
    )


def _windows(host: Reader, architecture: str | None) -> Cpu:
    count = host.env.get("NUMBER_OF_PROCESSORS", "")
    name, told_by = (windows.query(host, PROCESSOR)[0] or {}).get("ProcessorNameString", ""), PROCESSOR
    if not name:
        name, told_by = host.env.get("PROCESSOR_IDENTIFIER", ""), "PROCESSOR_IDENTIFIER"
    source = "IsProcessorFeaturePresent"
    features: Fact[tuple[str, ...]]
    try:
        done = host.run([host.python, "-I", "-c", WINDOWS_SCRIPT, *map(str, WINDOWS_FEATURES)], timeout=10)
        numbers = [int(word) for word in done.out.split() if word.isdecimal()]
        features = known(tuple(sorted(WINDOWS_FEATURES[n] for n in numbers if n in WINDOWS_FEATURES)), source)
        if not done.ok:
            features = unknown(source, "the kernel could not be asked")
    except files.FAULTS as error:
        features = unknown(source, files.reason(error))
    return Cpu(
        model=known(" ".join(name.split()), told_by) if name else unknown("PROCESSOR_IDENTIFIER", "the variable is not set"),
        cores=known(int(count), "NUMBER_OF_PROCESSORS")
        if count.isdecimal()
        else unknown("NUMBER_OF_PROCESSORS", "the variable is not set"),
        features=features,
        # Windows names too few features to tell a level from.
        level=unknown(source, "Windows does not name all the features of a level")
        if architecture == "x86_64"
        else level(architecture, features),
    )
