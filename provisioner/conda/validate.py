"""What no conda half of a plan can hold, whoever sealed it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

from provisioner.conda.registry import fault
from provisioner.model.conda_package import SUBDIRS, CondaPackage, CondaPart

# CEP 26 (names, versions and builds of packages).
_NAME = r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?"
_VERSION = r"[a-z0-9_.+!]+"
_BUILD = r"[A-Za-z0-9_.+]+"
_IDENTITY = rf"{_NAME}-{_VERSION}-{_BUILD}"


def conda_faults(part: CondaPart, root: str) -> Iterator[str]:
    """Yield the faults of a plan's conda half for the environment at ``root``."""
    for number, package in enumerate(part.packages):
        yield from (f"conda.packages[{number}].{text}" for text in _package_faults(package))
    twice = sorted(name for name, count in Counter(package.name for package in part.packages).items() if count > 1)
    yield from (f"conda.packages: {name} is there twice" for name in twice)
    for name, text in part.unchanged.items():
        if not re.fullmatch(_IDENTITY, f"{name}-{text.replace(' ', '-')}"):
            yield f"conda.unchanged: {name!r} cannot be {text!r}"
    for number, removal in enumerate(part.removals):
        if not re.fullmatch(_IDENTITY, removal.identity):
            yield f"conda.removals[{number}].identity: cannot be {removal.identity!r}"
    for number, item in enumerate(part.registered):
        why = fault(item) or ("" if item.text == root else f"expected this environment, found {item.text!r}")
        if why:
            yield f"conda.registered[{number}]: {why}"
    if any(not text.isprintable() for text in part.specs):
        yield "conda.specs: expected match specs"


def _package_faults(package: CondaPackage) -> Iterator[str]:
    for name, pattern in (
        ("name", _NAME),
        ("version", _VERSION),
        ("build", _BUILD),
        ("subdir", "|".join(("noarch", *SUBDIRS.values()))),
        ("filename", rf"{re.escape(package.identity)}\.(conda|tar\.bz2)"),
        ("sha256", r"[0-9a-f]{64}"),
        ("md5", r"([0-9a-f]{32})?"),
    ):
        if not re.fullmatch(pattern, getattr(package, name)):
            yield f"{name}: cannot be {getattr(package, name)!r}"
    if unquote(package.url) != unquote(f"{package.channel.rstrip('/')}/{package.subdir}/{package.filename}"):
        yield f"url: expected the file in its channel {package.channel!r}, found {package.url!r}"
