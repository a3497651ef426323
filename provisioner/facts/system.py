"""The operating system: distribution, kernel, WSL, container, architecture. The C library is in ``libc``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from provisioner.facts import cpu, elf, libc, windows
from provisioner.host import Reader, files
from provisioner.model.facts import Distribution, Fact, System, absent, known, unknown

OS_NAMES = {"linux": "linux", "darwin": "macos", "win32": "windows"}
OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
KERNEL = "/proc/sys/kernel/osrelease"
ARCHITECTURE = "/proc/sys/kernel/arch"
SYSTEM_VERSION = "/System/Library/CoreServices/SystemVersion.plist"
WINDOWS_NAMES = {"AMD64": "x86_64", "ARM64": "aarch64", "x86": "i686"}
# Programs that other kernels than those of their own name run (arch/x86/Kconfig: IA32_EMULATION, X86_X32_ABI).
NATIVE = {"i686": ("i686", "x86_64"), "x32": ("x86_64",)}
MACHINE_NAMES = {"amd64": "x86_64", "arm64": "aarch64", "i386": "i686", "i586": "i686", "armv8l": "aarch64"}

# What each container engine leaves behind: a file, or a variable. Kubernetes and apptainer come first because they run on the others.
CONTAINER_VARIABLES = (
    ("KUBERNETES_SERVICE_HOST", "kubernetes"),
    ("APPTAINER_CONTAINER", "apptainer"),
    ("SINGULARITY_CONTAINER", "apptainer"),
)
CONTAINER_FILES = (("/.singularity.d", "apptainer"), ("/run/.containerenv", "podman"), ("/.dockerenv", "docker"))
CONTAINER_GROUPS = (("kubepods", "kubernetes"), ("docker", "docker"), ("libpod", "podman"), ("/lxc", "lxc"), ("lxc.payload", "lxc"))


def parse_os_release(text: str) -> Distribution | None:
    """Read ``/etc/os-release``; ``None`` when it names no distribution.

    ::

        PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
        ID=debian
        VERSION_ID="12"
        ID_LIKE="ubuntu debian"

    Source: os-release(5): shell-like assignments, quotes optional, ``ID`` defaults to ``linux``.
    """
    values: dict[str, str] = {}
    for row in text.splitlines():
        name, sign, value = row.strip().partition("=")
        if sign and not name.startswith("#"):
            values[name] = re.sub(r"\\(.)", r"\1", value.strip().strip("\"'"))
    name = values.get("ID", "")
    if not name and not values.get("NAME"):
        return None
    return Distribution(
        id=name.lower() or "linux",
        version=values.get("VERSION_ID", ""),
        name=values.get("PRETTY_NAME") or values.get("NAME", ""),
        like=tuple(values.get("ID_LIKE", "").lower().split()),
    )


def parse_wsl(kernel: str) -> str:
    """The WSL version by the kernel's release, empty outside WSL.

    WSL 1 has ``4.4.0-19041-Microsoft``, WSL 2 ``5.15.153.1-microsoft-standard-WSL2``.
    """
    if "wsl2" in kernel.lower() or "microsoft-standard" in kernel:
        return "2"
    return "1" if kernel.endswith("Microsoft") else ""


def parse_cgroup(text: str) -> str:
    """The engine that made the control groups of ``/proc/1/cgroup`` (``12:cpu:/docker/3f2a…``), empty when none did."""
    return next((name for mark, name in CONTAINER_GROUPS if mark in text), "")


def parse_plist_version(text: str) -> str:
    """The version of macOS in ``SystemVersion.plist``: ``<key>ProductVersion</key> <string>14.5</string>``."""
    found = re.search(r"<key>ProductVersion</key>\s*<string>([\d.]+)</string>", text)
    return found[1] if found else ""


def probe(host: Reader, mac: Mapping[str, str]) -> System:
    """Look at the system; each part's order is in its own function. ``mac`` is what ``macos.probe`` gave."""
    os = OS_NAMES.get(host.platform, host.platform)
    kernel = _kernel(host, mac)
    hardware, process, translated = _architectures(host, os, mac)
    return System(
        os=known(os, "the running Python"),
        version=_version(host, os, mac),
        distribution=_distribution(host, os),
        kernel=kernel,
        wsl=_wsl(host, os, kernel),
        container=_container(host, os),
        libc=libc.probe(host),
        architecture=hardware,
        process_architecture=process,
        translated=translated,
    )


