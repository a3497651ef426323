"""Display and compute devices of every vendor, by their PCI ids."""

from __future__ import annotations

from provisioner.host import Reader, files
from provisioner.model.facts import Fact, PciGpu, absent, known, unknown

FOLDER = "/sys/bus/pci/devices"
VENDORS = {"10de": "nvidia", "1002": "amd", "8086": "intel"}
# PCI Code and ID Assignment: 03 display controllers, 0b40 co-processors, 1200 processing accelerators.
DISPLAY, OTHERS = "03", ("0b40", "1200")


def parse_class(text: str) -> bool:
    """True when a device's ``class`` file (``0x030200``) says display, 3D or processing accelerator."""
    code = text.strip().lower().removeprefix("0x")
    return code.startswith((DISPLAY, *OTHERS))


def parse_id(text: str) -> str:
    """Read a ``vendor`` or ``device`` file (``0x10de``) as ``10de``; empty when it is no such number."""
    code = text.strip().lower().removeprefix("0x")
    return code if len(code) == 4 and all(letter in "0123456789abcdef" for letter in code) else ""  # noqa: PLR2004 - digits of an id


def probe(host: Reader) -> Fact[tuple[PciGpu, ...]]:
    """Walk ``/sys/bus/pci/devices``: ``class``, ``vendor`` and ``device`` of each, and the ``driver`` link of those that matter."""
    if host.platform != "linux":
        return unknown("", "PCI devices are looked at on Linux only")
    try:
        slots = host.list(FOLDER)
    except FileNotFoundError:
        return absent(FOLDER, "this machine has no PCI bus")
    except files.FAULTS as error:
        return unknown(FOLDER, f"cannot be read: {files.reason(error)}")
    found = [_device(host, slot.path) for slot in slots if parse_class(files.line(host, f"{slot.path}/class"))]
    devices = tuple(device for device in found if device)
    return known(devices, FOLDER) if devices else absent(FOLDER, "no display or compute device on the PCI bus")


def _device(host: Reader, path: str) -> PciGpu | None:
    vendor, device = (parse_id(files.line(host, f"{path}/{name}")) for name in ("vendor", "device"))
    if not vendor or not device:
        return None
    try:
        driver = host.read_link(f"{path}/driver").rsplit("/", 1)[-1]
    except files.FAULTS:
        driver = ""
    return PciGpu(vendor=VENDORS.get(vendor, "other"), id=f"{vendor}:{device}", slot=path.rsplit("/", 1)[-1], driver=driver)
