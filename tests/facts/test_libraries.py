"""Toolkits and libraries: real ELF files, compiled here, with the version functions that NVIDIA's have."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.facts import elf, ldcache, libraries
from provisioner.host.local import LocalHost
from tests.facts.fake_reader import FakeReader

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


def build(path: Path, soname: str, code: str, *options: str) -> Path:
    assert COMPILER
    source = path.with_suffix(".c")
    source.write_text(code)
    subprocess.run([COMPILER, "-shared", "-fPIC", *options, f"-Wl,-soname,{soname}", "-o", path, source], check=True)
    source.unlink()
    return path


def cudart(number: int) -> str:
    return f"int cudaRuntimeGetVersion(int *v) {{ *v = {number}; return 0; }}"


def cudnn(number: int) -> str:
    return f"#include <stddef.h>\nsize_t cudnnGetVersion(void) {{ return {number}; }}"


@needs_compiler
def test_versions_come_from_the_libraries_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cuda-99.9" / "lib"
    folder.mkdir(parents=True)
    build(folder / "libcudart.so.12", "libcudart.so.12", cudart(12040))
    build(folder / "libcudart.so.11.8.89", "libcudart.so.11.0", cudart(11080))
    (folder / "libcudart.so.11.0").symlink_to("libcudart.so.11.8.89")
    build(folder / "libcudnn.so.9", "libcudnn.so.9", cudnn(90100))
    build(folder / "libcudnn.so.8", "libcudnn.so.8", cudnn(8907))
    build(folder / "libcuda.so.550.54.14", "libcuda.so.1", "int cuInit(unsigned f) { return f; }")
    build(folder / "libcudnn_ops.so.9", "libcudnn_ops.so.9", "int x;")
    (folder / "libcudart.so").write_text("INPUT(libcudart.so.12)")
    (folder / "libcudnn.so.7").symlink_to("gone")
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nonexistent::relative:{folder}")
    found = [item for item in libraries.libraries(LocalHost()).value or () if item.found_by == "LD_LIBRARY_PATH"]
    assert {(item.soname, item.version) for item in found} == {
        ("libcudart.so.12", "12.4"),
        ("libcudart.so.11.0", "11.8.89"),
        ("libcudnn.so.9", "9.1.0"),
        ("libcudnn.so.8", "8.9.7"),
        ("libcuda.so.1", "550.54.14"),
    }


@needs_compiler
@pytest.mark.parametrize("option", ["-O0", "-O2"])
def test_libcudart_without_a_driver(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA 11's refuses to answer (error 35) where there is no driver, but its version is a constant in its code."""
    code = "int cudaRuntimeGetVersion(int *v) { *v = 11080; return 35; }\n"
    code += "int limit(int *v) { *v = 11020; return 0; }\nint other(int *v) { *v = 12345; return 0; }"
    path = build(tmp_path / "libcudart.so.11.0", "libcudart.so.11.0", code, option)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    versions = {item.path: item.version for item in libraries.libraries(LocalHost()).value or ()}
    assert versions[str(path)] == ("11.8" if option == "-O2" else "11.0"), "unoptimised code has the constant in no known form"


def test_judge() -> None:
    assert libraries.judge("libcuda.so.1.1", "libcuda.so.1", "") == "", "WSL's file name carries no release"
    assert libraries.judge("libcudart.so.12.4.127", "libcudart.so.12", "12.4") == "12.4.127"
    assert libraries.judge("libcudart.so.12.1.1", "libcudart.so.12", "12.4") == "12.4", "the file is believed, not its name"
    assert libraries.judge("libcudnn.so.8", "libcudnn.so.8", "") == "8"


def test_constant_on_aarch64() -> None:
    words = [0x52800000 | number << 5 | 1 for number in (12000, 12040, 12345, 13000)]
    data = b"".join(word.to_bytes(4, "little") for word in words)
    assert libraries.constant_version(data + b"x", "aarch64", 12) == "12.4"
    assert libraries.constant_version(data, "ppc64le", 12) == ""