def _version(host: Reader, os: str, mac: Mapping[str, str]) -> Fact[str]:
    """macOS: ``sysctl``, then the system's plist. Windows: the registry."""
    if os == "windows":
        return windows.build(host)
    if os != "macos":
        return absent("", "Linux is told apart by its distribution and kernel")
    if mac.get("kern.osproductversion"):
        return known(mac["kern.osproductversion"], "sysctl kern.osproductversion")
    read = files.read(host, SYSTEM_VERSION)
    version = parse_plist_version(read.text or "")
    return known(version, SYSTEM_VERSION) if version else unknown(SYSTEM_VERSION, read.why or "the file names no version")


def _distribution(host: Reader, os: str) -> Fact[Distribution]:
    """The first of ``/etc/os-release`` and ``/usr/lib/os-release`` that can be read."""
    if os != "linux":
        return absent("", "only Linux has distributions")
    whys = []
    for path in OS_RELEASE:
        read = files.read(host, path)
        found = parse_os_release(read.text or "")
        if found:
            return known(found, path)
        whys.append(read.why or f"{path} names no distribution")
    return unknown(OS_RELEASE[0], "; ".join(whys))


def _kernel(host: Reader, mac: Mapping[str, str]) -> Fact[str]:
    if mac.get("kern.osrelease"):
        return known(mac["kern.osrelease"], "sysctl kern.osrelease")
    if host.platform != "linux":
        return unknown("", "not asked on this system")
    release = files.line(host, KERNEL)
    return known(release, KERNEL) if release else unknown(KERNEL, f"{KERNEL} cannot be read")


def _wsl(host: Reader, os: str, kernel: Fact[str]) -> Fact[str]:
    """1. the kernel's name; 2. for kernels built by the user: WSL's interop variable or file, and ``/dev/dxg``, which only WSL 2 has."""
    if os != "linux":
        return absent("", "only Linux runs under WSL")
    version = parse_wsl(kernel.value or "")
    if version:
        return known(version, kernel.source)
    interop = "WSL_DISTRO_NAME" in host.env or files.there(host, "/proc/sys/fs/binfmt_misc/WSLInterop")
    if interop:
        return known("2" if files.there(host, "/dev/dxg") or files.there(host, "/run/WSL") else "1", "WSL's interop")
    return absent(KERNEL, "the kernel is not one of WSL")


def _container(host: Reader, os: str) -> Fact[str]:
    """1. variables of Kubernetes and apptainer; 2. marker files; 3. systemd's file; 4. variable ``container``; 5. ``/proc/1/cgroup``."""
    if os != "linux":
        return absent("", "looked for on Linux only")
    for name, engine in CONTAINER_VARIABLES:
        if host.env.get(name):
            return known(engine, f"variable {name}")
    for path, engine in CONTAINER_FILES:
        if files.there(host, path):
            return known(engine, path)
    named = files.line(host, "/run/systemd/container")
    if named:
        return known(named, "/run/systemd/container")
    if host.env.get("container"):
        return known(host.env["container"], "variable container")
    engine = parse_cgroup(files.read(host, "/proc/1/cgroup").text or "")
    return known(engine, "/proc/1/cgroup") if engine else absent("/proc/1/cgroup", "no sign of a container")


def _architectures(host: Reader, os: str, mac: Mapping[str, str]) -> tuple[Fact[str], Fact[str], Fact[bool]]:
    if os == "macos":
        return _mac_architectures(mac)
    if os == "windows":
        return _windows_architectures(host)
    return _linux_architectures(host)


def _mac_architectures(mac: Mapping[str, str]) -> tuple[Fact[str], Fact[str], Fact[bool]]:
    """``hw.optional.arm64`` is there on Apple silicon only; ``sysctl.proc_translated`` is 1 under Rosetta."""
    if not mac:
        return unknown("sysctl", "no answer"), unknown("sysctl", "no answer"), unknown("sysctl", "no answer")
    hardware = "aarch64" if mac.get("hw.optional.arm64") == "1" else "x86_64"
    translated = mac.get("sysctl.proc_translated") == "1"
    return (
        known(hardware, "sysctl hw.optional.arm64"),
        known("x86_64" if translated else hardware, "sysctl sysctl.proc_translated"),
        known(translated, "sysctl sysctl.proc_translated"),
    )


