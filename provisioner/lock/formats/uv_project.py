"""The ``[tool.uv]`` part of a ``pyproject.toml`` with which `uv lock` and `uv sync` give what is locked; all else in the file stays as it is.

Sources: uv's documentation, "Settings" (constraint-dependencies, environments, dependency-metadata, index) and "Managing dependencies" (sources).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provisioner.base.names import normalise
from provisioner.base.requirement import name_of
from provisioner.engines.resolving import plain
from provisioner.errors import InputError
from provisioner.lock.formats.constraints import limits, marker_of
from provisioner.model.team import Index, TeamLock

if TYPE_CHECKING:
    from tomlkit.items import Array

SAID = "From the lock, by tfsetup lock --into uv: run it again when the lock has changed."
_EXACT = re.compile(r"[A-Za-z0-9._-]+==[^,;]+(;.*)?")


def edited(text: str, lock: TeamLock, before: TeamLock | None, *, file: str) -> str:
    """Return the text of a ``pyproject.toml`` with the lock in its ``[tool.uv]``; the same text where it is there already.

    ``before`` is the lock that the part may have been written from: its packages are taken out where they are locked no more. Raises ``InputError``
    for a text that is no TOML, or a table that is none.
    """
    import tomlkit  # noqa: PLC0415 - 30 ms, and few ask for it
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

    try:
        document = tomlkit.parse(text)
        tool = _table(document, "tool", super_table=True)
        table = _table(tool, "uv")
        known = {name_of(limit) for one in (lock, before) if one is not None for limit in limits(one.targets)}
        own = [item for item in table.get("constraint-dependencies", ()) if not _is_ours(str(item), known)]
        _set(table, "constraint-dependencies", [*own, *limits(lock.targets)])
        _set(table, "environments", list(dict.fromkeys(marker_of(target) for target in lock.targets)))
        _set_metadata(table, lock, known)
        _set_indexes(table, lock.indexes)
    except (TOMLKitError, TypeError, AttributeError) as error:
        raise InputError(f"cannot be edited: {error}", place=file) from None
    return tomlkit.dumps(document)


def _table(parent: Any, name: str, *, super_table: bool = False) -> Any:
    import tomlkit  # noqa: PLC0415 - as in ``edited``

    if name not in parent:
        parent.append(name, tomlkit.table(is_super_table=super_table))
    return parent[name]


def _is_ours(text: str, known: set[str]) -> bool:
    """True for an exact version of a package that is, or was, locked: a person's own limits on it hold beside ours."""
    return bool(_EXACT.fullmatch(text.replace(" ", ""))) and normalise(name_of(text)) in known


def _set(table: Any, key: str, values: Sequence[str]) -> None:
    """Write a list, one item a line; what holds the same already is not touched."""
    if key in table and [str(item) for item in table[key]] == list(values):
        return
    fresh = key not in table
    array = _array(values)
    if fresh:
        import tomlkit  # noqa: PLC0415 - as in ``edited``

        table.add(tomlkit.comment(SAID))
    table[key] = array


def _array(values: Sequence[str]) -> Array:
    import tomlkit  # noqa: PLC0415 - as in ``edited``

    array = tomlkit.array()
    array.extend(values)
    return array.multiline(multiline=True)


def _set_metadata(table: Any, lock: TeamLock, known: set[str]) -> None:
    """Say what each source distribution needs, so that uv runs none of their code to find out."""
    import tomlkit  # noqa: PLC0415 - as in ``edited``

    wanted = {
        (file.name, file.version): list(file.requires)
        for target in lock.targets
        for file in target.files
        if file.source and file.url.startswith("http")
    }
    there = table.get("dependency-metadata", ())
    own = [item for item in there if normalise(str(item.get("name", ""))) not in known]
    ours = [{"name": name, "version": version, "requires-dist": needs} for (name, version), needs in sorted(wanted.items())]
    if [dict(item) for item in there] == [*(dict(item) for item in own), *ours]:
        return
    found = tomlkit.aot()
    for item in [*own, *ours]:
        one = tomlkit.table()
        one.update(item)
        found.append(one)
    if "dependency-metadata" in table:
        del table["dependency-metadata"]
    if found:
        table["dependency-metadata"] = found


def _set_indexes(table: Any, indexes: Sequence[Index]) -> None:
    """Name the team's indexes, without their logins, and the packages that come from each."""
    import tomlkit  # noqa: PLC0415 - as in ``edited``

    for number, index in enumerate(indexes):
        name = index.name or f"team{number}"
        said: dict[str, Any] = {"name": name, "url": plain(index.url), ("explicit" if index.packages else "default"): True}
        there = table.get("index", ())
        if all(dict(item) != said for item in there):
            one = tomlkit.table()
            one.update(said)
            found = tomlkit.aot()
            for item in [*(item for item in there if item.get("name") != name), one]:
                found.append(item)
            table["index"] = found
        if index.packages:
            _set_sources(_table(table, "sources"), index.packages, {"index": name})


def _set_sources(table: Any, packages: Sequence[str], said: Mapping[str, str]) -> None:
    import tomlkit  # noqa: PLC0415 - as in ``edited``

    for package in packages:
        if package in table and dict(table[package]) == said:
            continue
        source = tomlkit.inline_table()
        source.update(said)
        table[package] = source
