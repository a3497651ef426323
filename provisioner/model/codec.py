"""Dataclasses to JSON and back: strict, with the place of every fault, all faults at once; and their JSON Schema."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from provisioner.errors import InputError
from provisioner.model.json_text import DIGITS, read_json

T = TypeVar("T")

_MISSING = object()
_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}


def to_data(value: Any) -> Any:
    """Return ``value`` as JSON data; fields keep the order in which their class declares them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: to_data(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_data(item) for item in value]
    return value


def document(schema: str, value: Any) -> dict[str, Any]:
    """Return ``value`` as a document that begins with its schema name (``tfsetup/facts/1``)."""
    return {"schema": schema, **to_data(value)}


def from_data(cls: type[T], data: Any, *, file: str = "", schema: str = "") -> T:
    """Build a ``cls`` from JSON data.

    Raises ``InputError`` that names ``file`` and lists every fault as ``place: what was expected``. With ``schema``, the document
    must begin with that name; fields that are not known are refused, so that a misspelt one is not lost in silence.
    """
    faults: list[str] = []
    if schema:
        found = data.get("schema") if isinstance(data, dict) else None
        if found != schema:
            shown = json.dumps(found) if found is not None else "none"
            raise InputError(f"not a `{schema}` document", place=file, faults=(f"schema: expected {json.dumps(schema)}, found {shown}",))
        data = {key: item for key, item in data.items() if key != "schema"}
    try:
        return typing.cast("T", _reader(cls)(data))  # type: ignore[arg-type]  # a class is hashable
    except _Unfit:
        # Read once more, now with the place of each fault.
        value = _read(cls, data, "", faults)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise InputError(f"cannot be read: {count}", place=file, faults=tuple(faults))
    return typing.cast("T", value)


def parse_json(text: str, *, file: str) -> Any:
    """Read JSON text; raises ``InputError`` with line and column."""
    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        raise InputError("not valid JSON", place=file, faults=(f"line {error.lineno}, column {error.colno}: {error.msg}",)) from None
    except ValueError as error:
        raise InputError("not valid JSON", place=file, faults=(str(error),)) from None


@functools.lru_cache(maxsize=256)
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _substitute(hint: Any, variables: dict[Any, Any]) -> Any:
    """Put the arguments of a generic class (``Fact[str]``) into the hint of one of its fields."""
    if hint in variables:
        return variables[hint]
    args = get_args(hint)
    if not args or get_origin(hint) is Literal:
        return hint
    new = tuple(_substitute(arg, variables) for arg in args)
    if new == args:
        return hint
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return Union[new]
    return origin[new]


def _fields(hint: Any) -> tuple[type, dict[str, Any]]:
    cls = get_origin(hint) or hint
    hints = _hints(cls)
    parameters = getattr(cls, "__parameters__", ())
    if parameters:
        variables = dict(zip(parameters, get_args(hint), strict=True))
        hints = {name: _substitute(item, variables) for name, item in hints.items()}
    return cls, hints


class _Unfit(Exception):  # noqa: N818 - an answer between two readings, told to nobody
    """Data that is not of its type."""


