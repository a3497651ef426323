"""What a project's own files say of it, as the ``[project]`` table (PEP 621), whichever tool they are for: read, and never run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from provisioner.base.toml_text import parse_toml
from provisioner.declared import setup_files
from provisioner.declared.elsewhere import Indexes
from provisioner.declared.find import read_limited
from provisioner.declared.requirements_file import read_files
from provisioner.declared.tables import flat_indexes, groups, poetry_project, table, texts
from provisioner.declared.tool_indexes import take_tables
from provisioner.engines.source_tree import build_system_of
from provisioner.host import Reader
from provisioner.model.record import record

SETUP = {"setup.cfg": setup_files.parse_setup_cfg, "setup.py": setup_files.parse_setup_py}


# What back ends ask for beyond what any file says (their ``get_requires_for_build_editable`` and ``..._wheel``), by the first word of their names.
_ASKED_FOR = {"hatchling": ("editables",), "pdm": ("editables",), "setuptools": ("wheel",)}


@record
class Tables:
    """``project`` as PEP 621 has it, {} where nothing says it; ``groups`` as PEP 735; ``sources`` as uv's; ``builders``: what it is built with."""

    project: Mapping[str, Any]
    groups: Any
    sources: Mapping[str, Any]
    builders: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def read_tables(reader: Reader, folder: str, file: str, faults: list[str], indexes: Indexes, *, root: bool = True) -> Tables:
    """Read ``file`` (a pyproject.toml, relative to ``folder``), and where it leaves the dependencies to setuptools, the files beside it.

    Raises ``InputError`` for what cannot be read; faults of requirements files that are named go to ``faults``,
    and what these say of indexes to ``indexes``; so does what the tools' own tables say of them, of the project that is locked (``root``).
    """
    home = posixpath.dirname(file)
    beside = {name: posixpath.join(home, name) for name in SETUP if reader.exists(posixpath.join(folder, home, name))}
    path = posixpath.join(folder, file)
    # One that is missing is a fault where nothing else can stand for it.
    data = parse_toml(read_limited(reader, path), file=path, name=file) if reader.exists(path) or not beside else {}
    if root:
        take_tables(data, file, indexes)
    own = data.get("project")
    project: Mapping[str, Any] = own if isinstance(own, dict) else poetry_project(data)
    if not project or leaves_out(project):
        given = {key: item for name, where in reversed(beside.items()) for key, item in _setup(reader, folder, name, where).items()}
        project = {**given, **project}
        listed = table(data, "tool", "setuptools", "dynamic", "dependencies").get("file")
        names = [listed] if isinstance(listed, str) else texts(listed)
        project = {**project, "dependencies": [f"-r {name}" for name in names]} if names else project
    return Tables(
        project=_included(reader, folder, home, project, faults, indexes),
        groups=groups(data),
        sources=table(data, "tool", "uv", "sources"),
        builders=_builders(data, file),
        links=flat_indexes(table(data, "tool", "uv")),
    )


def _builders(data: Mapping[str, Any], file: str) -> tuple[str, ...]:
    """Return what a project is built with, and what back ends ask for beyond that without a word in any file."""
    system = build_system_of(data, file=file)
    return (*system.requires, *_ASKED_FOR.get(re.split(r"[.:]", system.backend)[0], ()))


def leaves_out(project: Mapping[str, Any]) -> bool:
    """True for a table that leaves the dependencies to whatever computes them."""
    dynamic = project.get("dynamic")
    return "dependencies" not in project and isinstance(dynamic, list) and "dependencies" in dynamic


def _setup(reader: Reader, folder: str, name: str, where: str) -> dict[str, Any]:
    """Read one of setuptools' files; empty values say nothing, so that those of the other count."""
    found = SETUP[name](read_limited(reader, posixpath.join(folder, where)), where)
    return {key: value for key, value in found.items() if value}


def _included(reader: Reader, folder: str, home: str, project: Mapping[str, Any], faults: list[str], indexes: Indexes) -> Mapping[str, Any]:
    """Put the lines of requirements files in the place of ``-r FILE``."""
    if not any(text.startswith("-r ") for text in texts(project.get("dependencies"))):
        return project
    found: list[str] = []
    for text in texts(project.get("dependencies")):
        if text.startswith("-r "):
            names = [posixpath.normpath(posixpath.join(home, text.removeprefix("-r ")))]
            files = read_files(reader, folder, names, indexes, faults)
            found += [line.requirement.text for file in files for line in file.lines if not file.constraint]
        else:
            found.append(text)
    return {**project, "dependencies": found}
