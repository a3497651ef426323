"""What no key of a declaration can say alone: targets with a Python and a name of their own, indexes without secrets, one index a package."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioner.base.names import normalise
from provisioner.base.text import mask
from provisioner.base.versions import numbers
from provisioner.declared.keys import NAME
from provisioner.declared.shape import Path, ShapeFault

_MINOR = r"3\.[0-9]{1,2}"
_VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"
_FLOOR_NUMBERS = 2


def faults(data: Mapping[str, Any]) -> list[ShapeFault]:
    """Return every fault between keys; ``data`` may lack whatever was wrong by itself."""
    channels = data.get("channels") or ()
    indexes = _indexes(data.get("indexes") or ())
    return [*_targets(data), *indexes, *_channels(channels), *_conda(data), *_sign_offs(data.get("policy") or {})]


def _tables(items: Iterable[Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the items that are tables, with their numbers; what is none was told already."""
    return ((number, item) for number, item in enumerate(items) if item is not None)


def expand_targets(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the targets with names and Pythons: one for each Python of ``pythons`` where the target has none of its own."""
    return [target for _, target in _expanded(data)]


def _expanded(data: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each target with the number of the one that it was made from; those that lack what they are named by are left out."""
    shared = tuple(python for python in dict.fromkeys(data.get("pythons") or ()) if python)
    if not shared and re.fullmatch(_MINOR, data.get("python") or ""):
        shared = (data["python"],)
    for number, target in _tables(data.get("targets") or ()):
        platform, device, floor = target.get("platform"), target.get("device"), target.get("floor")
        kind = "-conda" if target.get("kind") == "conda" else ""
        name = target.get("name") or (f"{platform}-{device}{kind}" if platform and device else "")
        pythons = (target["python"],) if "python" in target else shared
        for python in pythons if name else ():
            suffix = f"-py{python.replace('.', '')}" if len(pythons) > 1 else ""
            more = {"floor": _two_numbers(floor)} if floor else {}
            yield number, {**target, **more, "python": python, "name": f"{name}{suffix}"}


def _two_numbers(version: str) -> str:
    return version if version.count(".") == _FLOOR_NUMBERS - 1 else f"{version}.0"


def _targets(data: Mapping[str, Any]) -> Iterator[ShapeFault]:
    seen: dict[str, str] = {}
    told: set[int] = set()
    for number, target in _tables(data.get("targets") or ()):
        yield from _target(("targets", number), target, data)
    for number, target in _expanded(data):
        name = target["name"]
        # Files that differ in case only are one file on macOS and Windows.
        if name.casefold() in seen and number not in told:
            told.add(number)
            clash = f"{name!r}" if seen[name.casefold()] == name else f"{name!r} and {seen[name.casefold()]!r}"
            yield ShapeFault(path=("targets", number), why=f"two targets are called {clash}; give each a `name` of its own")
        elif not re.fullmatch(NAME, name) and data["targets"][number].get("name") and number not in told:
            told.add(number)
            yield ShapeFault(path=("targets", number, "name"), why=f"the name {name!r} is too long")
        seen.setdefault(name.casefold(), name)


def _target(path: Path, target: Mapping[str, str], data: Mapping[str, Any]) -> Iterator[ShapeFault]:
    platform, device, driver = (target.get(key) or "" for key in ("platform", "device", "driver"))
    if "python" not in target and "pythons" not in data and not re.fullmatch(_MINOR, data.get("python") or ""):
        yield ShapeFault(path=path, why="`python` is missing, and there is no `pythons` for all targets")
    if driver and device == "cpu":
        yield ShapeFault(path=(*path, "driver"), why="a driver says nothing where the device is cpu")
    if target.get("floor") and platform.startswith("windows"):
        yield ShapeFault(path=(*path, "floor"), why="wheels for Windows name no version of it")
    if target.get("source") == "conda" and target.get("kind") != "conda":
        yield ShapeFault(path=(*path, "source"), why="only a conda environment has a TensorFlow of a channel; say `kind: conda`, too")
    elif target.get("source") == "conda" and (data.get("policy") or {}).get("proven"):
        yield ShapeFault(path=(*path, "source"), why="nobody has run what a channel has, and `policy.proven` takes only sets that were run")
    least = (data.get("policy") or {}).get("driver") or ""
    if driver and least and numbers(driver) < numbers(least):
        yield ShapeFault(path=(*path, "driver"), why=f"{driver} is older than {least}, which `policy.driver` asks for")


def _indexes(indexes: tuple[Mapping[str, Any], ...]) -> Iterator[ShapeFault]:
    named = Counter(item["name"].casefold() for _, item in _tables(indexes) if item.get("name"))
    owners: dict[str, int] = {}
    default = -1
    for number, index in _tables(indexes):
        if index.get("name") and named[index["name"].casefold()] > 1:
            yield ShapeFault(path=("indexes", number, "name"), why=f"{index['name']!r} is there twice")
        yield from _address(("indexes", number, "url"), index.get("url") or "")
        if "packages" not in index:
            if default >= 0:
                yield ShapeFault(
                    path=("indexes", number), why="only one index can be that of all other packages; name the `packages` of this one"
                )
            default = number
        for place, package in enumerate(index.get("packages") or ()):
            if package and owners.setdefault(normalise(package), number) != number:
                why = f"{package!r} comes from another index already, and each package has only one"
                yield ShapeFault(path=("indexes", number, "packages", place), why=why)


def _address(path: Path, url: str) -> Iterator[ShapeFault]:
    """Refuse secrets: the file is in a repository, and what is in the address would be in its history for ever."""
    hint = "write it as https://${USER}:${PASSWORD}@host/path, and set the variables where the lock is made"
    login, found, rest = url.partition("://")[2].split("/")[0].rpartition("@")
    user, _, password = login.partition(":")
    if found and not re.fullmatch(_VARIABLE, password or user):
        yield ShapeFault(path=path, why=f"an address must hold no password or token; {hint}")
    elif mask(url.replace(f"{login}@", "", 1) if found else url) != (url.replace(f"{login}@", "", 1) if found else url):
        where = "no token in its path" if "/t/" in url else "no secret in its query"
        yield ShapeFault(path=path, why=f"an address must hold {where}; {hint}")
    if re.search(_VARIABLE, rest + "/".join(url.partition("://")[2].split("/")[1:])):
        yield ShapeFault(path=path, why=f"a variable may only stand for user and password, or the lock would differ; {hint}")


def _channels(channels: tuple[str | None, ...]) -> Iterator[ShapeFault]:
    """Refuse secrets as in an index; a channel may have a token in its path, too (conda's ``/t/<token>/``)."""
    for number, channel in enumerate(channels):
        if channel and "://" in channel:
            token = re.fullmatch(rf"(.*?)/t/{_VARIABLE}(/.*)?", channel)
            yield from _address(("channels", number), f"{token[1]}{token[2] or ''}" if token else channel)


def _conda(data: Mapping[str, Any]) -> Iterator[ShapeFault]:
    """Refuse packages that no environment would get."""
    kinds = [target.get("kind") for _, target in _tables(data.get("targets") or ())]
    if data.get("conda") and kinds and "conda" not in kinds:
        yield ShapeFault(
            path=("conda",),
            why="no target is a conda environment, and only these have conda packages; say `kind: conda` there",
            on_key=True,
        )


def _sign_offs(policy: Mapping[str, Any]) -> Iterator[ShapeFault]:
    seen: set[str] = set()
    for number, item in _tables(policy.get("signed_off") or ()):
        release = item.get("release") or ""
        if release and release in seen:
            yield ShapeFault(path=("policy", "signed_off", number, "release"), why=f"{release} is signed off twice")
        seen.add(release)
