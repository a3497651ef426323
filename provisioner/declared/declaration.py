"""The declaration of a team: ``tfsetup.yaml``, or ``[tool.tfsetup]`` in ``pyproject.toml``, read and checked in one place for all commands."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from provisioner.base.names import normalise
from provisioner.catalogue.yaml_text import find_places, parse_yaml
from provisioner.declared import checks
from provisioner.declared.find import FILE, PYPROJECT, Found, find
from provisioner.declared.keys import DECLARATION
from provisioner.declared.shape import ShapeFault, label, read
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.model.policy import ANY, Policy, SignOff
from provisioner.model.record import record
from provisioner.model.team import Declaration, Index, Instead, ProjectInput, Target

# Letters of tfsetup.yaml: what a person writes has a few hundred lines, and reading takes a second for each megabyte and more.
LONGEST = 1 << 18


@record
class Written:
    """What a file says under its keys, checked: ``file`` is absolute, ``data`` holds text, numbers, truths, tuples and dicts."""

    file: str
    data: dict[str, Any]


def read_keys(reader: Reader, folder: str) -> Written | None:
    """Read the declaration in a folder (absolute), or None where there is none.

    Raises ``InputError`` with every fault: ``tfsetup.yaml:12:3: targets[0].device: expected …``, for TOML with the key alone.
    """
    found = find(reader, folder)
    return checked(found) if found is not None else None


def checked(found: Found) -> Written:
    """Read and check all keys of a declaration; raises ``InputError`` as ``read_keys``."""
    data = _yaml_data(found) if found.is_yaml else found.table
    if not isinstance(data, dict):
        raise InputError("expected settings as `name: value` lines", place=found.file)
    faults: list[ShapeFault] = []
    values: dict[str, Any] = read(DECLARATION, data, (), faults) or {}
    faults += checks.faults(values)
    if faults:
        raise InputError("holds faults", place=found.file, faults=_told(faults, found))
    return Written(file=found.file, data=values)


def _yaml_data(found: Found) -> Any:
    if len(found.text) > LONGEST:
        raise InputError(f"cannot be read: it is larger than {LONGEST >> 10} KiB, which no declaration is", place=found.file)
    try:
        # Numbers stay as they are written, so `tensorflow: 2.20` is not 2.2.
        data = parse_yaml(found.text, file=found.file)
    except InputError as error:
        # In the form that editors and terminals can follow.
        error.faults = tuple(re.sub(r"^line (\d+), column (\d+): ", rf"{FILE}:\1:\2: ", fault) for fault in error.faults)
        raise
    return {} if data is None else data


def read_declaration(reader: Reader, folder: str) -> Declaration:
    """Return what a team declares in a folder (absolute); raises ``InputError`` where there is nothing, or with every fault of it."""
    written = read_keys(reader, folder)
    if written is None:
        raise InputError(
            f"there is no {FILE}, and no [tool.tfsetup] in {PYPROJECT}", place=folder, hint="`tfsetup init` writes a first one"
        )
    if "targets" not in written.data:
        hint = "name each kind of machine under `targets`; `tfsetup init` writes a first file with all that belongs in it"
        raise InputError("names no targets, so there is nothing to lock for", place=written.file, hint=hint)
    return _declaration(written)


def _told(faults: list[ShapeFault], found: Found) -> tuple[str, ...]:
    """Return the faults with their places, in the order of the file; the parser of TOML does not tell lines."""
    if not found.is_yaml:
        return tuple(f"{PYPROJECT}: {label(('tool', 'tfsetup', *fault.path))}: {fault.why}" for fault in faults)
    values, keys = find_places(found.text)
    told = []
    for fault in faults:
        line, column = (keys if fault.on_key else values).get(fault.path, (1, 1))
        where = f"{label(fault.path)}: " if fault.path else ""
        told.append((line, column, f"{FILE}:{line}:{column}: {where}{fault.why}"))
    return tuple(words for _, _, words in sorted(told))


def _declaration(written: Written) -> Declaration:
    data = written.data
    project = data.get("project")
    own_file = PYPROJECT if project is not None else ""
    return Declaration(
        file=written.file,
        tensorflow=data.get("tensorflow", ""),
        targets=tuple(Target(**target) for target in checks.expand_targets(data)),
        requirements=(*data.get("requirements", ()), *data.get("with", ())),
        files=tuple(posixpath.normpath(path) for path in data.get("files", ())),
        project=ProjectInput(
            file=posixpath.normpath(project.get("file", own_file)),
            extras=tuple(dict.fromkeys(map(normalise, project.get("extras", ())))),
            groups=tuple(dict.fromkeys(map(normalise, project.get("groups", ())))),
        )
        if project is not None
        else None,
        indexes=tuple(
            Index(url=item["url"], name=item.get("name", ""), packages=tuple(sorted(map(normalise, item.get("packages", ())))))
            for item in data.get("indexes", ())
        ),
        channels=tuple(dict.fromkeys(data.get("channels", ()))),
        conda=tuple(dict.fromkeys(" ".join(text.split()) for text in data.get("conda", ()))),
        instead=tuple(Instead(**item) for item in data.get("instead", ())),
        verify=tuple(data.get("verify", ())),
        policy=policy_of(data.get("policy", {})),
        folder=posixpath.normpath(data.get("folder", ".")),
        **({"formats": tuple(dict.fromkeys(data["formats"]))} if "formats" in data else {}),
    )


def policy_of(data: dict[str, Any]) -> Policy:
    """Return what is under ``policy``."""
    from provisioner.choose.versions import specifier  # noqa: PLC0415 - only those pay who lock

    values = {**data, "signed_off": tuple(SignOff(**item) for item in data.get("signed_off", ()))}
    values["releases"] = specifier(values.get("releases", ""), "policy.releases")
    values["proven"] = values.get("proven", False) in {True, "strict"}
    builds = values.get("source_builds", True)
    if not isinstance(builds, bool):
        values |= {"source_builds": True, "built": (ANY,) if builds == ANY else tuple(sorted(map(normalise, builds)))}
    return Policy(**values)
