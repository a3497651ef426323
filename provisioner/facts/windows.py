"""What only Windows has: the Visual C++ runtime, long paths, the build, registered Pythons; read through ``reg query`` and from its own DLLs."""

from __future__ import annotations

import re

from provisioner.base.paths import slashed
from provisioner.base.versions import numbers
from provisioner.facts import pe
from provisioner.host import Reader
from provisioner.host.files import FAULTS, reason
from provisioner.model.facts import Fact, Windows, absent, known, unknown

RUNTIME = r"HKLM\SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes"
FILE_SYSTEM = r"HKLM\SYSTEM\CurrentControlSet\Control\FileSystem"
DEFENDER = r"HKLM\SOFTWARE\Microsoft\Windows Defender"
CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
# The two that every extension module of Python and TensorFlow asks for.
RUNTIME_DLLS = ("msvcp140.dll", "vcruntime140.dll")
# All that native files of TensorFlow, and of what it needs, were seen to ask for.
DLLS = ("msvcp140.dll", "msvcp140_1.dll", "vcruntime140.dll", "vcruntime140_1.dll", "vcruntime140_threads.dll", "concrt140.dll")
PYTHONS = r"SOFTWARE\Python"
SECONDS = 10.0


def parse_reg(text: str) -> dict[str, str]:
    r"""Read the values that ``reg query KEY`` prints; numbers (``REG_DWORD``) are given in decimal.

    ::

        HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\FileSystem
            LongPathsEnabled    REG_DWORD    0x1
    """
    found: dict[str, str] = {}
    for row in text.splitlines():
        name, kind, value = (*row.strip().split("    ", 2), "", "")[:3]
        if kind.startswith("REG_"):
            found[name.strip()] = _number(value.strip()) if kind in {"REG_DWORD", "REG_QWORD"} else value.strip()
    return found


def _number(text: str) -> str:
    try:
        return str(int(text, 16))
    except ValueError:
        return text


def parse_runtime(values: dict[str, str]) -> str:
    """The Visual C++ runtime's version (``14.38.33130``) of ``Version REG_SZ v14.38.33130.00``; empty when it is not installed."""
    if values.get("Installed") == "0":
        return ""
    parts = values.get("Version", "").removeprefix("v").split(".")[:3]
    return ".".join(part.lstrip("0") or "0" for part in parts) if len(parts) == 3 and all(part.isdecimal() for part in parts) else ""  # noqa: PLR2004


def parse_build(values: dict[str, str]) -> str:
    """The Windows version as ``10.0.22631`` (the product's name is not used: it says Windows 10 on 11 too)."""
    build = values.get("CurrentBuildNumber", "")
    major, minor = values.get("CurrentMajorVersionNumber", "10"), values.get("CurrentMinorVersionNumber", "0")
    return f"{major}.{minor}.{build}" if build else ""


def parse_pythons(text: str) -> tuple[str, ...]:
    r"""Read the interpreters that ``reg query …\Software\Python /s`` lists (PEP 514): ``ExecutablePath``, else ``python.exe`` in the folder.

    ::

        HKEY_CURRENT_USER\Software\Python\PythonCore\3.11\InstallPath
            (Default)         REG_SZ    C:\Python311\
            ExecutablePath    REG_SZ    C:\Python311\python.exe
    """
    found = []
    for block in re.split(r"(?m)^(?=HKEY_)", text):
        key, _, rest = block.partition("\n")
        if not key.rstrip().endswith("\\InstallPath"):
            continue
        values = parse_reg(rest)
        folder = values.get("(Default)", "").rstrip("\\")
        path = values.get("ExecutablePath") or (f"{folder}\\python.exe" if folder else "")
        found += [slashed(path)] if path else []
    return tuple(dict.fromkeys(found))


