"""The dependencies of a project, with its extras (PEP 685) and dependency groups (PEP 735): of ``[project]`` or whatever says the same."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from provisioner.base.names import normalise
from provisioner.base.text import mask
from provisioner.declared.elsewhere import LINKS, Indexes, is_index_page
from provisioner.declared.local import Local, is_local, read_local
from provisioner.declared.project_table import leaves_out, read_tables
from provisioner.declared.requirement import NotLockableError, Read, parse_any, with_marker
from provisioner.declared.requirements_file import take_link
from provisioner.declared.tables import with_sources
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.model.record import record
from provisioner.model.team import ProjectInput


@record
class Project:
    """What was taken from a project: its requirements, and the Pythons it allows ("" for all).

    ``name`` and ``version`` are its own, "" where only a build could tell; ``projects`` are others that it names by their folders; ``builders``
    are the requirements of its own build. ``computed``: what it depends on only a build could tell. ``links`` are where uv finds files for it.
    """

    requirements: tuple[Read, ...]
    requires_python: str = ""
    name: str = ""
    version: str = ""
    projects: tuple[Local, ...] = ()
    builders: tuple[str, ...] = ()
    computed: bool = False
    links: tuple[str, ...] = ()


def read_project(reader: Reader, folder: str, wanted: ProjectInput, faults: list[str], indexes: Indexes, *, built: bool = False) -> Project:
    """Read what a declaration asks of a project; every fault goes to ``faults`` as ``pyproject.toml: project.dependencies[2]: …``.

    What the lists that it names say of indexes is noted in ``indexes``.
    """
    name = wanted.file
    try:
        said = read_tables(reader, folder, name, faults, indexes, root=not built)
    except InputError as error:
        faults += error.faults or (f"{name}: {error.message}",)
        return Project(requirements=())
    project = said.project
    if built and project.get("name") and leaves_out(project):
        # Its extras, too, are the build's to tell.
        wanted, project = replace(wanted, extras=()), {**project, "dependencies": [], "computed": True}
    if not project and (not wanted.groups or wanted.extras):
        faults.append(f"{name}: has no [project] table, where dependencies of a project stand (PEP 621)")
    table = _Table(name, project, said.sources, faults)
    found = list(table.dependencies()) if project else []
    for extra in wanted.extras:
        found += table.of_extra(extra, "", (), f"{name}: ")
    for text in _groups(said.groups, wanted.groups, name, faults):
        found += table.expand(text, f"{name}: dependency-groups", "", ())
    python, version = project.get("requires-python", ""), project.get("version", "")
    return Project(
        requirements=tuple(found),
        requires_python=python if isinstance(python, str) else "",
        name=table.name,
        version=version if isinstance(version, str) else "",
        projects=tuple(table.projects),
        builders=said.builders,
        computed=bool(project.get("computed")),
        links=tuple(_links(reader, folder, name, said.links, faults, indexes)) if not built else (),
    )


def _links(reader: Reader, folder: str, file: str, links: Iterable[str], faults: list[str], indexes: Indexes) -> Iterator[str]:
    """Note where uv finds files for a project; those of a project that another one names are not asked, as uv asks none."""
    for link in links:
        place = f"{file}: tool.uv"
        if is_index_page(link):
            indexes.take(place, link, LINKS, link)
            continue
        try:
            yield take_link(reader, folder, link, place, indexes, name=file)
        except NotLockableError as error:
            faults.append(f"{place}: `{mask(link)}` {mask(str(error))}")


class _Table:
    """``[project]`` of a file: its requirements, with those on itself put in (``all = ["own-name[gpu,test]"]``)."""

    def __init__(self, file: str, project: Mapping[str, Any], sources: Mapping[str, Any], faults: list[str]) -> None:
        self.file = file
        self.project = project
        self.sources = sources
        self.faults = faults
        self.projects: list[Local] = []
        name = project.get("name")
        self.name = normalise(name) if isinstance(name, str) else ""
        extras = project.get("optional-dependencies", {})
        self.extras = {normalise(key): (key, value) for key, value in extras.items()} if isinstance(extras, dict) else {}

    def dependencies(self, marker: str = "") -> Iterator[Read]:
        """Yield ``project.dependencies``, under a marker."""
        dynamic = self.project.get("dynamic", [])
        if "dependencies" in self.project:
            # The mark keeps a project that depends on itself from being put in again and again.
            yield from self._list(self.project["dependencies"], "project.dependencies", marker, ("",))
        elif isinstance(dynamic, list) and "dependencies" in dynamic:
            why = "are dynamic: only code could tell them, and none is run; say them in [project], or name the file they come from under `files`"
            self.faults.append(f"{self.file}: project.dependencies: {why}")

    def of_extra(self, extra: str, marker: str, chain: tuple[str, ...], where: str) -> Iterator[Read]:
        """Yield the requirements of an extra, under a marker; ``chain`` are the extras that led here."""
        key = normalise(extra)
        if key in chain:
            return
        if key not in self.extras:
            there = f" (there are {', '.join(sorted(self.extras))})" if self.extras else " (it has none)"
            self.faults.append(f"{where}the project has no extra `{extra}`{there}")
            return
        written, texts = self.extras[key]
        yield from self._list(texts, f"project.optional-dependencies.{written}", marker, (*chain, key))

    def _list(self, texts: Any, where: str, marker: str, chain: tuple[str, ...]) -> Iterator[Read]:
        if not isinstance(texts, list):
            self.faults.append(f"{self.file}: {where}: expected a list")
            return
        for number, text in enumerate(texts):
            place = f"{self.file}: {where}[{number}]"
            if isinstance(text, str):
                yield from self.expand(text, place, marker, chain)
            else:
                self.faults.append(f"{place}: expected a text")

    def expand(self, text: str, place: str, marker: str, chain: tuple[str, ...]) -> Iterator[Read]:
        """Yield a requirement; one on the project itself becomes its dependencies and those of the extras that it names."""
        try:
            requirement = self._read(text, place)
        except NotLockableError as error:
            self.faults.append(f"{place}: `{mask(text)}` {mask(str(error))}")
            return
        if requirement is None:
            return
        both = _both(marker, requirement.marker)
        if requirement.name != self.name:
            yield with_marker(requirement, both) if both != requirement.marker else requirement
            return
        # In `[project]` the dependencies themselves are taken anyway; a group that names the project asks for them here.
        if not chain:
            yield from self.dependencies(both)
        for extra in requirement.extras:
            yield from self.of_extra(extra, both, chain, f"{place}: ")

    def _read(self, text: str, place: str) -> Read | None:
        """Read a requirement as the project's own sources redirect it; a folder is kept apart, and None."""
        line = text
        if not is_local(text.removeprefix("-e ")):
            plain = parse_any(text)
            line = with_sources(text, plain.name, plain.extras, plain.marker, self.sources)
        bare = line.removeprefix("-e ")
        if not is_local(bare):
            return parse_any(line, posixpath.dirname(self.file))
        self.projects.append(read_local(bare, place, posixpath.dirname(self.file), editable=bare != line))
        return None