def _windows_architectures(host: Reader) -> tuple[Fact[str], Fact[str], Fact[bool]]:
    """PROCESSOR_ARCHITEW6432 is set for 32-bit programs on 64-bit Windows; PROCESSOR_IDENTIFIER says ARM under x64 emulation too."""
    own = host.env.get("PROCESSOR_ARCHITECTURE", "")
    if own not in WINDOWS_NAMES:
        why = "PROCESSOR_ARCHITECTURE is not set"
        return unknown("", why), unknown("", why), unknown("", why)
    wide = host.env.get("PROCESSOR_ARCHITEW6432", own)
    arm = "ARMv8" in host.env.get("PROCESSOR_IDENTIFIER", "")
    hardware = "aarch64" if arm else WINDOWS_NAMES.get(wide, wide.lower())
    process = WINDOWS_NAMES[own]
    return (
        known(hardware, "PROCESSOR_IDENTIFIER" if arm else "PROCESSOR_ARCHITECTURE"),
        known(process, "PROCESSOR_ARCHITECTURE"),
        known(hardware == "aarch64" and process != "aarch64", "PROCESSOR_IDENTIFIER"),
    )


def _linux_architectures(host: Reader) -> tuple[Fact[str], Fact[str], Fact[bool]]:
    """The kernel's, unless programs for it cannot start here; then that of the running Python, which is what the others here are made for.

    1. An emulator runs this Python: a container or a folder of another architecture (binfmt_misc and qemu, Rosetta under Docker on a Mac).
    2. The Python is a 32-bit one, and the kernel's own loader is missing: a 32-bit system on a 64-bit kernel, such as Raspberry Pi OS.
    """
    kernel, process = _kernel_architecture(host), _process_architecture(host)
    native: Fact[bool] = absent(kernel.source, "the kernel runs this Python itself")
    if not kernel.value or not process.value or kernel.value == process.value:
        return kernel, process, native
    emulated = not _runs_itself(kernel.value, process.value)
    if emulated:
        source = f"{process.source}; an emulator runs it, the kernel is for {kernel.value} ({kernel.source})"
        return known(process.value, source), process, known(emulated, kernel.source)
    if not libc.has_loader(host, kernel.value):
        source = f"{process.source}; the kernel is for {kernel.value} ({kernel.source}), and this system has no loader for such programs"
        return known(process.value, source), process, native
    return kernel, process, native


def _runs_itself(kernel: str, program: str) -> bool:
    """True where a kernel runs a program without an emulator; of what is not known, it is taken to be so."""
    if program.startswith("arm"):
        return kernel.startswith("arm") or kernel == "aarch64"
    return kernel in NATIVE.get(program, (program,)) or program.startswith("elf-machine")


def _kernel_architecture(host: Reader) -> Fact[str]:
    """1. ``/proc/sys/kernel/arch`` (Linux 6.1 and later); 2. ``/proc/cpuinfo``; 3. ``uname -m``, for which emulators lie."""
    name = files.line(host, ARCHITECTURE)
    if name:
        return known(MACHINE_NAMES.get(name, name), ARCHITECTURE)
    name = cpu.parse_architecture(files.read(host, cpu.CPUINFO, cpu.FIRST_BLOCK).text or "")
    if name:
        return known(name, cpu.CPUINFO)
    try:
        name = host.run(["uname", "-m"], timeout=5).out.strip()
    except files.FAULTS as error:
        return unknown("uname -m", files.reason(error))
    return known(MACHINE_NAMES.get(name, name), "uname -m") if name else unknown("uname -m", "no answer")


def _process_architecture(host: Reader) -> Fact[str]:
    try:
        return known(elf.header(host, host.python).architecture, f"ELF header of {host.python}")
    except files.FAULTS as error:
        return unknown(host.python, files.reason(error))
