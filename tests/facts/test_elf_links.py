"""What ELF files ask of the loader: real files, compiled here, and damaged ones."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.facts.elf import ElfError
from provisioner.facts.elf_links import Links, read_links
from provisioner.host.local import LocalHost
from tests.facts.fake_reader import FakeReader

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


def compile_library(path: Path, code: str, *options: str) -> Path:
    assert COMPILER
    path.parent.mkdir(parents=True, exist_ok=True)
    source = path.parent / f"{path.name}.c"
    source.write_text(code)
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", path, source, *options], check=True)
    source.unlink()
    return path


def versioned(folder: Path, *versions: str, soname: str = "libstdc++.so.6") -> Path:
    """A library that defines these symbol versions, as libstdc++ does; each has one function, named after it."""
    script = folder / "versions"
    folder.mkdir(parents=True, exist_ok=True)
    functions = [version.lower().replace(".", "_") for version in versions]
    script.write_text("\n".join(f"{version} {{ global: {name}; }};" for version, name in zip(versions, functions, strict=True)))
    code = "\n".join(f"int {name}(void) {{ return 1; }}" for name in functions)
    return compile_library(folder / soname, code, f"-Wl,--version-script={script},-soname,{soname}")


@needs_compiler
def test_versions_folders_and_names_are_read(tmp_path: Path) -> None:
    library = versioned(tmp_path / "new", "GLIBCXX_3.4.21", "CXXABI_1.3.9")
    code = "int glibcxx_3_4_21(void); int cxxabi_1_3_9(void); int f(void) { return glibcxx_3_4_21() + cxxabi_1_3_9(); }"
    user = compile_library(
        tmp_path / "libuser.so", code, str(library), "-Wl,-rpath,$ORIGIN/deps:/opt/x", "-Wl,--enable-new-dtags,-soname,libuser.so.1"
    )
    made = read_links(LocalHost(), str(library))
    assert (made.soname, {"GLIBCXX_3.4.21", "CXXABI_1.3.9"} <= set(made.defines), made.runpath) == ("libstdc++.so.6", True, None)
    asks = read_links(LocalHost(), str(user))
    assert asks.soname == "libuser.so.1"
    assert asks.needed[0] == "libstdc++.so.6"
    assert (asks.runpath, asks.rpath) == (("$ORIGIN/deps", "/opt/x"), ())
    assert set(asks.requires["libstdc++.so.6"]) == {"GLIBCXX_3.4.21", "CXXABI_1.3.9"}


@needs_compiler
def test_an_old_rpath_is_told_from_a_runpath(tmp_path: Path) -> None:
    path = compile_library(tmp_path / "old.so", "int x;", "-Wl,--disable-new-dtags,-rpath,/opt/old")
    links = read_links(LocalHost(), str(path))
    assert (links.rpath, links.runpath) == (("/opt/old",), None)


def elf_hash(name: str) -> int:
    """The hash of the System V ABI, by which version entries are found."""
    value = 0
    for letter in name.encode():
        value = (value << 4) + letter
        value = (value ^ (value >> 24 & 0xF0)) & 0x0FFFFFFF
    return value


@needs_compiler
def test_weak_versions_are_not_required(tmp_path: Path) -> None:
    library = versioned(tmp_path / "new", "GLIBCXX_3.4.99")
    code = "int glibcxx_3_4_99(void); int f(void) { return glibcxx_3_4_99(); }"
    user = compile_library(tmp_path / "weak.so", code, str(library))
    assert read_links(LocalHost(), str(user)).requires["libstdc++.so.6"] == ("GLIBCXX_3.4.99",)
    # Vernaux: hash, then flags; linkers differ in when they set the flag.
    entry = elf_hash("GLIBCXX_3.4.99").to_bytes(4, "little")
    data = user.read_bytes()
    assert data.count(entry) == 1
    user.write_bytes(data.replace(entry + bytes(2), entry + b"\2\0"))
    assert read_links(LocalHost(), str(user)).requires["libstdc++.so.6"] == ()


@needs_compiler
def test_a_file_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    path = compile_library(tmp_path / "whole.so", "char big[100000] = {1};")
    short = tmp_path / "short.so"
    short.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(ElfError, match="too short"):
        read_links(LocalHost(), str(short))


def test_the_interpreter_itself_can_be_read() -> None:
    links = read_links(LocalHost(), str(Path(sys.executable).resolve()))
    assert links.header.architecture == sysconfig.get_platform().rpartition("-")[2]


@settings(max_examples=200)
@given(data=st.data())
def test_damaged_files_are_refused_or_read(data: st.DataObject) -> None:
    whole = SMALL.read_bytes() if SMALL else b"\x7fELF\x02\x01" + bytes(200)
    changed = bytearray(whole[: 1 << 15])
    for _ in range(data.draw(st.integers(1, 12))):
        changed[data.draw(st.integers(0, min(len(changed), 4096) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ElfError):
        assert isinstance(read_links(FakeReader({"/x": bytes(changed)}), "/x"), Links)


SMALL = next(
    (
        path
        for path in map(Path, ("/lib/x86_64-linux-gnu/libdl.so.2", "/lib64/libdl.so.2", "/lib/aarch64-linux-gnu/libdl.so.2"))
        if path.exists()
    ),
    None,
)
