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

from provisioner.base.versions import readable
from provisioner.choose.versions import some_patch_matches
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.lock.project import Project, read_project
from provisioner.lock.requirement import Read, fault, parse
from provisioner.lock.requirements_file import ReadFile, read_files
from provisioner.model import codec
from provisioner.model.team import Declaration, InputDigest, Inputs


def read_inputs(reader: Reader, declaration: Declaration) -> Inputs:
    """Return requirements and limits in one spelling, sorted, each once, with the digests of all inputs in the order of their names.

    Raises ``InputError`` with every fault of every file: ``requirements.in:12: …``.
    """
    folder = posixpath.dirname(declaration.file)
    faults: list[str] = []
    own = tuple(_inline(declaration, faults))
    files = read_files(reader, folder, declaration.files, [index.url for index in declaration.indexes], faults)
    project = read_project(reader, folder, declaration.project, faults) if declaration.project is not None else None
    if project is not None:
        faults += _python_faults(declaration, project)
    wanted = [*own, *(line.requirement for file in files if not file.constraint for line in file.lines)]
    limits = [line.requirement for file in files if file.constraint for line in file.lines]
    requirements = _replaced(_texts([*wanted, *(project.requirements if project else ())]), declaration, faults)
    if faults:
        raise InputError("what is to be locked holds faults", place=declaration.file, faults=tuple(dict.fromkeys(faults)))
    return Inputs(
        requirements=requirements,
        constraints=_texts(limits),
        digests=tuple(sorted(_digests(declaration, own, files, project), key=lambda item: item.name)),
    )


def _inline(declaration: Declaration, faults: list[str]) -> Iterator[Read]:
    for text in declaration.requirements:
        why = fault(text)
        if why:
            faults.append(f"{posixpath.basename(declaration.file)}: {why}")
        else:
            yield parse(text)


def _replaced(texts: tuple[str, ...], declaration: Declaration, faults: list[str]) -> tuple[str, ...]:
    """Put in the place of requirements what the declaration takes instead; one that no list has any more is a fault."""
    instead = {parse(item.of).text: parse(item.take).text for item in declaration.instead}
    if not faults:
        name = posixpath.basename(declaration.file)
        faults += [f"{name}: instead: no list asks for `{of}` any more" for of in sorted(set(instead) - set(texts))]
    return tuple(sorted({instead.get(text, text) for text in texts}))


def _texts(requirements: Iterable[Read]) -> tuple[str, ...]:
    return tuple(sorted({requirement.text for requirement in requirements}))


def _python_faults(declaration: Declaration, project: Project) -> Iterator[str]:
    """Name the targets whose Python the project does not allow, whatever patch release of it they have."""
    spec = project.requires_python
    file = declaration.project.file if declaration.project else ""
    if spec and not readable(spec):
        yield f"{file}: project.requires-python: `{spec}` is no list of versions"
        return
    for target in declaration.targets:
        if not some_patch_matches(spec, target.python):
            yield f"{file}: project.requires-python: `{spec}` does not allow Python {target.python} of the target {target.name}"


def _digests(
    declaration: Declaration, own: tuple[Read, ...], files: tuple[ReadFile, ...], project: Project | None
) -> Iterator[InputDigest]:
    name = posixpath.basename(declaration.file)
    for key, value in _said(declaration, own).items():
        yield InputDigest(name=f"{name}: {key}", sha256=_digest(value))
    merged: dict[str, list[str]] = {}
    for file in files:
        lines = [*file.others, *(line.requirement.text for line in file.lines)]
        merged.setdefault(file.name, []).extend(f"limit {text}" if file.constraint else text for text in lines)
    for file_name, lines in merged.items():
        yield InputDigest(name=file_name, sha256=_digest(sorted(set(lines))))
    if project is not None and declaration.project is not None:
        texts = _texts(project.requirements)
        yield InputDigest(name=declaration.project.file, sha256=_digest([project.requires_python, *texts]))


def _said(declaration: Declaration, own: tuple[Read, ...]) -> dict[str, Any]:
    """Return what the declaration itself says, key by key, so that a change can be named; a key that says nothing has no digest."""
    said = {
        "tensorflow": declaration.tensorflow,
        "targets": [_beyond_defaults(target) for target in declaration.targets],
        "requirements": _texts(own),
        "files": sorted(set(declaration.files)),
        "project": _beyond_defaults(declaration.project) if declaration.project else None,
        "instead": [codec.to_data(item) for item in declaration.instead],
        "indexes": [_beyond_defaults(index) for index in declaration.indexes],
        "channels": list(declaration.channels),
        "policy": _beyond_defaults(declaration.policy),
        "formats": sorted(declaration.formats),
    }
    return {key: value for key, value in said.items() if value}


def _beyond_defaults(value: Any) -> dict[str, Any]:
    """Return a record's data without what is at its default, so that a field that a later version adds makes no lock stale."""
    fields = [field for field in dataclasses.fields(value) if getattr(value, field.name) != field.default]
    return {field.name: codec.to_data(getattr(value, field.name)) for field in fields}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
