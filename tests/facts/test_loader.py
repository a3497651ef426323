"""The order in which the loader looks, held against the real one: what `ctypes.CDLL` loads in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from provisioner.facts.loader import Loader
from provisioner.host.local import LocalHost
from tests.facts.test_elf_links import compile_library, needs_compiler

pytestmark = needs_compiler
NAME = "libtfsetuptest.so.7"
OPEN = f'int g(void); int dlclose(void *); void *dlopen(const char *, int); void *go(void) {{ return dlopen("{NAME}", 2); }}'
ASK = """
import ctypes, sys
ctypes.CDLL(sys.argv[1]).go
library = ctypes.CDLL(sys.argv[1]); library.go.restype = ctypes.c_void_p
library.go()
print(sorted({line.split()[-1] for line in open('/proc/self/maps') if 'libtfsetuptest' in line}))
"""


def copy(folder: Path, *options: str) -> Path:
    return compile_library(folder / NAME, "int g(void) { return 1; }", f"-Wl,-soname,{NAME}", *options)


def opener(path: Path, *options: str) -> Path:
    return compile_library(path, OPEN, *options)


def really(path: Path, library_path: str) -> list[str]:
    env = {**os.environ, "LD_LIBRARY_PATH": library_path}
    done = subprocess.run([sys.executable, "-c", ASK, path], env=env, capture_output=True, text=True, check=True)
    return eval(done.stdout)


def ours(path: Path, library_path: str) -> tuple[str, str, str]:
    loader = Loader(LocalHost(), program=sys.executable, library_path=library_path, cwd="/")
    taken = loader.find(NAME, (loader.program, str(path)))
    return taken.path, taken.by, taken.fault


def test_library_path_wins_over_runpath(tmp_path: Path) -> None:
    inner, outer = copy(tmp_path / "deps"), copy(tmp_path / "outer")
    path = opener(tmp_path / "open.so", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/deps")
    assert ours(path, "") == (str(inner), "RUNPATH", "")
    assert really(path, "") == [str(inner)]
    assert ours(path, f"/nowhere:{outer.parent}") == (str(outer), "LD_LIBRARY_PATH", "")
    assert really(path, f"/nowhere:{outer.parent}") == [str(outer)]


def test_rpath_wins_over_library_path(tmp_path: Path) -> None:
    inner, outer = copy(tmp_path / "deps"), copy(tmp_path / "outer")
    path = opener(tmp_path / "open.so", "-Wl,--disable-new-dtags,-rpath,$ORIGIN/deps")
    assert ours(path, str(outer.parent)) == (str(inner), f"RPATH of {path}", "")
    assert really(path, str(outer.parent)) == [str(inner)]


def test_another_architecture_is_passed_over_and_damage_ends_the_search(tmp_path: Path) -> None:
    inner, alien, broken = copy(tmp_path / "deps"), copy(tmp_path / "alien"), tmp_path / "broken" / NAME
    data = bytearray(alien.read_bytes())
    data[18:20] = (243).to_bytes(2, "little")  # EM_RISCV
    alien.write_bytes(data)
    broken.parent.mkdir()
    broken.write_text("no library")
    path = opener(tmp_path / "open.so", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/deps")
    assert ours(path, str(alien.parent))[:2] == (str(inner), "RUNPATH")
    assert really(path, str(alien.parent)) == [str(inner)]
    assert ours(path, str(broken.parent))[2] == "not an ELF file"
    assert really(path, str(broken.parent)) == []


def test_a_link_keeps_its_own_folder_as_origin(tmp_path: Path) -> None:
    copy(tmp_path / "real")
    path = opener(tmp_path / "real" / "open.so", "-Wl,--enable-new-dtags,-rpath,$ORIGIN")
    link = tmp_path / "linked" / "open.so"
    link.parent.mkdir()
    link.symlink_to(path)
    assert ours(link, "")[0] == ""
    assert really(link, "") == []


def test_what_a_library_needs_is_looked_up_too(tmp_path: Path) -> None:
    inner = copy(tmp_path / "deps")
    user = compile_library(
        tmp_path / "libuser.so.1",
        "int g(void); int f(void) { return g(); }",
        str(inner),
        "-Wl,--enable-new-dtags,-rpath,$ORIGIN/deps,-soname,libuser.so.1",
    )
    path = opener(tmp_path / "open.so", "-Wl,--enable-new-dtags,-rpath,$ORIGIN")
    loader = Loader(LocalHost(), program=sys.executable, library_path="", cwd="/")
    chain = (loader.program, str(path))
    loaded: dict[str, str] = {}
    assert loader.open("libuser.so.1", chain, loaded).missing == ""
    assert loaded[NAME] == str(inner)
    inner.unlink()
    opened = Loader(LocalHost(), program=sys.executable, library_path="", cwd="/").open("libuser.so.1", chain, {})
    assert (opened.taken.path, opened.missing, opened.needed_by) == (str(user), NAME, str(user))


def test_the_systems_cache_is_used(tmp_path: Path) -> None:
    path = opener(tmp_path / "open.so")
    loader = Loader(LocalHost(), program=sys.executable, library_path="", cwd="/")
    taken = loader.find("libc.so.6", (loader.program, str(path)))
    assert Path(taken.path).name == "libc.so.6"
    assert loader.find("libnothing.so.1", (loader.program, str(path))).path == ""
