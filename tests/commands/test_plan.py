"""What the stages ask of the machine: whether the executor serves it, and what its platform is called."""

from __future__ import annotations

import platform

import pytest

from provisioner.commands.apply import check_executor
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from provisioner.session import Session


class WindowsHost(LocalHost):
    """This machine, but for the name of its system."""

    @property
    def platform(self) -> str:
        return "win32"


def test_on_windows_itself_nothing_is_executed_and_the_way_is_told() -> None:
    with pytest.raises(OperationError, match="plan") as caught:
        check_executor(WindowsHost())
    assert "wsl --install" in caught.value.hint
    assert caught.value.cause == "platform-unsupported"
    check_executor(LocalHost())


def test_the_platform_is_that_of_the_facts() -> None:
    machine = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}[platform.machine()]
    system = {"Linux": "linux", "Darwin": "macos"}[platform.system()]
    assert Session(LocalHost()).platform == f"{system}-{machine}"
