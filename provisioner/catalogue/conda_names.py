"""Which conda packages are which distributions of PyPI: the file ``profiles/conda-names.yaml``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Any

from provisioner.base.names import normalise
from provisioner.errors import InputError
from provisioner.model.codec import from_data
from provisioner.model.record import record

SCHEMA = "tfsetup/conda-names/1"
_NAME = re.compile(r"[a-z0-9_][a-z0-9._-]*\*?")


@record
class CondaNames:
    """``same`` are the names that both have for the same project, ``otherwise`` conda's name to PyPI's where they differ.

    ``cuda`` are CUDA's libraries, ``parts`` what is nothing by itself, ``libraries`` what nobody asks for by name; in these ``*`` ends a name.
    """

    sources: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    otherwise: dict[str, str] = field(default_factory=dict)
    cuda: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()

    def distribution(self, name: str) -> str:
        """Return the distribution (normalised) that a conda package is, "" where it is none, or nobody knows."""
        return normalise(self.otherwise.get(name, name if normalise(name) in map(normalise, self.same) else ""))

    def packages(self, distribution: str) -> tuple[str, ...]:
        """Return the names that a distribution may have on a channel; none where nobody knows of any."""
        renamed = [name for name, other in self.otherwise.items() if normalise(other) == distribution]
        # Of the signs - and _ a channel has whichever its recipe has.
        own = [distribution, distribution.replace("-", "_")] if distribution in map(normalise, self.same) else []
        return tuple(dict.fromkeys([*own, *renamed]))

    def is_cuda(self, name: str) -> bool:
        """True for a library of CUDA's."""
        return _among(name, self.cuda)

    def is_part(self, name: str) -> bool:
        """True for what comes along with something else."""
        return _among(name, self.parts)

    def is_library(self, name: str) -> bool:
        """True for what an export names because others need it."""
        return _among(name, self.libraries)


def _among(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def read_conda_names(data: Any, *, file: str) -> CondaNames:
    """Return the table; raises ``InputError`` with every fault."""
    table = from_data(CondaNames, data, file=file, schema=SCHEMA)
    faults = [] if table.sources else ["sources: expected where the facts come from"]
    lists = {
        "same": table.same,
        "otherwise": tuple(table.otherwise),
        "cuda": table.cuda,
        "parts": table.parts,
        "libraries": table.libraries,
    }
    for key, names in lists.items():
        faults += [f"{key}: expected the name of a conda package, found {name!r}" for name in names if not _NAME.fullmatch(name)]
    if faults:
        raise InputError("cannot be read", place=file, faults=tuple(faults))
    return table
