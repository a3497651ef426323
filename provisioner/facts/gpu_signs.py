"""The cheap signs of an NVIDIA driver: files of the kernel, device files, libraries. No process is started here."""

from __future__ import annotations

import json
import re

from provisioner.base.paths import is_absolute, slashed
from provisioner.facts import ldcache, pe, windows
from provisioner.host import Reader, files
from provisioner.model.facts import Fact, absent, known, unknown
from provisioner.model.record import record

MODULE = "/sys/module/nvidia/version"
PROC = "/proc/driver/nvidia/version"
DXG = "/dev/dxg"
TEGRA = "/etc/nv_tegra_release"
COMPATIBLE = "/proc/device-tree/compatible"
NVML, CUDA = "libnvidia-ml.so.1", "libcuda.so.1"
# The same of Windows' driver.
WINDOWS = ("nvcuda.dll", "nvml.dll")
# Where drivers lie outside the loader's cache: WSL, containers without a cache, GKE and gVisor, NixOS, Jetson, Debian's alternatives.
FOLDERS = (
    "/usr/lib/wsl/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/run/opengl-driver/lib",
    "/usr/lib/aarch64-linux-gnu/tegra",
    "/usr/lib/aarch64-linux-gnu/nvidia",
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
)
VARIABLES = ("CUDA_", "NVIDIA_", "LD_LIBRARY_PATH", "LD_PRELOAD")


@record
class Signs:
    """What there is of a driver: ``module`` is the kernel module's version; ``libraries`` the paths of NVML's and CUDA's library.

    ``closed`` names the device files that this user may not open; ``tegra`` is the release text of a Jetson. ``release`` is the driver's where the
    libraries themselves carry it (Windows), ``names`` what those are called.
    """

    module: Fact[str]
    devices: tuple[str, ...]
    closed: tuple[str, ...]
    wsl: bool
    tegra: str
    libraries: tuple[str, ...]
    release: str = ""
    names: tuple[str, ...] = (CUDA, NVML)

    @property
    def any(self) -> bool:
        """True when there is reason to ask the driver."""
        return bool(self.module.value or self.devices or self.wsl or self.tegra or self.libraries)


def parse_proc_version(text: str) -> str:
    """The version in ``/proc/driver/nvidia/version``; empty when there is none.

    ::

        NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024
        NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build  (dvs-builder@U16)
    """
    found = re.search(r"^NVRM version:.*?\s(\d{1,4}\.\d{1,3}(?:\.\d{1,3})?)\s", text, re.MULTILINE)
    return found[1] if found else ""


def parse_tegra(text: str) -> str:
    """The L4T release in ``/etc/nv_tegra_release`` as ``35.4.1``: ``# R35 (release), REVISION: 4.1, GCID: 33958178, …``."""
    found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", text)
    return f"{found[1]}.{found[2]}" if found else ""


def parse_windows_release(version: str) -> str:
    """The driver release in the file version of a library of NVIDIA for Windows: ``31.0.15.3699`` is 536.99, the last five digits; "" for another."""
    parts = version.split(".")
    if len(parts) != 4 or not all(part.isdecimal() for part in parts):  # noqa: PLR2004 - the format
        return ""
    digits = (parts[2][-1] + parts[3].zfill(4)) if len(parts[3]) <= 4 else ""  # noqa: PLR2004 - as above
    return f"{int(digits[:-2])}.{digits[-2:]}" if digits and int(digits) else ""


def parse_library_release(path: str) -> str:
    """The driver release in a library's file name (``libcuda.so.550.54.14``), empty when it carries none (``libcuda.so.1``)."""
    found = re.search(r"\.so\.(\d{3,4}\.\d{1,3}(?:\.\d{1,3})?)$", path)
    return found[1] if found else ""


