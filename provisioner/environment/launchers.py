"""Which Python a command of an environment starts, by what stands in its file: the first line of a script, or the line in a launcher for Windows.

Sources: distlib, scripts.py (pip: a program, the line, an archive), uv's trampoline (a program, an archive whose ``__main__.py`` begins with the
line); the long form for paths with blanks, or too long for a kernel, is distlib's, too.
"""

from __future__ import annotations

import re

from provisioner.base.paths import slashed
from provisioner.host import Reader, files

_LINE = re.compile(r"\A#!\s*(?P<plain>/\S*python[\w.]*)\s|\A#!/bin/sh\n'''exec'\s+\"?(?P<long>/[^\"'\n$]*python[\w.]*)\"?\s")
# Launchers have some 50 to 110 kB; of what is larger none is one.
_LAUNCHER_BYTES = 1 << 18
_IN_LAUNCHER = re.compile(rb"#!\"?([A-Za-z]:[\\/][^\"\r\n\0]{1,300})\"?[ \t]*\r?\n")


def python_of(reader: Reader, path: str) -> str:
    """Return the absolute path of the interpreter that the command at ``path`` starts; "" where its file names none."""
    if path.lower().endswith(".exe"):
        return _of_launcher(reader, path)
    found = _LINE.match(files.read(reader, path, 4096).text or "")
    return (found["plain"] or found["long"]) if found else ""


def _of_launcher(reader: Reader, path: str) -> str:
    try:
        entry = reader.entry(path)
        data = reader.read_bytes(path, _LAUNCHER_BYTES) if entry is not None and entry.size <= _LAUNCHER_BYTES else b""
    except files.FAULTS:
        return ""
    found = _IN_LAUNCHER.findall(data)
    return slashed(found[-1].decode("utf-8", "surrogateescape")) if found else ""
