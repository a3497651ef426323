"""Strict YAML: plain data only, every scalar is text but for true, false and null; duplicate keys and aliases are refused.

Numbers stay text because versions look like numbers (``2.10`` is not ``2.1``) and dates like dates; so no value depends on quotes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from provisioner.errors import InputError

# Whoever has so many to mend asks again; a file may be made of nothing else.
MOST_FAULTS = 100
_BOOL = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"


def parse_yaml(text: str, *, file: str) -> Any:
    """Return the data of a YAML document; raises ``InputError`` with line and column of each fault."""
    import yaml  # noqa: PLC0415 - 20 ms, and a warm cache never needs it

    faults: list[str] = []
    try:
        # An alias can make a small file stand for a huge one; nothing of ours needs one.
        if "&" in text:
            found = (
                f"{_place(event.start_mark)}: anchors are not allowed"
                for event in yaml.parse(text, Loader=_base())
                if getattr(event, "anchor", None) is not None and not isinstance(event, yaml.AliasEvent)
            )
            faults += islice(found, MOST_FAULTS)
        if faults:
            raise InputError("cannot be read", place=file, faults=tuple(faults))
        loader = _loader()(text)
        loader.faults = faults
        try:
            data = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        where = _place(error.problem_mark) if error.problem_mark else "document"
        raise InputError("not valid YAML", place=file, faults=(f"{where}: {error.problem}",)) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise InputError("not valid YAML", place=file, faults=(f"document: {error}".replace("\n", " "),)) from None
    except RecursionError:
        raise InputError("not valid YAML", place=file, faults=("document: nested too deeply",)) from None
    if faults:
        raise InputError("cannot be read", place=file, faults=tuple(faults))
    return data


def find_places(text: str) -> tuple[dict[tuple[Any, ...], tuple[int, int]], dict[tuple[Any, ...], tuple[int, int]]]:
    """Return line and column of every value, and of every key, of a document that ``parse_yaml`` could read; both counted from 1.

    They are named by keys and list numbers from the top: ``("targets", 0, "device")``.
    """
    import yaml  # noqa: PLC0415 - only for messages

    values: dict[tuple[Any, ...], tuple[int, int]] = {}
    keys: dict[tuple[Any, ...], tuple[int, int]] = {}

    def walk(node: Any, path: tuple[Any, ...]) -> None:
        values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*path, key.value)
                keys[here] = (key.start_mark.line + 1, key.start_mark.column + 1)
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                walk(item, (*path, number))

    walk(compose_yaml(text), ())
    return values, keys


def compose_yaml(text: str) -> Any:
    """Return the nodes of a document that ``parse_yaml`` could read, with their places in the text; None for an empty one."""
    import yaml  # noqa: PLC0415 - only where a file is edited

    return yaml.compose(text, Loader=_loader())


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _base() -> Any:
    """The C loader where PyYAML was built with it (ten times as fast), else the Python one."""
    import yaml  # noqa: PLC0415

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@functools.lru_cache(maxsize=1)
def _loader() -> Any:
    class Strict(_base()):  # type: ignore[misc]  # the base is chosen at run time
        faults: list[str]

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
            self.faults += islice(_duplicates(node), max(0, MOST_FAULTS - len(self.faults)))
            return {
                self.construct_object(key, deep=deep): self.construct_object(value, deep=deep)
                for key, value in node.value
                if key.tag.endswith(":str")
            }

    # Only true, false and null mean something else than their text.
    Strict.yaml_implicit_resolvers = {}
    Strict.add_implicit_resolver(_BOOL, re.compile(r"(?:true|false)\Z"), list("tf"))
    Strict.add_implicit_resolver(_NULL, re.compile(r"(?:null)?\Z"), ["n", ""])
    return Strict


def _duplicates(node: Any) -> Iterator[str]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not key.tag.endswith(":str"):
            yield f"{_place(key.start_mark)}: expected a plain text as key"
        elif key.value in seen:
            yield f"{_place(key.start_mark)}: {key.value!r} is there twice"
        else:
            seen.add(key.value)