def look(host: Reader) -> Signs:
    """Look for a driver.

    1. ``/sys/module/nvidia/version``, then ``/proc/driver/nvidia/version``; 2. ``/dev/nvidia*``, ``/dev/dxg`` (WSL), a Jetson's devices;
    3. ``/etc/nv_tegra_release`` and the device tree; 4. the libraries: LD_LIBRARY_PATH, the loader's cache, the usual folders.
    """
    if host.platform == "win32":
        return _windows(host)
    if host.platform != "linux":
        return Signs(module=absent("", "NVIDIA has no driver for this system"), devices=(), closed=(), wsl=False, tegra="", libraries=())
    devices = tuple(path for path in files.matches(host, "/dev/nvidia*") if re.fullmatch(r"/dev/nvidia(\d+|ctl|-uvm|-modeset)", path))
    return Signs(
        module=_module(host),
        devices=devices + tuple(path for path in ("/dev/nvhost-gpu", "/dev/nvgpu", "/dev/nvmap") if files.there(host, path)),
        closed=tuple(path for path in devices if not _open(host, path)),
        wsl=files.there(host, DXG),
        tegra=_tegra(host),
        libraries=_libraries(host),
    )


def key(host: Reader, signs: Signs, scripts: tuple[str, ...]) -> str:
    """A text that changes whenever the answers can: boot, module, devices and modes, MIG instances, libraries, variables, scripts."""
    entries = [(path, found.mode, found.inode) for path in signs.devices if (found := files.entry(host, path))]
    return json.dumps(
        [
            files.line(host, "/proc/sys/kernel/random/boot_id"),
            signs.module.value,
            entries,
            files.matches(host, "/proc/driver/nvidia/gpus/*"),
            files.matches(host, "/proc/driver/nvidia/capabilities/gpu*/mig/gi*/ci*"),
            [files.identity(host, path) for path in (*signs.libraries, *scripts)],
            sorted((name, value) for name, value in host.env.items() if name.startswith(VARIABLES)),
        ]
    )


def _windows(host: Reader) -> Signs:
    folder = windows.system_folder(host.env.get("SYSTEMROOT"))
    older = f"{slashed(host.env.get('PROGRAMFILES', 'C:/Program Files'))}/NVIDIA Corporation/NVSMI"
    places = [f"{where}/{name}" for name in WINDOWS for where in (folder, older)]
    libraries = tuple(path for path in places if files.there(host, path))
    release = ""
    for path in libraries:
        try:
            release = release or parse_windows_release(pe.file_version(host.read_bytes(path), 4))
        except files.FAULTS:  # noqa: PERF203 - one that cannot be read says nothing
            continue
    module: Fact[str] = absent("", "Windows has no such module")
    return Signs(module=module, devices=(), closed=(), wsl=False, tegra="", libraries=libraries, release=release, names=WINDOWS)


def _module(host: Reader) -> Fact[str]:
    read = files.read(host, MODULE)
    if read.text and read.text.strip():
        return known(read.text.strip(), MODULE)
    proc = files.read(host, PROC)
    version = parse_proc_version(proc.text or "")
    if version:
        return known(version, PROC)
    refused = [item.why for item in (read, proc) if item.text is None and not item.missing]
    return unknown(MODULE, "; ".join(refused)) if refused else absent(MODULE, "the nvidia kernel module is not loaded")


def _open(host: Reader, path: str) -> bool:
    try:
        return host.writable(path)
    except files.FAULTS:
        return False


def _tegra(host: Reader) -> str:
    release = parse_tegra(files.read(host, TEGRA, 4096).text or "")
    return release or ("unknown release" if "nvidia,tegra" in (files.read(host, COMPATIBLE, 4096).text or "") else "")


def _libraries(host: Reader) -> tuple[str, ...]:
    """The first NVML and the first libcuda in the loader's order, so that the key holds what will be loaded."""
    folders = [folder for folder in host.env.get("LD_LIBRARY_PATH", "").split(":") if is_absolute(folder)]
    cached = dict(reversed(ldcache.find(host, NVML, CUDA)))
    found = []
    for name in (NVML, CUDA):
        path = next((f"{folder}/{name}" for folder in folders if files.there(host, f"{folder}/{name}")), "") or cached.get(name, "")
        path = path or next((f"{folder}/{name}" for folder in FOLDERS if files.there(host, f"{folder}/{name}")), "")
        if path:
            found.append(path)
    return tuple(found)