def registered_pythons(host: Reader) -> tuple[str, ...]:
    """Return the interpreters of the registry: this user's, then everybody's, then the 32-bit ones."""
    keys = ((rf"HKCU\{PYTHONS}",), (rf"HKLM\{PYTHONS}",), (rf"HKLM\{PYTHONS}", "/reg:32"))
    try:
        said = [host.run(["reg", "query", key, "/s", *view], timeout=SECONDS).out for key, *view in keys]
    except FAULTS:
        return ()
    return tuple(dict.fromkeys(path for text in said for path in parse_pythons(text)))


def system_folder(root: str | None) -> str:
    """Return the folder of Windows' own DLLs, by what the variable SYSTEMROOT says."""
    return f"{slashed(root or 'C:/Windows')}/System32"


def _by_its_files(host: Reader) -> Fact[str]:
    """The runtime by the oldest of the DLLs without which nothing starts: the registry knows only of Microsoft's own installer."""
    folder, found = system_folder(host.env.get("SYSTEMROOT")), []
    for name in RUNTIME_DLLS:
        try:
            found.append((pe.file_version(host.read_bytes(f"{folder}/{name}")), f"{folder}/{name}"))
        except FAULTS:  # noqa: PERF203 - one that is not there ends it
            return absent(f"{folder}/{name}", "the Visual C++ runtime is not installed")
    version, path = min(found, key=lambda item: numbers(item[0]))
    return known(version, path) if version else unknown(path, "the file tells no version")


def query(host: Reader, key: str) -> tuple[dict[str, str] | None, str]:
    """The values under a registry key and, when there are none, why; an absent key gives no values."""
    try:
        done = host.run(["reg", "query", key], timeout=SECONDS)
    except FAULTS as error:
        return None, f"reg cannot be started: {reason(error)}"
    if done.timed_out:
        return None, "reg did not answer"
    return (parse_reg(done.out) if done.ok else {}), ""


def _exclusions(host: Reader) -> Fact[tuple[str, ...]]:
    """What Microsoft Defender does not examine; since 2022 administrators alone may read it (Microsoft, "HideExclusionsFromLocalUsers")."""
    key = f"{DEFENDER}\\Exclusions\\Paths"
    try:
        done = host.run(["reg", "query", key], timeout=SECONDS)
        there = done.ok or host.run(["reg", "query", DEFENDER], timeout=SECONDS).ok
    except FAULTS as error:
        return unknown(key, f"reg cannot be started: {reason(error)}")
    if done.ok:
        return known(tuple(sorted(slashed(path) for path in parse_reg(done.out))), key)
    return unknown(key, "only administrators may read it") if there else absent(DEFENDER, "there is no Microsoft Defender")


def build(host: Reader) -> Fact[str]:
    """The Windows version, for ``system``."""
    values, why = query(host, CURRENT)
    version = parse_build(values or {})
    return known(version, CURRENT) if version else unknown(CURRENT, why or "the registry does not say")


def probe(host: Reader, architecture: str | None) -> Windows | None:
    """Ask the registry, on Windows only: the runtime of this architecture, then ``LongPathsEnabled``."""
    if host.platform != "win32":
        return None
    key = f"{RUNTIME}\\{'arm64' if architecture == 'aarch64' else 'x64'}"
    values, why = query(host, key)
    version = parse_runtime(values or {})
    runtime: Fact[str] = known(version, key) if version else _by_its_files(host)
    if values is None and not runtime.value:
        runtime = unknown(key, why)
    values, why = query(host, FILE_SYSTEM)
    paths: Fact[bool] = unknown(FILE_SYSTEM, why) if values is None else known(values.get("LongPathsEnabled") == "1", FILE_SYSTEM)
    folder = system_folder(host.env.get("SYSTEMROOT"))
    dlls: Fact[tuple[str, ...]] = known(tuple(name for name in DLLS if host.exists(f"{folder}/{name}")), folder)
    return Windows(vc_runtime=runtime, long_paths=paths, vc_dlls=dlls, exclusions=_exclusions(host))
