"""The registry of Windows, as ``reg query`` prints it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import windows
from provisioner.host import Completed
from tests.facts.fake_reader import FakeReader

RUNTIME = r"""
HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\x64
    Version    REG_SZ    v14.38.33130.00
    Installed    REG_DWORD    0x1
    Major    REG_DWORD    0xe
"""
ABSENT = Completed(argv=(), code=1, out="", err="ERROR: The system was unable to find the specified registry key", seconds=0)


def paths(value: str) -> str:
    return f"\nHKEY\n    LongPathsEnabled    REG_DWORD    {value}\n"


def test_runtime_and_long_paths() -> None:
    commands = {("reg", "query", windows.RUNTIME + "\\x64"): RUNTIME, ("reg", "query", windows.FILE_SYSTEM): paths("0x1")}
    found = windows.probe(FakeReader(platform="win32", commands=commands), "x86_64")
    assert found
    assert (found.vc_runtime.value, found.long_paths.value) == ("14.38.33130", True)


def test_nothing_installed() -> None:
    found = windows.probe(FakeReader(platform="win32", commands={("reg", "query"): ABSENT}), "x86_64")
    assert found
    assert (found.vc_runtime.status, found.long_paths.value) == ("absent", False)


def test_reg_cannot_be_started() -> None:
    found = windows.probe(FakeReader(platform="win32", commands={("reg",): FileNotFoundError(2, "No such file")}), "x86_64")
    assert found
    assert found.vc_runtime.status == found.long_paths.status == "unknown"
    assert found.vc_runtime.why == "reg cannot be started: no such file"


def test_elsewhere_there_is_nothing_to_ask() -> None:
    assert windows.probe(FakeReader(), "x86_64") is None


@pytest.mark.parametrize("version", ["", "v", "v14", "v14.x.1", "14..2"])
def test_odd_versions(version: str) -> None:
    assert windows.parse_runtime({"Version": version}) == ""


@given(st.text())
def test_parse_reg_never_crashes(text: str) -> None:
    windows.parse_runtime(windows.parse_reg(text))
