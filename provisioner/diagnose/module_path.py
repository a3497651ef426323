"""Where each entry of an interpreter's module path comes from: what to thank for it, and what to unset to be rid of it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.base.paths import joined
from provisioner.diagnose.case import PathEntry
from provisioner.environment.distributions import Origin
from provisioner.environment.layout import layout
from provisioner.host import Reader, files

PTH_LIMIT = 1 << 16


def entries(reader: Reader, answer: Mapping[str, Any], cwd: str, env: str) -> tuple[PathEntry, ...]:
    """The entries of the answer's ``path`` with their origins; relative ones are below ``cwd``.

    ``env`` is the root of the environment in question: a conda environment is one, though its interpreter does not say so.

    The rules are those of CPython's ``site`` and ``getpath`` modules: PYTHONPATH stands before the standard library, after it come the
    site-packages of the environment, the user's and the base's, and what ``.pth`` files in those add.
    """
    path = [joined(cwd, str(entry)) for entry in answer["path"]]
    variable = _python_path(reader, cwd)
    sites = [files.real(reader, entry) for entry in path if posixpath.basename(entry) in {"site-packages", "dist-packages"}]
    added = _pth(reader, dict.fromkeys(sites))
    return tuple(
        _entry(reader, entry, answer, variable, added, env, tuple(sites), first=number == 0 and entry == cwd)
        for number, entry in enumerate(path)
    )


def _entry(
    reader: Reader,
    entry: str,
    answer: Mapping[str, Any],
    variable: Mapping[str, str],
    added: Mapping[str, str],
    env: str,
    sites: tuple[str, ...],
    *,
    first: bool,
) -> PathEntry:
    real = files.real(reader, entry)
    prefix, base = files.real(reader, str(answer["prefix"])), files.real(reader, str(answer["base_prefix"]))
    user = str(answer["user_site"])
    stdlib = {files.real(reader, str(folder)) for folder in answer["stdlib"]}
    origin: Origin = "other"
    by = ""
    if first:
        origin = "cwd"
    elif real in variable:
        origin, by = "PYTHONPATH", variable[real]
    elif real in stdlib or posixpath.basename(real) in {"lib-dynload", "DLLs"} or _is_zip(real):
        origin = "stdlib"
    elif user and real == files.real(reader, user):
        origin = "user"
    elif real in added:
        origin, by = "pth", added[real]
    elif (env and _inside(real, env)) or (_inside(real, prefix) and prefix != base):
        origin = "environment"
    elif posixpath.basename(real) in {"site-packages", "dist-packages"}:
        origin = "base"
    elif (hook := _hook(reader, entry, sites)) != "":
        origin, by = "pth", hook
    elif _inside(real, base):
        origin = "base"
    return PathEntry(path=entry, origin=origin, by=by)


def _hook(reader: Reader, entry: str, sites: tuple[str, ...]) -> str:
    """The file that put an entry there with code: an ``import`` line of a ``.pth`` file, ``sitecustomize`` or ``usercustomize``."""
    whole = re.compile(rf"(?m)^[^#\n]*(?<![\w/]){re.escape(entry)}/?(?![\w/.-])")
    for site in dict.fromkeys(sites):
        names = (
            f"{site}/sitecustomize.py",
            f"{site}/usercustomize.py",
            *files.matches(reader, posixpath.join(files.glob_escape(site), "*.pth")),
        )
        for path in names:
            if whole.search(files.read(reader, path, PTH_LIMIT).text or ""):
                return path
    return ""


def _is_zip(path: str) -> bool:
    """True for ``python311.zip``, which is on every path and most often not there."""
    name = posixpath.basename(path)
    return name.startswith("python") and name.endswith(".zip")


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _python_path(reader: Reader, cwd: str) -> dict[str, str]:
    """Each folder of PYTHONPATH (an empty entry is the working directory) with the words of the variable."""
    value = reader.env.get("PYTHONPATH", "")
    parts = [part for part in value.split(layout(reader.platform).separator) if value]
    return {files.real(reader, joined(cwd, part)): f"PYTHONPATH={value}" for part in parts}


def _pth(reader: Reader, sites: Iterable[str]) -> dict[str, str]:
    """Each folder that a ``.pth`` file of those folders adds, with the file (``site``: lines that are neither comments nor imports)."""
    found: dict[str, str] = {}
    for site in sites:
        for path in files.matches(reader, posixpath.join(files.glob_escape(site), "*.pth")):
            text = files.read(reader, path, PTH_LIMIT).text or ""
            for row in text.splitlines():
                line = row.strip()
                if line and "\0" not in line and not line.startswith(("#", "import ", "import\t")):
                    found.setdefault(files.real(reader, joined(site, line)), path)
    return found
