"""All that a team's lock is made from: its own requirements, read from wherever the declaration names them, and a digest for each input.

A digest tells whether an input says something else than before: comments, blanks, order and spelling of names do not count in it, and of a
``pyproject.toml`` only what was taken from it does.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.base.paths import address_of
from provisioner.base.text import mask
from provisioner.base.versions import readable
from provisioner.choose.versions import some_patch_matches
from provisioner.declared.direct import path_of
from provisioner.declared.elsewhere import Indexes, IndexesError
from provisioner.declared.find import PYPROJECT, read_limited
from provisioner.declared.links import carried_of, is_there, placed, read_line
from provisioner.declared.local import Local, is_local, read_local
from provisioner.declared.project import Project, read_project
from provisioner.declared.requirement import NotLockableError, Read, parse_any
from provisioner.declared.requirements_file import ReadFile, link_in, read_files, take_link
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.host.files import glob_escape
from provisioner.model import codec
from provisioner.model.checkout import Checkout
from provisioner.model.record import record
from provisioner.model.team import Declaration, InputDigest, Inputs, ProjectInput


def read_inputs(reader: Reader, declaration: Declaration) -> Inputs:
    """Return requirements and limits in one spelling, sorted, each once, with the digests of all inputs in the order of their names.

    Raises ``InputError`` with every fault of every file: ``requirements.in:12: …``; ``IndexesError`` where only indexes are not declared.
    """
    folder = posixpath.dirname(declaration.file)
    faults: list[str] = []
    indexes = Indexes(declaration.indexes)
    own, named = _inline(reader, declaration, faults, indexes)
    files = read_files(reader, folder, declaration.files, indexes, faults)
    project = read_project(reader, folder, declaration.project, faults, indexes) if declaration.project is not None else None
    if project is not None and declaration.project is not None:
        faults += _python_faults(declaration, project, declaration.project.file)
    named = [*named, *(local for file in files for local in file.projects), *(project.projects if project else ())]
    theirs = _projects(reader, folder, declaration, named, faults, indexes)
    lines = [line for file in files if not file.constraint for line in file.lines]
    wanted = [*own, *(line.requirement for line in lines), *(project.requirements if project else ())]
    wanted += [requirement for item in theirs for requirement in item.project.requirements]
    faults += [f"{path_of(item.url)}: is not there, and your lists name it" for item in wanted if not is_there(reader, folder, item)]
    asked = indexes.unnamed(wanted)
    _check(declaration, [*faults, *(item.words for item in asked)] if faults else [])
    if asked:
        raise IndexesError(asked, declaration.file)
    own_names = {item.checkout.name for item in theirs}
    wanted = [requirement for requirement in wanted if requirement.name not in own_names]
    limits = [line.requirement for file in files if file.constraint for line in file.lines]
    computed = (item.requirement(folder) for item in theirs if item.project.computed)
    requirements = _replaced(tuple(sorted({*_texts(wanted), *computed})), declaration, faults)
    _check(declaration, faults)
    carried = tuple(carried_of(reader, folder, indexes.folders, wanted))
    digests = [*_digests(declaration, own, files, project, theirs), *(InputDigest(name=item.path, sha256=item.sha256) for item in carried)]
    places = {item.url: "" for item in wanted} | {line.requirement.url: line.place for line in lines} | indexes.pages
    return Inputs(
        requirements=tuple(sorted(placed(text, folder) for text in requirements)),
        constraints=_texts(limits),
        digests=tuple(sorted(digests, key=lambda item: item.name)),
        projects=tuple(item.checkout for item in theirs),
        builders=tuple(sorted({text for item in theirs for text in item.project.builders})),
        hashes=_hashes(wanted),
        places={url: place for url, place in places.items() if url and not path_of(url)},
        links=(*dict.fromkeys(posixpath.normpath(posixpath.join(folder, link)) for link in indexes.folders), *indexes.pages),
        carried={item.sha256: item for item in reversed(carried)},
    )


def _check(declaration: Declaration, faults: list[str]) -> None:
    if faults:
        raise InputError("what is to be locked holds faults", place=declaration.file, faults=tuple(dict.fromkeys(faults)))


def _hashes(wanted: Iterable[Read]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for requirement in wanted:
        if requirement.hashes:
            found.setdefault(requirement.name, set()).update(requirement.hashes)
    return {name: tuple(sorted(hashes)) for name, hashes in sorted(found.items())}


def _inline(reader: Reader, declaration: Declaration, faults: list[str], indexes: Indexes) -> tuple[tuple[Read, ...], list[Local]]:
    """Return what the declaration asks for in its own words: requirements, and projects by their folders; ``indexes`` takes where files are found."""
    folder = posixpath.dirname(declaration.file)
    name = posixpath.basename(declaration.file)
    own: list[Read] = []
    projects: list[Local] = []
    for text in declaration.requirements:
        bare = text.removeprefix("-e ").strip()
        try:
            if link := link_in(bare):
                take_link(reader, folder, link, name, indexes)
            elif is_local(bare):
                projects.append(read_local(bare, name, "", editable=bare != text.strip()))
            else:
                own.append(read_line(reader, folder, name, bare))
        except NotLockableError as error:
            faults.append(f"{name}: `{mask(text)}` {mask(str(error))}")
    return tuple(own), projects


@record
class _Own:
    """A project of the team's own, and what was read of it."""

    checkout: Checkout
    project: Project
    extras: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()

    def requirement(self, folder: str) -> str:
        """The requirement on the project itself, for what has to be built to be known: ``folder`` is the declaration's."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.checkout.name}{extras} @ {address_of(posixpath.normpath(posixpath.join(folder, self.checkout.folder)))}"


def _projects(
    reader: Reader, folder: str, declaration: Declaration, named: Iterable[Local], faults: list[str], indexes: Indexes
) -> tuple[_Own, ...]:
    """Read the projects that are named by their folders, and those that these name, each once with all extras that are asked of it."""
    found: dict[str, _Own] = {}
    seen: dict[str, set[str]] = {}
    waiting = list(named)
    while waiting:
        local = waiting.pop(0)
        extras = seen.setdefault(local.folder, set())
        editable = local.editable or (local.folder in found and found[local.folder].checkout.editable)
        if local.folder in found and set(local.extras) <= extras and editable == found[local.folder].checkout.editable:
            continue
        extras |= set(local.extras)
        told: list[str] = []
        file = posixpath.normpath(posixpath.join(local.folder, PYPROJECT))
        project = read_project(reader, folder, ProjectInput(file=file, extras=tuple(sorted(extras))), told, indexes, built=True)
        if not project.name and not told:
            told.append(f"{file}: says no name of the project; write `[project]` with name, version and dependencies")
        faults += [f"{local.place}: {fault}" for fault in told] + list(_python_faults(declaration, project, file))
        checkout = Checkout(name=project.name, version=project.version, folder=local.folder, editable=editable)
        found[local.folder] = _Own(
            checkout=checkout, project=project, extras=tuple(sorted(extras)), contents=_contents(reader, folder, local, project)
        )
        waiting += project.projects
    return tuple(found[key] for key in sorted(found))


def _contents(reader: Reader, folder: str, local: Local, project: Project) -> tuple[str, ...]:
    """Return what of a project its build may compute from: its files of setup and its lists, so that a change of them makes the lock stale."""
    home = posixpath.normpath(posixpath.join(folder, local.folder))
    names = (
        "pyproject.toml",
        "setup.cfg",
        "setup.py",
        *(posixpath.basename(path) for path in sorted(reader.glob(f"{glob_escape(home)}/*.txt"))),
    )
    paths = [posixpath.join(home, name) for name in names]
    return tuple(read_limited(reader, path) for path in paths if reader.exists(path)) if project.computed else ()


def _replaced(texts: tuple[str, ...], declaration: Declaration, faults: list[str]) -> tuple[str, ...]:
    """Put in the place of requirements what the declaration takes instead; one that no list has any more is a fault."""
    instead = {parse_any(item.of).text: parse_any(item.take).text for item in declaration.instead}
    if not faults:
        name = posixpath.basename(declaration.file)
        faults += [f"{name}: instead: no list asks for `{of}` any more" for of in sorted(set(instead) - set(texts))]
    return tuple(sorted({instead.get(text, text) for text in texts}))


def _texts(requirements: Iterable[Read]) -> tuple[str, ...]:
    return tuple(sorted({requirement.text for requirement in requirements}))


def _python_faults(declaration: Declaration, project: Project, file: str) -> Iterator[str]:
    """Name the targets whose Python the project does not allow, whatever patch release of it they have."""
    spec = project.requires_python
    if spec and not readable(spec):
        yield f"{file}: project.requires-python: `{spec}` is no list of versions"
        return
    for target in declaration.targets:
        if not some_patch_matches(spec, target.python):
            yield f"{file}: project.requires-python: `{spec}` does not allow Python {target.python} of the target {target.name}"


def _digests(
    declaration: Declaration, own: tuple[Read, ...], files: tuple[ReadFile, ...], project: Project | None, theirs: tuple[_Own, ...]
) -> Iterator[InputDigest]:
    name = posixpath.basename(declaration.file)
    for key, value in _said(declaration, own).items():
        yield InputDigest(name=f"{name}: {key}", sha256=_digest(value))
    merged: dict[str, list[str]] = {}
    for file in files:
        lines = [*file.others, *(" ".join([line.requirement.text, *line.requirement.hashes]) for line in file.lines)]
        lines += [_said_of(local) for local in file.projects]
        merged.setdefault(file.name, []).extend(f"limit {text}" if file.constraint else text for text in lines)
    for file_name, lines in merged.items():
        yield InputDigest(name=file_name, sha256=_digest(sorted(set(lines))))
    if project is not None and declaration.project is not None:
        texts = _texts(project.requirements)
        yield InputDigest(name=declaration.project.file, sha256=_digest([project.requires_python, *texts, *project.links]))
    for item in theirs:
        said = [item.checkout.name, item.checkout.version, item.checkout.editable, item.project.requires_python, *item.contents]
        yield InputDigest(name=f"{item.checkout.folder}: the project", sha256=_digest([*said, *_texts(item.project.requirements)]))


def _said_of(local: Local) -> str:
    return f"{'-e ' if local.editable else ''}{local.folder}[{','.join(local.extras)}]"


def _said(declaration: Declaration, own: tuple[Read, ...]) -> dict[str, Any]:
    """Return what the declaration itself says, key by key, so that a change can be named; a key that says nothing has no digest."""
    said = {
        "tensorflow": declaration.tensorflow,
        "targets": [_beyond_defaults(target) for target in declaration.targets],
        "requirements": sorted({*_texts(own), *filter(_is_apart, declaration.requirements)}),
        "files": sorted(set(declaration.files)),
        "project": _beyond_defaults(declaration.project) if declaration.project else None,
        "instead": [codec.to_data(item) for item in declaration.instead],
        "indexes": [_beyond_defaults(index) for index in declaration.indexes],
        "channels": list(declaration.channels),
        "conda": sorted(declaration.conda),
        "policy": _beyond_defaults(declaration.policy),
        "formats": sorted(declaration.formats),
    }
    return {key: value for key, value in said.items() if value}


def _is_apart(text: str) -> bool:
    """True for an entry that is no requirement: a project's folder, or where files are found."""
    return bool(link_in(text)) or is_local(text.removeprefix("-e ").strip())


def _beyond_defaults(value: Any) -> dict[str, Any]:
    """Return a record's data without what is at its default, so that a field that a later version adds makes no lock stale."""
    fields = [field for field in dataclasses.fields(value) if getattr(value, field.name) != field.default]
    return {field.name: codec.to_data(getattr(value, field.name)) for field in fields}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
