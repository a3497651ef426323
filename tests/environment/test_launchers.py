"""Which Python a command starts: scripts as installers write them, and pip's real launcher for Windows."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import distlib
import pytest

from provisioner.environment.launchers import python_of
from provisioner.host.local import LocalHost

# The program that pip puts before the line (64 bits): distlib's own, for Debian's pip is without the copy that pip brings.
PROGRAM = (Path(distlib.__file__).parent / "t64.exe").read_bytes()


def launcher(line: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("__main__.py", "import sys\n")
    return PROGRAM + line.encode() + archive.getvalue()


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("#!C:\\w\\env\\Scripts\\python.exe\r\n", "C:/w/env/Scripts/python.exe"),
        ('#!"C:\\my envs\\Büro\\Scripts\\python.exe"\n\r\n', "C:/my envs/Büro/Scripts/python.exe"),
        ("#!python.exe\n", ""),
        ("", ""),
    ],
)
def test_the_launcher_of_pip(tmp_path: Path, line: str, python: str) -> None:
    path = tmp_path / "pip.exe"
    path.write_bytes(launcher(line))
    assert python_of(LocalHost(), str(path)) == python


@pytest.mark.parametrize("content", [b"", b"MZ", b"#!C:\\a\\python.exe", b"x" * (1 << 19)])
def test_other_programs_name_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.exe"
    path.write_bytes(content)
    assert python_of(LocalHost(), str(path)) == ""
    assert python_of(LocalHost(), str(tmp_path / "gone.exe")) == ""
    assert python_of(LocalHost(), str(tmp_path / "gone")) == ""