@needs_compiler
def test_a_library_that_crashes_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path / "libcudart.so.11.1.2", "libcudart.so.11.0", "#include <stdlib.h>\nint cudaRuntimeGetVersion(int *v) { abort(); }")
    build(tmp_path / "libcudart.so.10.2", "libcudart.so.10.2", "int nothing;")
    build(tmp_path / "libcudart.so.12", "libcudart.so.12", cudart(12020))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    found = {item.soname: item.version for item in libraries.libraries(LocalHost()).value or () if item.found_by == "LD_LIBRARY_PATH"}
    assert found == {"libcudart.so.11.0": "11.1.2", "libcudart.so.10.2": "10.2", "libcudart.so.12": "12.2"}


@needs_compiler
def test_elf_of_a_real_library(tmp_path: Path) -> None:
    path = build(tmp_path / "lib ü.so", "libmine.so.3", "int x;")
    found = elf.read_elf(LocalHost(), str(path))
    assert (found.soname, found.header.bits, found.loader) == ("libmine.so.3", 64, "")


def test_elf_of_a_real_program() -> None:
    found = elf.read_elf(LocalHost(), sys.executable)
    assert Path(found.loader).exists()
    assert found.soname == ""


@pytest.mark.skipif(not Path("/sbin/ldconfig").exists(), reason="there is no ldconfig")
def test_the_loaders_cache_reads_as_ldconfig_prints_it() -> None:
    printed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    expected = {
        (row.split()[0], row.split(" => ")[1]) for row in printed.splitlines() if " => " in row and row.split()[0].startswith("libc")
    }
    assert expected
    assert set(ldcache.find(LocalHost(), "libc")) == expected


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"version.json": '{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}}'}, "12.4.1"),
        ({"version.json": '{"cuda": {"version": "11.4.20210623"}}', "version.txt": "CUDA Version 9.9"}, "11.4"),
        ({"version.txt": "CUDA Version 10.1.243\n"}, "10.1.243"),
        ({"version.json": "{", "include/cuda.h": "#define CUDA_API\n#define CUDA_VERSION 13000\n"}, "13.0"),
        ({"bin/nvcc": ""}, ""),
    ],
)
def test_toolkits(files: dict[str, str], version: str) -> None:
    machine = FakeReader({f"/usr/local/cuda-9.9/{name}": text for name, text in files.items()}, links={"/usr/local/cuda": "cuda-9.9"})
    found = libraries.toolkits(machine).value
    assert found
    assert [(item.path, item.version) for item in found] == [("/usr/local/cuda-9.9", version)]


def test_none_is_absent() -> None:
    assert libraries.toolkits(FakeReader({"/usr/local/cuda-9/readme": ""})).status == "absent"
    assert libraries.libraries(FakeReader()).status == "absent"


@pytest.mark.parametrize(("number", "version"), [(7605, "7.6.5"), (8907, "8.9.7"), (90100, "9.1.0"), (92800, "9.28.0"), (0, ""), (-1, "")])
def test_cudnn_version(number: int, version: str) -> None:
    assert libraries.cudnn_version(number) == version


@given(st.binary())
def test_readers_of_bytes_never_crash(data: bytes) -> None:
    ldcache.parse(data, ("lib",))
    ldcache.parse(ldcache.MAGIC + data, ("lib",))
    machine = FakeReader({"/a": b"\x7fELF" + data, "/b": b"\x7fELF\2\1\1" + data})
    for path in ("/a", "/b"):
        with contextlib.suppress(elf.ElfError):
            elf.read_elf(machine, path)


@given(st.text())
def test_readers_of_text_never_crash(text: str) -> None:
    libraries.parse_version_json(text)
    libraries.parse_version_txt(text)
    libraries.parse_header("#define CUDA_VERSION " + text)
