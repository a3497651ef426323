"""Packs a Python of this machine as the conda package ``python``; it then runs from wherever it is linked to."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

from tests.channel.elf import set_run_path
from tests.channel.packages import PLACEHOLDER, File, Package

# Left out wherever they are: what nobody runs from a test's environment.
SKIPPED = {"__pycache__", "test", "tests", "idlelib", "idle_test", "tkinter", "turtledemo", "ensurepip", "site-packages"}
PROGRAMS = re.compile(r"(python|pydoc)[0-9.]*m?(-config)?")


class MissingPythonError(LookupError):
    """A Python that this machine does not have; the message names it."""


def find(version: str) -> Path:
    """Return the prefix of a Python such as "3.8" that can be packed: pyenv's newest, or the one that runs the tests."""
    roots = [os.environ.get("PYENV_ROOT", ""), str(Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv")]
    for root in filter(None, roots):
        found = [path for path in Path(root).glob(f"versions/{version}.*") if (path / f"bin/python{version}").exists()]
        if found:
            return max(found, key=lambda path: [int(part) for part in re.findall(r"\d+", path.name)])
    own = Path(sys.base_prefix)
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version and own != Path("/usr"):
        return own
    raise MissingPythonError(f"Python {version} is not on this machine: no {version}.* among pyenv's versions")


def is_here(version: str) -> bool:
    """Say whether a Python can be packed."""
    try:
        find(version)
    except MissingPythonError:
        return False
    return True


def needs(*versions: str) -> pytest.MarkDecorator:
    """Skip a test where one of these Pythons is not on the machine, and name it."""
    missing = [version for version in versions if not is_here(version)]
    return pytest.mark.skipif(bool(missing), reason=f"Python {', '.join(missing)} is not on this machine")


def tag(version: str) -> str:
    """Return the tag of a Python's binary interface as conda-forge writes it: cp37m, cp310."""
    major, minor = version.split(".")[:2]
    return f"cp{major}{minor}" + ("m" if int(minor) < 8 else "")


def pack(prefix: Path) -> Package:
    """Return the package of a Python, declared as conda-forge declares it, but for the libraries that it takes from the machine."""
    release = release_of(prefix)
    short = release.rpartition(".")[0]
    abi = f"python_abi {short}.* *_{tag(short)}"
    newer = int(short.partition(".")[2]) >= 13
    return Package(
        name="python",
        version=release,
        build=f"h1234567_100_{tag(short)}" if newer else "h1234567_0_cpython",
        number=100 if newer else 0,
        depends=("__glibc >=2.17,<3.0.a0", *([abi] if newer else [])),
        constrains=() if newer else (abi,),
        license="Python-2.0",
        files=dict(collect(prefix, short)),
    )


def pack_abi(version: str) -> Package:
    """Return the package that says which binary interface an environment has."""
    short = ".".join(version.split(".")[:2])
    build = "*_cpython" if int(short.partition(".")[2]) < 13 else f"*_{tag(short)}"
    return Package(
        name="python_abi",
        version=short,
        build=f"8_{tag(short)}",
        number=8,
        noarch="generic",
        constrains=(f"python {short}.* {build}",),
        license="BSD-3-Clause",
    )


def pack_pip(prefix: Path) -> Package:
    """Return pip as a package for any Python, from the newest wheel that comes with this one."""
    wheels = sorted(prefix.glob("lib/python3.*/ensurepip/_bundled/pip-*.whl"))
    if not wheels:
        raise MissingPythonError(f"no pip comes with {prefix}")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        files = {f"site-packages/{name}": File(wheel.read(name)) for name in wheel.namelist() if not name.endswith("/")}
    metadata = next(file.data.decode() for name, file in files.items() if name.endswith(".dist-info/METADATA"))
    fields = Parser().parsestr(metadata)
    main = "pip._internal.cli.main:main" if "site-packages/pip/_internal/cli/main.py" in files else "pip._internal:main"
    return Package(
        name="pip",
        version=fields["Version"],
        build="pyh1234567_0",
        noarch="python",
        depends=(f"python {(fields['Requires-Python'] or '>=3.6').replace(' ', '')}",),
        entry_points=(f"pip = {main}", f"pip3 = {main}"),
        license="MIT",
        files=files,
    )


def release_of(prefix: Path) -> str:
    """Return the exact version of the Python in a prefix."""
    header = next(prefix.glob("include/python3*/patchlevel.h")).read_text()
    found = re.search(r'#define PY_VERSION\s+"([^"]+)"', header)
    assert found
    return found[1].rstrip("+")


def collect(prefix: Path, short: str) -> Iterator[tuple[str, File]]:
    """Yield every path that goes into the package."""
    library = f"lib/python{short}"
    for path in (prefix / "bin").iterdir():
        if PROGRAMS.fullmatch(path.name):
            yield f"bin/{path.name}", convert(path, prefix)
    for pattern in ("lib/libpython*.so*", f"include/python{short}*/**/*", f"{library}/**/*"):
        for path in prefix.glob(pattern):
            inner = path.relative_to(prefix)
            static = path.suffix in {".a", ".o"}
            if not static and not SKIPPED.intersection(inner.parts) and (path.is_symlink() or path.is_file()):
                yield str(inner), convert(path, prefix)
    yield f"{library}/site-packages/README.txt", File(b"This is where packages go.\n")


def convert(path: Path, prefix: Path) -> File:
    """Return a file for the package: libraries found relative to it, the old prefix replaced by the placeholder."""
    if path.is_symlink():
        target = os.readlink(path)
        return File(link=os.path.relpath(target, path.parent) if os.path.isabs(target) else target)
    data, old = path.read_bytes(), os.fsencode(prefix)
    if data.startswith(b"\x7fELF"):
        data = strip(path)
        up = os.path.relpath(prefix / "lib", path.parent)
        data = set_run_path(data, f"$ORIGIN/{up}" if up != "." else "$ORIGIN")
        data = data.replace(old, nowhere(old))
    elif b"\0" not in data:
        data = data.replace(old, PLACEHOLDER.encode())
    return File(data, mode=0o755 if os.access(path, os.X_OK) else 0o644)


def nowhere(prefix: bytes) -> bytes:
    """Return a folder that does not exist, of the same length and last name: linkers let other strings share a string's end."""
    parent, _, name = prefix.rpartition(b"/")
    return b"/" + b"-" * (len(parent) - 1) + b"/" + name


def strip(path: Path) -> bytes:
    """Return a binary without what only debuggers read, where binutils can do that."""
    program = shutil.which("strip")
    if not program:
        return path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.name
        subprocess.run([program, "--strip-debug", "-o", target, path], check=True, capture_output=True)
        return target.read_bytes()
