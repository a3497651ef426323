"""The registry of Windows, as ``reg query`` prints it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import windows
from provisioner.facts.pe import FIXED_FILE_INFO
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
    commands = {
        ("reg", "query", windows.RUNTIME + "\\x64"): RUNTIME,
        ("reg", "query", windows.FILE_SYSTEM): paths("0x1"),
        ("reg", "query"): ABSENT,
    }
    found = windows.probe(FakeReader(platform="win32", commands=commands), "x86_64")
    assert found
    assert (found.vc_runtime.value, found.long_paths.value) == ("14.38.33130", True)


DEFENDER = f"""
{windows.DEFENDER}\\Exclusions\\Paths
    C:\\work\\tf env    REG_DWORD    0x0
    D:\\    REG_DWORD    0x0
"""
DENIED = Completed(argv=(), code=1, out="", err="ERROR: Access is denied.", seconds=0)


@pytest.mark.parametrize(
    ("paths_of", "itself", "status", "value"),
    [
        (DEFENDER, "", "known", ("C:/work/tf env", "D:/")),
        (DENIED, "HKLM", "unknown", None),
        (ABSENT, ABSENT, "absent", None),
    ],
)
def test_what_defender_does_not_examine(paths_of: Completed | str, itself: Completed | str, status: str, value: object) -> None:
    commands = {
        ("reg", "query", windows.DEFENDER + "\\Exclusions\\Paths"): paths_of,
        ("reg", "query", windows.DEFENDER): itself,
        ("reg", "query"): ABSENT,
    }
    found = windows.probe(FakeReader(platform="win32", commands=commands), "x86_64")
    assert found
    assert (found.exclusions.status, found.exclusions.value) == (status, value)


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


PYTHONS = r"""
HKEY_CURRENT_USER\Software\Python\PythonCore\3.11
    SysVersion    REG_SZ    3.11
    SysArchitecture    REG_SZ    64bit

HKEY_CURRENT_USER\Software\Python\PythonCore\3.11\InstallPath
    (Default)    REG_SZ    C:\Python311\
    ExecutablePath    REG_SZ    C:\Python311\python.exe

HKEY_CURRENT_USER\Software\Python\ContinuumAnalytics\Anaconda39-64\InstallPath
    (Default)    REG_SZ    C:\Users\me\anaconda3
"""


def test_every_registered_python_is_found_that_of_conda_too() -> None:
    found = windows.registered_pythons(FakeReader(platform="win32", commands={("reg", "query"): PYTHONS}))
    assert found == ("C:/Python311/python.exe", "C:/Users/me/anaconda3/python.exe")


def test_without_reg_none_is_registered() -> None:
    assert windows.registered_pythons(FakeReader(platform="win32", commands={("reg",): FileNotFoundError(2, "No such file")})) == ()


def test_a_runtime_that_the_registry_does_not_know_is_known_by_the_older_of_its_files() -> None:
    def dll(high: int, low: int) -> bytes:
        return b"MZ" + b"\0" * 100 + FIXED_FILE_INFO + struct.pack("<II", high, low) + b"\0" * 40

    folder = {
        "D:/Windows/System32/msvcp140.dll": dll(14 << 16 | 36, 32532 << 16),
        "D:/Windows/System32/vcruntime140.dll": dll(14 << 16, 24215 << 16),
    }
    reader = FakeReader(platform="win32", files=folder, env={"SYSTEMROOT": "D:/Windows"}, commands={("reg", "query"): ABSENT})
    found = windows.probe(reader, "x86_64")
    assert found
    assert (found.vc_runtime.value, found.vc_runtime.source) == ("14.0.24215", "D:/Windows/System32/vcruntime140.dll")