@functools.lru_cache(maxsize=1024)
def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return what reads data of a type as ``_read`` does, without the places of faults, which cost more than the reading."""
    origin = get_origin(hint)
    if dataclasses.is_dataclass(origin or hint):
        return _record_reader(hint)
    if origin in (Union, types.UnionType):
        return _union_reader(hint)
    if origin is tuple:
        each = _reader(get_args(hint)[0])
        return lambda data: tuple(map(each, data)) if isinstance(data, list) else _unfit()
    if origin is dict:
        of_value = _reader(get_args(hint)[1])
        return lambda data: {key: of_value(item) for key, item in data.items()} if isinstance(data, dict) else _unfit()
    if hint is str:
        return lambda data: data if isinstance(data, str) else _unfit()

    def other(data: Any) -> Any:
        faults: list[str] = []
        value = _read(hint, data, "", faults)
        return _unfit() if faults else value

    return other


def _unfit() -> Any:
    raise _Unfit


def _union_reader(hint: Any) -> Callable[[Any], Any]:
    options = get_args(hint)
    empty = type(None) in options
    readers = [_reader(option) for option in options if option is not type(None)]

    def union(data: Any) -> Any:
        if data is None and empty:
            return None
        for read in readers:
            with contextlib.suppress(_Unfit):
                return read(data)
        return _unfit()

    return union


def _record_reader(hint: Any) -> Callable[[Any], Any]:
    cls, hints = _fields(hint)
    fields = dataclasses.fields(cls)
    needed = [item.name for item in fields if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING]
    readers: dict[str, Callable[[Any], Any]] = {}

    def record(data: Any) -> Any:
        if not readers:
            readers.update((name, _reader(hints[name])) for name in (item.name for item in fields))
        if not isinstance(data, dict) or not all(name in data for name in needed):
            return _unfit()
        try:
            return cls(**{name: readers[name](item) for name, item in data.items()})
        except KeyError:
            return _unfit()

    return record


def _fault(faults: list[str], place: str, expected: str, found: Any) -> object:
    shown = json.dumps(found, default=str)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."  # noqa: PLR2004
    faults.append(f"{place or 'document'}: expected {expected}, found {shown}")
    return _MISSING


def _read(hint: Any, data: Any, place: str, faults: list[str]) -> Any:
    origin = get_origin(hint)
    cls = origin or hint
    if dataclasses.is_dataclass(cls):
        return _read_record(hint, data, place, faults)
    if origin in (Union, types.UnionType):
        return _read_union(hint, data, place, faults)
    if origin is Literal:
        return data if data in get_args(hint) else _fault(faults, place, "one of " + ", ".join(map(repr, get_args(hint))), data)
    if origin is tuple:
        return _read_tuple(hint, data, place, faults)
    if origin is dict:
        return _read_dict(hint, data, place, faults)
    if hint is Any:
        return data
    # No count has more digits, and Python's own conversions fail at some.
    if isinstance(data, int) and abs(data) >= 10**DIGITS:
        return _fault(faults, place, f"a number of at most {DIGITS} digits", f"one of {data.bit_length()} bits")
    # bool is an int in Python but not in JSON.
    if isinstance(data, hint) and (hint is bool or not isinstance(data, bool)):
        return data
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    return _fault(faults, place, _NAMES.get(hint, str(hint)), data)


def _read_union(hint: Any, data: Any, place: str, faults: list[str]) -> Any:
    options = get_args(hint)
    if data is None and type(None) in options:
        return None
    options = tuple(option for option in options if option is not type(None))
    if len(options) == 1:
        return _read(options[0], data, place, faults)
    for option in options:
        tried: list[str] = []
        value = _read(option, data, place, tried)
        if not tried:
            return value
    return _fault(faults, place, " or ".join(_NAMES.get(option, str(option)) for option in options), data)


def _read_tuple(hint: Any, data: Any, place: str, faults: list[str]) -> Any:
    if not isinstance(data, list):
        return _fault(faults, place, "a list", data)
    (item, *_) = get_args(hint)
    return tuple(_read(item, element, f"{place}[{number}]", faults) for number, element in enumerate(data))


def _read_dict(hint: Any, data: Any, place: str, faults: list[str]) -> Any:
    if not isinstance(data, dict):
        return _fault(faults, place, "an object", data)
    return {key: _read(get_args(hint)[1], item, f"{place}.{key}" if place else key, faults) for key, item in data.items()}


def _read_record(hint: Any, data: Any, place: str, faults: list[str]) -> Any:
    if not isinstance(data, dict):
        return _fault(faults, place, "an object", data)
    cls, hints = _fields(hint)
    before = len(faults)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        where = f"{place}.{field.name}" if place else field.name
        if field.name in data:
            values[field.name] = _read(hints[field.name], data[field.name], where, faults)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            faults.append(f"{where}: is missing")
    faults.extend(
        f"{place}.{name}: is not a known field" if place else f"{name}: is not a known field" for name in data if name not in hints
    )
    return cls(**values) if len(faults) == before else _MISSING


def json_schema(cls: Any, schema: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the document that ``document(schema, cls(...))`` gives."""
    definitions: dict[str, Any] = {}
    body = dict(_schema_record(cls, definitions))
    body["properties"] = {"schema": {"const": schema}, **body["properties"]}
    body["required"] = ["schema", *body["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": schema, **body, "$defs": definitions}


def _definition_name(hint: Any) -> str:
    args = get_args(hint)
    name = (get_origin(hint) or hint).__name__ if hasattr(get_origin(hint) or hint, "__name__") else str(hint)
    return "_".join([name, *(_definition_name(arg) for arg in args if arg is not Ellipsis)])


def _schema_record(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    cls, hints = _fields(hint)
    fields = dataclasses.fields(cls)
    return {
        "type": "object",
        "description": (cls.__doc__ or "").strip().split("\n")[0],
        "properties": {field.name: _schema(hints[field.name], definitions) for field in fields},
        "required": [
            field.name for field in fields if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ],
    }


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = get_origin(hint)
    if dataclasses.is_dataclass(origin or hint):
        name = _definition_name(hint)
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = _schema_record(hint, definitions)
        return {"$ref": f"#/$defs/{name}"}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(option, definitions) for option in get_args(hint)]}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(get_args(hint)[1], definitions)}
    return {} if hint is Any else {"type": {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}[hint]}
