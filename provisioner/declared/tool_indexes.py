"""Indexes as the tables of Poetry, pipenv and uv name them, with the packages that they say come from there. Pure.

Sources: Poetry's documentation, "Repositories"; pipenv's, "Specifying package indexes"; uv's, "Package indexes".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provisioner.base.names import normalise
from provisioner.base.text import mask
from provisioner.declared.elsewhere import ALL, BESIDE, Indexes
from provisioner.declared.tables import table

# What Poetry calls a source that is asked for all packages; without a word it is one of them.
_PRIMARY = frozenset({"default", "primary"})
_EXPLICIT = "explicit"


def take_tables(data: Mapping[str, Any], file: str, indexes: Indexes) -> None:
    """Note the indexes that a pyproject.toml or Pipfile names; one that nothing comes from is passed over."""
    tool = table(data, "tool")
    poetry = table(tool, "poetry")
    groups = [table(group, "dependencies") for group in table(poetry, "group").values()]
    asked = [table(poetry, "dependencies"), table(poetry, "dev-dependencies"), *groups]
    for number, item in _items(poetry.get("source")):
        old = "default" if item.get("default") is True else "supplemental" if item.get("secondary") is True else "primary"
        priority = str(item.get("priority", old)).lower()
        _take(
            indexes,
            f"{file}: tool.poetry.source[{number}]",
            item,
            _of(asked, "source", item),
            every=priority in _PRIMARY,
            only=priority == _EXPLICIT,
        )
    sources = table(tool, "uv", "sources")
    for number, item in _items(table(tool, "uv").get("index")):
        every, only = item.get("default") is True, item.get(_EXPLICIT) is True
        # A flat one is a page or folder of files (``tables.flat_indexes``).
        if item.get("format") != "flat":
            _take(indexes, f"{file}: tool.uv.index[{number}]", item, _of([sources], "index", item), every=every, only=only)
    asked = [table(data, "packages"), table(data, "dev-packages")]
    for number, item in _items(data.get("source")):
        # pipenv takes all that says nothing else from the first.
        _take(indexes, f"{file}: source[{number}]", item, _of(asked, "index", item), every=not number, only=bool(number))


def _items(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return ((number, item) for number, item in enumerate(value if isinstance(value, list) else []) if isinstance(item, dict))


def _of(tables: list[Mapping[str, Any]], key: str, index: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the packages (normalised) that tables of names say come from an index, each by its own name for it."""
    named = index.get("name")
    found = set()
    for entries in tables:
        for name, said in entries.items():
            if any(isinstance(item, dict) and named and item.get(key) == named for item in (said if isinstance(said, list) else [said])):
                found.add(normalise(name))
    return tuple(sorted(found))


def _take(indexes: Indexes, place: str, item: Mapping[str, Any], packages: tuple[str, ...], *, every: bool, only: bool) -> None:
    url = item.get("url")
    if isinstance(url, str) and (packages or not only):
        indexes.take(place, mask(f"url = {url}"), ALL if every and not packages else BESIDE, url, packages)