def _both(outer: str, inner: str) -> str:
    """Return a marker that holds where both do."""
    if not outer or not inner or outer == inner:
        return outer or inner
    return f"({outer}) and ({inner})"


def _groups(data: Any, wanted: Iterable[str], file: str, faults: list[str]) -> Iterator[str]:
    """Yield the requirements of dependency groups, includes followed, by the rules of PEP 735."""
    wanted = tuple(wanted)
    if not wanted:
        return
    from packaging.dependency_groups import DependencyGroupResolver  # noqa: PLC0415 - only with groups
    from packaging.errors import ExceptionGroup  # noqa: PLC0415 - as above

    if not isinstance(data, dict):
        faults.append(f"{file}: dependency-groups: expected a table")
        return
    try:
        resolver = DependencyGroupResolver(data)
    except ExceptionGroup as error:
        faults += [f"{file}: dependency-groups: {_words(item)}" for item in error.exceptions]
        return
    for group in wanted:
        if normalise(group) not in map(normalise, data):
            there = f" (there are {', '.join(sorted(map(normalise, data)))})" if data else " (it has none)"
            faults.append(f"{file}: the project has no dependency group `{group}`{there}")
            continue
        try:
            yield from map(str, resolver.resolve(group))
        except ExceptionGroup as error:
            faults += [f"{file}: dependency-groups.{group}: {_words(item)}" for item in error.exceptions]


def _words(error: BaseException) -> str:
    return mask(re.sub(r"\s+", " ", str(error).splitlines()[0] if str(error) else type(error).__name__))
