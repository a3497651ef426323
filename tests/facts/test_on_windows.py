"""What only Windows tells: the driver by its own libraries, CUDA toolkits, the processor's name, the Store's Pythons; from recorded machines."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from provisioner.choose.pythons import find_pythons, python_warnings
from provisioner.facts import cpu, gpu_signs, interpreters, libraries
from provisioner.facts.gpu_answers import Surroundings, driver
from provisioner.facts.pe import FIXED_FILE_INFO
from provisioner.model.facts import Facts, Interpreter, known
from provisioner.model.plan import EnvState
from provisioner.model.request import Request
from tests.facts.fake_reader import FakeReader
from tests.support import machine

SYSTEM32 = "C:/Windows/System32"
AROUND = Surroundings()
NOWHERE = EnvState(path="C:/env", kind="absent", digest="")


def library(*version: int) -> bytes:
    """A library whose resources tell its version."""
    high, low = version[0] << 16 | version[1], version[2] << 16 | version[3]
    return b"MZ" + b"\0" * 100 + FIXED_FILE_INFO + struct.pack("<II", high, low) + b"\0" * 40


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("31.0.15.3699", "536.99"),
        ("32.0.15.6094", "560.94"),
        ("27.21.14.5671", "456.71"),
        ("30.0.15.1", "500.01"),
        ("6.14.11", ""),
        ("a.b.c.d", ""),
    ],
)
def test_the_last_five_digits_of_the_version_are_the_drivers_release(version: str, release: str) -> None:
    assert gpu_signs.parse_windows_release(version) == release


def test_the_driver_is_known_by_its_libraries_where_none_of_them_answers() -> None:
    reader = FakeReader({f"{SYSTEM32}/nvcuda.dll": library(31, 0, 15, 3699)}, platform="win32", env={"SYSTEMROOT": "C:/Windows"})
    signs = gpu_signs.look(reader)
    assert signs.libraries == (f"{SYSTEM32}/nvcuda.dll",)
    assert driver(signs, {"nvml": {"error": -1, "words": "not there"}}, AROUND).release.value == "536.99"


def test_the_libraries_that_are_missed_are_those_of_windows() -> None:
    found = driver(gpu_signs.look(FakeReader(platform="win32")), {}, AROUND).release
    assert found.why == "the driver's libraries (nvcuda.dll, nvml.dll) are not there"


def test_toolkits_by_the_folder_of_the_installer_and_by_its_variables() -> None:
    usual, other = "C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/v12.4", "D:/cuda/v11.2"
    files = {f"{usual}/version.json": '{"cuda": {"version": "12.4.1"}}', f"{other}/bin/nvcc.exe": ""}
    reader = FakeReader(files, platform="win32", env={"CUDA_PATH_V11_2": other, "PROGRAMFILES": "C:/Program Files"})
    assert [(item.path, item.version) for item in libraries.toolkits(reader).value or ()] == [(other, ""), (usual, "12.4.1")]


def test_the_processor_is_named_as_its_maker_does() -> None:
    said = "HKEY_LOCAL_MACHINE\\HARDWARE\n    ProcessorNameString    REG_SZ    AMD EPYC 9B14   96-Core\n"
    reader = FakeReader(platform="win32", python="py.exe", commands={("py.exe",): "39\n", ("reg", "query", cpu.PROCESSOR): said})
    assert cpu.probe(reader, "x86_64", {}).model.value == "AMD EPYC 9B14 96-Core"


def test_a_python_of_the_store_is_known_and_taken_last_with_a_word() -> None:
    path = "C:/Users/ada/AppData/Local/Microsoft/WindowsApps/python3.12.exe"
    reader = FakeReader({path: "MZ"}, platform="win32", env={"PATH": path.rsplit("/", 1)[0]}, commands={("py",): "", ("reg",): ""})
    assert [item.origin for item in interpreters.find(reader)] == ["store"]

    def python(path: str, version: str, origin: str) -> Interpreter:
        return Interpreter(path=path, version=version, bits=64, architecture="x86_64", implementation="cpython", origin=origin)

    own = python("C:/Python311/python.exe", "3.11.9", "launcher")
    found = find_pythons(_with(python(path, "3.12.9", "store"), own), Request(env="C:/env"), NOWHERE)
    assert [offer.version for offer in found.offers] == ["3.11.9", "3.12.9"]
    assert "Microsoft Store" in python_warnings(found.offers[1], found)[0]
    assert python_warnings(found.offers[0], found) == ()


def _with(*pythons: Interpreter) -> Facts:
    return replace(machine(), interpreters=known(pythons, "a test"))
