"""The form of a file's keys, said once: reading with every fault and its place, and the JSON Schema of the same form."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Literal

from provisioner.base.text import mask
from provisioner.choose.obstacles import listed
from provisioner.model.record import record

# Keys of tables and numbers of list items, from the top of the file.
Path = tuple[Any, ...]

SHOWN_LENGTH = 60


@record
class Shape:
    """What stands after a key.

    ``about`` is one sentence for people and editors; ``expected`` completes "expected …"; ``pattern`` is what a text matches as a whole;
    ``check`` says what is wrong with a text ("" for nothing). ``version`` is true for a text that looks like a number, which YAML and TOML
    may hold without quotes. A flag may have ``choices``, words that stand beside true and false, and an ``item``, for a list in its place.
    ``item`` is the form of a list's items; ``keys`` are a table's, of which ``required`` must be there.
    """

    kind: Literal["text", "count", "flag", "list", "table"]
    about: str = ""
    expected: str = ""
    pattern: str = ""
    check: Callable[[str], str] | None = None
    choices: tuple[str, ...] = ()
    version: bool = False
    least: int = 0
    item: Shape | None = None
    keys: dict[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()


@record
class ShapeFault:
    """Something wrong at a path; ``on_key`` where the key itself is."""

    path: Path
    why: str
    on_key: bool = False


def label(path: Path) -> str:
    """Return a path as a person writes it: ``targets[0].device``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def shown(value: Any) -> str:
    """Return a value for a message: short, and without what an address carries in secret."""
    text = mask(value) if isinstance(value, str) else mask(json.dumps(value, default=str))
    text = json.dumps(text) if isinstance(value, str) else text
    return text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 3] + "..."


def read(shape: Shape, data: Any, path: Path, faults: list[ShapeFault]) -> Any:
    """Return the data in its form: text, whole number, truth, tuple or dict; None where it is missing or faulty, which ``faults`` tells.

    A table or list with a fault in it comes back all the same, None in the place of the faulty part, so that everything else can still be
    checked.
    """
    if shape.kind == "table":
        return _read_table(shape, data, path, faults)
    if shape.kind == "list":
        return _read_list(shape, data, path, faults)
    if shape.kind == "flag":
        return _read_flag(shape, data, path, faults)
    if shape.kind == "count":
        text = str(data) if isinstance(data, int) and not isinstance(data, bool) else data
        if isinstance(text, str) and re.fullmatch(r"[0-9]{1,9}", text):
            return int(text)
        return _wrong(shape, "a whole number", data, path, faults)
    return _read_text(shape, data, path, faults)


def _read_flag(shape: Shape, data: Any, path: Path, faults: list[ShapeFault]) -> Any:
    """Return truth; where the shape knows words beside it, or a list in its place, those as they are."""
    if isinstance(data, bool) or (isinstance(data, str) and data in shape.choices):
        return data
    if shape.item is not None and isinstance(data, list):
        return _read_list(shape, data, path, faults)
    return _wrong(shape, listed(["true", "false", *shape.choices, *(["a list"] if shape.item else [])], "or"), data, path, faults)


def _wrong(shape: Shape, expected: str, data: Any, path: Path, faults: list[ShapeFault]) -> Any:
    """Note that something else was expected, and stand for the value that is not there."""
    faults.append(ShapeFault(path=path, why=f"expected {shape.expected or expected}, found {shown(data)}"))
    return None


def _read_text(shape: Shape, data: Any, path: Path, faults: list[ShapeFault]) -> Any:
    text = _as_text(data)
    if shape.choices:
        if text not in shape.choices:
            return _wrong(shape, f"one of {', '.join(shape.choices)}", data, path, faults)
        return text
    if text is None or (shape.pattern and not re.fullmatch(shape.pattern, text)):
        return _wrong(shape, "a text", data, path, faults)
    why = shape.check(text) if shape.check else ""
    if why:
        faults.append(ShapeFault(path=path, why=why))
        return None
    return text


def _as_text(data: Any) -> str | None:
    """Return text as it was meant: TOML has numbers and dates of its own, YAML's are text by the time they come here."""
    if isinstance(data, str):
        return data
    if isinstance(data, int) and not isinstance(data, bool):
        return str(data)
    return data.isoformat() if isinstance(data, dt.date) else None


def _read_list(shape: Shape, data: Any, path: Path, faults: list[ShapeFault]) -> Any:
    if not isinstance(data, list) or shape.item is None:
        return _wrong(shape, "a list", data, path, faults)
    if len(data) < shape.least:
        return _wrong(shape, "a list that is not empty", data, path, faults)
    return tuple(read(shape.item, element, (*path, number), faults) for number, element in enumerate(data))


def _read_table(shape: Shape, data: Any, path: Path, faults: list[ShapeFault]) -> Any:
    if not isinstance(data, dict):
        return _wrong(shape, "`name: value` lines", data, path, faults)
    values: dict[str, Any] = {}
    for name, item in data.items():
        known = shape.keys.get(name)
        if known is None:
            faults.append(ShapeFault(path=(*path, name), why=f"is not a key{_known(name, shape.keys)}", on_key=True))
        elif item is not None:
            # A key with nothing after it (all its lines are commented out) is the same as none.
            values[name] = read(known, item, (*path, name), faults)
    faults += [ShapeFault(path=path, why=f"`{name}` is missing") for name in shape.required if data.get(name) is None]
    return values


def _known(name: str, keys: Mapping[str, Shape]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for faults

    close = get_close_matches(name, keys, n=1)
    return f"; did you mean `{close[0]}`?" if close else f" (there are {', '.join(keys)})"


def json_schema(shape: Shape, title: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a file that has this form."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_schema(shape)}


def _schema(shape: Shape) -> dict[str, Any]:
    about = {"description": shape.about} if shape.about else {}
    if shape.kind == "table":
        properties = {name: _or_nothing(name, key, shape) for name, key in shape.keys.items()}
        required = {"required": list(shape.required)} if shape.required else {}
        return {"type": "object", **about, "properties": properties, **required, "additionalProperties": False}
    if shape.kind == "list":
        least = {"minItems": shape.least} if shape.least else {}
        return {"type": "array", **about, "items": _schema(shape.item) if shape.item else {}, **least}
    if shape.kind == "flag":
        more: list[dict[str, Any]] = [{"enum": list(shape.choices)}] if shape.choices else []
        more += [{"type": "array", "items": _schema(shape.item)}] if shape.item else []
        return {**about, "anyOf": [{"type": "boolean"}, *more]} if more else {"type": "boolean", **about}
    if shape.kind == "count":
        return {"type": ["integer", "string"], **about, "minimum": 0, "pattern": "^[0-9]{1,9}$"}
    if shape.choices:
        return {**about, "enum": list(shape.choices)}
    pattern = {"pattern": f"^(?:{shape.pattern})$"} if shape.pattern else {}
    return {"type": ["string", "number"] if shape.version else "string", **about, **pattern}


def _or_nothing(name: str, key: Shape, table: Shape) -> dict[str, Any]:
    """Return a key's schema; one that is not required may stand there with nothing after it."""
    schema = _schema(key)
    if name in table.required:
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*types, "null"]}
