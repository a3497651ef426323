"""What the catalogue knows to be bad beside a release, as requirements: how far the packages of a known-good set may be moved.

What TensorFlow's own metadata asks for (Requires-Dist) is not repeated here: a resolver reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from provisioner.base.names import is_rival, normalise
from provisioner.base.versions import contains
from provisioner.catalogue.fits import Fits, Misfit
from provisioner.model.catalogue import NO_ADDON, Lock, LockedFile, Release

# NVIDIA's libraries are matched to the build and to one another by hand; no metadata says so.
_MATCHED = "nvidia-"
_CLAUSE = re.compile(r"(~=|==|!=|<=|>=|<|>)\s*(\S+)")
# The clause that admits exactly what the other one does not (PEP 440).
_OPPOSITE = {">=": "<", "<": ">=", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


def limits_of(lock: Lock, release: Release, fits: Fits) -> tuple[str, ...]:
    """Return requirements (PEP 508) that keep the packages of a set out of what is known to be bad for its release and Python.

    Of a bad range between two versions the side is taken on which the set's own version lies: no requirement can say "outside of it".
    """
    pins = {file.name: file.version for file in lock.files}
    build = release.build(lock.platform)
    own = [item.requirement for item in build.constraints if not item.source and _here(item.pythons, lock)] if build else []
    addons = [f"{name}{limit}" for name, limit in lock.addons.items() if name in pins and limit != NO_ADDON]
    return tuple(dict.fromkeys([*own, *addons, *_of_misfits(lock, pins, fits.misfits)]))


def stays(file: LockedFile) -> bool:
    """True for a package of a set that is never moved, for nobody's sake: TensorFlow, the CUDA libraries, and what is built from source."""
    return is_rival(file.name) or file.name.startswith(_MATCHED) or file.source


def _here(pythons: tuple[str, ...], lock: Lock) -> bool:
    return not pythons or lock.python in pythons


def _of_misfits(lock: Lock, pins: dict[str, str], misfits: Iterable[Misfit]) -> Iterator[str]:
    for item in misfits:
        name = normalise(item.package)
        if _here(item.pythons, lock) and (not item.releases or contains(item.releases, lock.release, prereleases=True)):
            good = outside(item.versions, pins.get(name, ""))
            if good:
                yield f"{name}{good}"


def outside(spec: str, version: str) -> str:
    """Return a clause that admits nothing of ``spec``, and ``version``; "" where no single clause does.

    Without a version only a range that is open to one side has such a clause.
    """
    clauses = [(operator, text) for operator, text in _CLAUSE.findall(spec.replace(",", " ")) if operator in _OPPOSITE]
    opposites = [f"{_OPPOSITE[operator]}{text}" for operator, text in clauses]
    if not version:
        return opposites[0] if len(opposites) == 1 else ""
    return next((clause for clause in opposites if contains(clause, version, prereleases=True)), "")
