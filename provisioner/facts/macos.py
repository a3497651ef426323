"""What macOS says of itself through one ``sysctl`` call, for ``system`` and ``cpu``."""

from __future__ import annotations

from provisioner.host import Reader
from provisioner.host.files import FAULTS

SYSCTL = "/usr/sbin/sysctl"
NAMES = (
    "hw.optional.arm64",
    "sysctl.proc_translated",
    "kern.osproductversion",
    "kern.osrelease",
    "hw.logicalcpu",
    "machdep.cpu.brand_string",
    "machdep.cpu.features",
    "machdep.cpu.leaf7_features",
    "machdep.cpu.extfeatures",
)


def parse_sysctl(text: str) -> dict[str, str]:
    r"""Read the lines of ``sysctl NAME…``.

    >>> parse_sysctl("hw.optional.arm64: 1\nkern.osproductversion: 14.5\n")
    {'hw.optional.arm64': '1', 'kern.osproductversion': '14.5'}
    """
    pairs = (row.split(":", 1) for row in text.splitlines() if ":" in row)
    return {name.strip(): value.strip() for name, value in pairs}


def probe(host: Reader) -> dict[str, str]:
    """Ask once for all names, on macOS alone; those that this machine does not have are left out (sysctl then ends with 1)."""
    if host.platform != "darwin":
        return {}
    try:
        return parse_sysctl(host.run([SYSCTL, *NAMES], timeout=5).out)
    except FAULTS:
        return {}
