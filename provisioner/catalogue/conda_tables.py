"""The table of the conda packages that bring CUDA's libraries (``conda.yaml``), and what a build's match specs name in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provisioner.base.paths import is_inside
from provisioner.base.versions import numbers
from provisioner.errors import InputError
from provisioner.model.codec import from_data
from provisioner.model.conda_package import SUBDIRS
from provisioner.model.conda_table import CondaLibraries, CondaTable

SCHEMA = "tfsetup/conda/1"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_VERSION = re.compile(r"\d+(\.\d+)*")
_BUILD = re.compile(r"[a-z0-9_]+\*?")
_SONAME = re.compile(r"lib[\w.+-]+\.so(\.\d+)*")


def read_conda(data: Any, *, file: str) -> CondaTable:
    """Return the table; raises ``InputError`` with every fault."""
    table = from_data(CondaTable, data, file=file, schema=SCHEMA)
    faults = [] if table.sources else ["sources: expected where the facts come from"]
    if not table.channels or not all(_NAME.fullmatch(channel) for channel in table.channels):
        faults.append("channels: expected the names of channels, such as conda-forge")
    seen: set[tuple[str, str]] = set()
    for number, item in enumerate(table.libraries):
        faults += [f"libraries[{number}].{fault}" for fault in _faults(item)]
        if (item.package, item.version) in seen:
            faults.append(f"libraries[{number}]: {item.package} {item.version} is there twice")
        seen.add((item.package, item.version))
    for place, text in _patterns(table):
        if _BUILD.fullmatch(text) is None:
            faults.append(f"{place}: expected the start of a build string such as cuda129*, found {text!r}")
    for number, build in enumerate(table.builds):
        faults += [f"builds[{number}].cuda: found {text!r}" for text in build.cuda if _VERSION.fullmatch(text) is None]
        faults += [f"builds[{number}].platform: found {build.platform!r}"] if build.platform not in SUBDIRS else []
    if faults:
        raise InputError("cannot be read", place=file, faults=tuple(faults))
    return table


def _patterns(table: CondaTable) -> Iterator[tuple[str, str]]:
    for number, bad in enumerate(table.known_bad):
        yield f"known_bad[{number}].build", bad.build


def brought(table: CondaTable, specs: tuple[str, ...]) -> tuple[CondaLibraries, ...]:
    """Return what the packages bring that match specs (``cudnn 8.1.0.*``, ``cudnn >=8.0.4,<9``) name, in the order of the specs.

    An entry counts where every version that the spec admits begins with the entry's; a spec that the table cannot answer has none.
    """
    return tuple(item for spec in specs for item in table.libraries if _covers(item, spec))


def sonames(table: CondaTable, specs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of all libraries that the packages of ``specs`` bring."""
    return tuple(name for item in brought(table, specs) for name in item.sonames)


def tools(table: CondaTable, specs: tuple[str, ...]) -> dict[str, str]:
    """Return the tools that the packages of ``specs`` bring, by their paths in the environment."""
    return {name: path for item in brought(table, specs) for name, path in item.tools.items()}


def newest_cuda(table: CondaTable, platform: str) -> str:
    """Return the newest CUDA that the channel builds TensorFlow for on a platform, or "" where it has no build for a GPU."""
    found = [version for build in table.builds if build.platform == platform for version in build.cuda]
    return max(found, key=numbers, default="")


def _covers(item: CondaLibraries, spec: str) -> bool:
    name, _, versions = spec.partition(" ")
    if name != item.package:
        return False
    lowest, above = _range(versions)
    here = numbers(item.version)
    return lowest >= here and above <= _next(here)


def _range(versions: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the lowest version that a spec admits, and the first above; the two forms are those that a release's file may have."""
    if versions.endswith(".*"):
        pinned = numbers(versions.removesuffix(".*"))
        return pinned, _next(pinned)
    lowest, _, above = versions.partition(",")
    return numbers(lowest.removeprefix(">=")), numbers(above.removeprefix("<"))


def _next(version: tuple[int, ...]) -> tuple[int, ...]:
    """Return the first version after all that begin with this one."""
    return (*version[:-1], version[-1] + 1)


def _faults(item: CondaLibraries) -> Iterator[str]:
    if _NAME.fullmatch(item.package) is None:
        yield f"package: expected the name of a conda package, found {item.package!r}"
    if _VERSION.fullmatch(item.version) is None:
        yield f"version: expected numbers and dots, found {item.version!r}"
    if not item.sonames:
        yield "sonames: expected at least one"
    for number, name in enumerate(item.sonames):
        if _SONAME.fullmatch(name) is None:
            yield f"sonames[{number}]: expected a library such as libcudart.so.11.0, found {name!r}"
        elif name in item.sonames[:number]:
            yield f"sonames[{number}]: {name!r} is there twice"
    for tool, path in item.tools.items():
        if not is_inside(path):
            yield f"tools.{tool}: expected a path inside the environment, found {path!r}"
