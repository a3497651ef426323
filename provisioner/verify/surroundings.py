"""What the machine around an environment shows: NVIDIA devices, the driver's module, CPU flags, XLA's tools. Files only."""

from __future__ import annotations

import posixpath
import re

from provisioner.base.paths import slashed
from provisioner.host import Reader
from provisioner.model.record import record

NVIDIA_VENDOR = "0x10de"
DISPLAY_CLASS = "0x03"
# Where XLA looks for its tools, besides the folder of XLA_FLAGS, PATH and nvidia/cuda_nvcc in site-packages (from 2.14 on;
# facts/pitfalls.yaml, libdevice-ptxas).
TOOLKITS = ("/usr/local/cuda",)


@record
class Surroundings:
    """Evidence for the judge.

    ``gpus``: PCI addresses of NVIDIA display devices (on WSL2 ``/dev/dxg``, on Windows the driver's ``nvcuda.dll``);
    ``driver``: release of the loaded kernel module, or empty;
    ``visible``: CUDA_VISIBLE_DEVICES, None when it is not set; ``flags``: of the first processor, empty where the system lists none;
    ``ptxas`` and ``libdevice``: the files XLA would find, or empty.
    """

    gpus: tuple[str, ...] = ()
    driver: str = ""
    visible: str | None = None
    flags: frozenset[str] = frozenset()
    ptxas: str = ""
    libdevice: str = ""


def look(reader: Reader, sites: tuple[str, ...], *, flags: str | None = None, ptxas: str = "") -> Surroundings:
    """Look around on this machine; what cannot be read counts as not there.

    ``sites``: where nvidia/cuda_nvcc is looked for. ``flags`` and ``ptxas``: XLA_FLAGS and the ptxas of PATH as TensorFlow's own process had
    them; without ``flags`` those of this one.
    """
    turned = slashed if reader.platform == "win32" else str
    folders = [*map(turned, _data_folder(reader.env.get("XLA_FLAGS", "") if flags is None else flags))]
    folders += [*(posixpath.join(site, "nvidia", "cuda_nvcc") for site in sites), *TOOLKITS]
    on_path = turned(ptxas) or reader.which("ptxas") or ""
    return Surroundings(
        gpus=_gpus(reader),
        driver=_driver(reader),
        visible=reader.env.get("CUDA_VISIBLE_DEVICES"),
        flags=_flags(reader),
        ptxas=_first(reader, [*(posixpath.join(folder, "bin", name) for folder in folders for name in ("ptxas", "ptxas.exe")), on_path]),
        libdevice=_first(reader, [posixpath.join(folder, "nvvm/libdevice/libdevice.10.bc") for folder in folders]),
    )


def _read(reader: Reader, path: str) -> str:
    try:
        return reader.read_text(path).strip()
    except OSError:
        return ""


def _gpus(reader: Reader) -> tuple[str, ...]:
    if reader.platform == "win32":
        driver = posixpath.join(reader.env.get("SYSTEMROOT", "C:/Windows"), "System32", "nvcuda.dll")
        return (driver,) if reader.exists(driver) else ()
    found = [
        posixpath.basename(posixpath.dirname(path))
        for path in reader.glob("/sys/bus/pci/devices/*/vendor")
        if _read(reader, path) == NVIDIA_VENDOR
        and _read(reader, posixpath.join(posixpath.dirname(path), "class")).startswith(DISPLAY_CLASS)
    ]
    if not found and reader.exists("/dev/dxg") and reader.exists("/usr/lib/wsl/lib/libcuda.so.1"):
        return ("/dev/dxg",)
    return tuple(found)


def _driver(reader: Reader) -> str:
    found = re.search(r"Kernel Module\D{0,80}(\d+(?:\.\d+)+)", _read(reader, "/proc/driver/nvidia/version"))
    return found.group(1) if found else ""


def _flags(reader: Reader) -> frozenset[str]:
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", _read(reader, "/proc/cpuinfo"), re.MULTILINE)
    return frozenset(found.group(1).split()) if found else frozenset()


def _data_folder(flags: str) -> list[str]:
    """The folder that XLA's flags name; it may stand in quotes."""
    found = re.search(r"""--xla_gpu_cuda_data_dir=(?:"([^"]+)"|'([^']+)'|(\S+))""", flags)
    return [next(part for part in found.groups() if part)] if found else []


def _first(reader: Reader, paths: list[str]) -> str:
    return next((path for path in paths if path and reader.exists(path)), "")
