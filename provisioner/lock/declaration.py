"""The declaration of a team: ``tfsetup.yaml``, or ``[tool.tfsetup]`` in ``pyproject.toml``, read and checked in one place for all commands."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.lock import checks
from provisioner.lock.keys import DECLARATION
from provisioner.lock.shape import Fault, label, read
from provisioner.model.record import record
from provisioner.model.team import Declaration, Index, Policy, ProjectInput, SignOff, Target
from provisioner.site import normalise

FILE = "tfsetup.yaml"
PYPROJECT = "pyproject.toml"
LIMIT_BYTES = 1 << 20
# What a `pyproject.toml` looks like that may hold `[tool.tfsetup]`, in any spelling of TOML; others are not parsed, which takes 10 ms.
_OURS = re.compile(r"""tool["']?\s*\.\s*["']?tfsetup|^\s*\[?\s*["']?tool["']?\s*[\]=][\s\S]*tfsetup""", re.MULTILINE)

Places = dict[tuple[Any, ...], tuple[int, int]]


@record
class Written:
    """What a file says under its keys, checked: ``file`` is absolute, ``data`` holds text, numbers, truths, tuples and dicts."""

    file: str
    data: dict[str, Any]


def read_keys(reader: Reader, folder: str) -> Written | None:
    """Read the declaration in a folder (absolute), or None where there is none.

    Raises ``InputError`` with every fault: ``tfsetup.yaml:12:3: targets[0].device: expected …``, for TOML with the key alone.
    """
    yaml_file, toml_file = posixpath.join(folder, FILE), posixpath.join(folder, PYPROJECT)
    table = _read_toml(reader, toml_file) if reader.exists(toml_file) else None
    if not reader.exists(yaml_file):
        return _checked(toml_file, table, None) if table is not None else None
    if table is not None:
        hint = f"keep one of the two: move all into {FILE}, or into [tool.tfsetup]"
        raise InputError(f"{PYPROJECT} beside it has a [tool.tfsetup], too, and only one may speak", place=yaml_file, hint=hint)
    text = read_limited(reader, yaml_file)
    from provisioner.catalogue.yaml_text import parse_yaml  # noqa: PLC0415 - only for this kind of file

    try:
        # Numbers stay as they are written, so `tensorflow: 2.20` is not 2.2.
        data = parse_yaml(text, file=yaml_file)
    except InputError as error:
        error.faults = tuple(_as_place(fault) for fault in error.faults)
        raise
    return _checked(yaml_file, {} if data is None else data, text)


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


def read_limited(reader: Reader, file: str) -> str:
    """Read a text file that a person wrote; raises ``InputError`` where it cannot be read, or is larger than 1 MiB."""
    try:
        text = reader.read_text(file, LIMIT_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=file) from None
    if len(text.encode("utf-8", "surrogateescape")) > LIMIT_BYTES:
        raise InputError("cannot be read: it is larger than 1 MiB", place=file)
    return text.removeprefix("\ufeff")


def _as_place(fault: str) -> str:
    """Return a fault of the YAML reader in the form that editors and terminals can follow."""
    return re.sub(r"^line (\d+), column (\d+): ", rf"{FILE}:\1:\2: ", fault)


def _read_toml(reader: Reader, file: str) -> Any:
    """Return ``[tool.tfsetup]``, or None where there is none."""
    try:
        text = read_limited(reader, file)
    except InputError:
        # Whatever it is, it is no declaration of ours; whoever needs the file will say what is wrong with it.
        return None
    if not _OURS.search(text):
        return None
    from provisioner.lock.toml_text import parse_toml  # noqa: PLC0415 - only for this kind of file

    tool = parse_toml(text, file=file, name=PYPROJECT).get("tool")
    return tool.get("tfsetup") if isinstance(tool, dict) else None


def _checked(file: str, data: Any, text: str | None) -> Written:
    if not isinstance(data, dict):
        raise InputError("expected settings as `name: value` lines", place=file)
    faults: list[Fault] = []
    values: dict[str, Any] = read(DECLARATION, data, (), faults) or {}
    faults += checks.faults(values)
    if faults:
        raise InputError("holds faults", place=file, faults=_told(faults, text))
    return Written(file=file, data=values)


def _told(faults: list[Fault], text: str | None) -> tuple[str, ...]:
    """Return the faults with their places, in the order of the file; ``text`` is None for TOML, whose parser does not tell lines."""
    if text is None:
        return tuple(f"{PYPROJECT}: {label(('tool', 'tfsetup', *fault.path))}: {fault.why}" for fault in faults)
    from provisioner.catalogue.yaml_text import find_places  # noqa: PLC0415 - only for faults

    values, keys = find_places(text)
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
        policy=_policy(data.get("policy", {})),
        folder=posixpath.normpath(data.get("folder", ".")),
        **({"formats": tuple(dict.fromkeys(data["formats"]))} if "formats" in data else {}),
    )


def _policy(data: dict[str, Any]) -> Policy:
    from provisioner.choose.versions import specifier  # noqa: PLC0415 - only those pay who lock

    values = {**data, "signed_off": tuple(SignOff(**item) for item in data.get("signed_off", ()))}
    values["releases"] = specifier(values.get("releases", ""), "policy.releases")
    return Policy(**values)
