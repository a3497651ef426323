"""What the stages ask of the machine: what its platform is called."""

from __future__ import annotations

import platform

from provisioner.host.local import LocalHost
from provisioner.session import Session


def test_the_platform_is_that_of_the_facts() -> None:
    machine = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}[platform.machine()]
    system = {"Linux": "linux", "Darwin": "macos"}[platform.system()]
    assert Session(LocalHost()).platform == f"{system}-{machine}"
