"""What a source tree says of its own build (PEP 517, PEP 518), and what its back end says when it is run: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.base.requirement import read_requirement
from provisioner.base.toml_text import parse_toml
from provisioner.errors import InputError
from provisioner.model.record import record

# What a tree without a [build-system] table is built with (PEP 517, "legacy"; PEP 518).
LEGACY = ("setuptools>=40.8.0", "wheel")
_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
# Endings of files that a compiler reads.
_COMPILED = (".c", ".cc", ".cpp", ".cxx", ".pyx", ".f", ".f90", ".rs", ".go")
_APART = {"test", "tests", "doc", "docs", "example", "examples", "benchmark", "benchmarks"}


@record
class BuildSystem:
    """``[build-system]``: requirements, the back end, and the folders in which it is looked for first."""

    requires: tuple[str, ...]
    backend: str
    path: tuple[str, ...] = ()


@record
class Metadata:
    """What a source distribution says of itself once its metadata was built.

    ``builders`` are the requirements of its build, those that its back end asked for included; ``limits`` held for these. ``compiled`` is true
    where files lie in it that a compiler reads.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    requires_python: str = ""
    extras: tuple[str, ...] = ()
    builders: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    compiled: bool = False


def build_system(pyproject: str, *, file: str) -> BuildSystem:
    """Read the table out of a ``pyproject.toml`` ("" where there is none); raises ``InputError`` for one of another form."""
    return build_system_of(parse_toml(pyproject, file=file, name=file) if pyproject else {}, file=file)


def build_system_of(data: Mapping[str, Any], *, file: str) -> BuildSystem:
    """Read the table of a document that was parsed, as ``build_system`` does."""
    table: Any = data.get("build-system")
    if table is None:
        return BuildSystem(requires=LEGACY, backend=_LEGACY_BACKEND)
    given: dict[str, Any] = table if isinstance(table, dict) else {"requires": None}
    requires: Any = given.get("requires", [])
    backend, path = given.get("build-backend", _LEGACY_BACKEND), given.get("backend-path", [])
    if not (_texts(requires) and isinstance(backend, str) and _texts(path)):
        raise InputError("its [build-system] is none (PEP 518)", place=file)
    asked = tuple(requires) or (LEGACY if backend == _LEGACY_BACKEND else ())
    return BuildSystem(requires=asked, backend=backend, path=tuple(path))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def read_metadata(text: str, system: BuildSystem, *, builders: tuple[str, ...], limits: tuple[str, ...], compiled: bool) -> Metadata:
    """Read core metadata (``METADATA``, ``PKG-INFO``); raises ``InputError`` where name or version is missing, or a requirement is none."""
    from email.parser import HeaderParser  # noqa: PLC0415 - 7 ms, and only where something is built

    message = HeaderParser().parsestr(text)
    name, version = message.get("Name", ""), message.get("Version", "")
    if not name or not version:
        raise InputError("its metadata has no name or no version", place=system.backend)
    return Metadata(
        name=name,
        version=version,
        requires=tuple(map(_requirement, message.get_all("Requires-Dist") or ())),
        requires_python=message.get("Requires-Python", ""),
        extras=tuple(message.get_all("Provides-Extra") or ()),
        builders=builders,
        limits=limits,
        compiled=compiled,
    )


def _requirement(text: str) -> str:
    """Return a requirement in one spelling; what uv and pip (from 24.1 on) do not read in a wheel could be built, and never installed."""
    plain = " ".join(text.split())
    try:
        return str(read_requirement(plain))
    except ValueError:
        raise InputError(f"its metadata asks for `{plain}`, which today's installers refuse (PEP 440)", place="Requires-Dist") from None


def is_compiled(paths: Iterable[str]) -> bool:
    """True where a file of a tree (relative paths) is one that a compiler reads, and does not belong to tests or documentation."""
    return any(path.lower().endswith(_COMPILED) and not _APART & set(path.lower().split("/")[:-1]) for path in paths)
