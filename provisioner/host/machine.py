"""The machine that the tool runs on: which implementation of the port is the real one here."""

from __future__ import annotations

import sys

from provisioner.host import Host
from provisioner.host.local import LocalHost


def this_machine() -> Host:
    """Return the host of this system."""
    if sys.platform == "win32":
        from provisioner.host.windows import WindowsHost  # noqa: PLC0415 - what it imports is there alone

        return WindowsHost()
    return LocalHost()
