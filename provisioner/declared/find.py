"""Finds what declares something in a folder; every command asks this, so it costs next to nothing where there is no declaration."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.model.record import record

FILE = "tfsetup.yaml"
PYPROJECT = "pyproject.toml"
LIMIT_BYTES = 1 << 20
# What a `pyproject.toml` looks like that may hold `[tool.tfsetup]`, in any spelling of TOML; others are not parsed, which takes 10 ms.
_OURS = re.compile(r"""tool["']?[ \t]*\.[ \t]*["']?tfsetup""")
_TOOL = re.compile(r"""^[ \t]*(?:\[[ \t]*)?["']?tool["']?[ \t]*[\]=]""", re.MULTILINE)


@record
class Found:
    """A declaration as it stands in ``file`` (absolute): the text of a YAML file, or the table of a TOML file."""

    file: str
    text: str = ""
    table: Any = None

    @property
    def is_yaml(self) -> bool:
        """True for ``tfsetup.yaml``."""
        return posixpath.basename(self.file) == FILE


def find(reader: Reader, folder: str) -> Found | None:
    """Return the declaration in a folder (absolute), None where there is none.

    Raises ``InputError`` where there are two, or it cannot be read as text or TOML.
    """
    yaml_file, toml_file = posixpath.join(folder, FILE), posixpath.join(folder, PYPROJECT)
    table = _table(reader, toml_file) if reader.exists(toml_file) else None
    if not reader.exists(yaml_file):
        return Found(file=toml_file, table=table) if table is not None else None
    if table is not None:
        hint = f"keep one of the two: move all into {FILE}, or into [tool.tfsetup]"
        raise InputError(f"{PYPROJECT} beside it has a [tool.tfsetup], too, and only one may speak", place=yaml_file, hint=hint)
    return Found(file=yaml_file, text=read_limited(reader, yaml_file))


def _table(reader: Reader, file: str) -> Any:
    """Return ``[tool.tfsetup]``, or None where there is none."""
    try:
        text = read_limited(reader, file)
    except InputError:
        # Whatever it is, it is no declaration of ours; whoever needs the file will say what is wrong with it.
        return None
    tool = _TOOL.search(text)
    if not _OURS.search(text) and not (tool and "tfsetup" in text[tool.end() :]):
        return None
    from provisioner.base.toml_text import parse_toml  # noqa: PLC0415 - only for this kind of file

    table = parse_toml(text, file=file, name=PYPROJECT).get("tool")
    return table.get("tfsetup") if isinstance(table, dict) else None


def read_limited(reader: Reader, file: str) -> str:
    """Read a text file that a person wrote; raises ``InputError`` where it cannot be read, or is larger than 1 MiB."""
    try:
        text = reader.read_text(file, LIMIT_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", place=file) from None
    if len(text.encode("utf-8", "surrogateescape")) > LIMIT_BYTES:
        raise InputError("cannot be read: it is larger than 1 MiB", place=file)
    return text.removeprefix("\ufeff")
