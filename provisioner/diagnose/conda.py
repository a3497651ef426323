"""What the checks of conda environments ask of a case: its packages, those that matter to TensorFlow, who brought a file, and what would mend it."""

from __future__ import annotations

import posixpath

from provisioner.conda.specs import compare
from provisioner.diagnose import packages as examined
from provisioner.diagnose.case import Case, Skipped
from provisioner.environment.conda_owned import identity
from provisioner.judge import conda_files
from provisioner.judge.conda_files import CondaState
from provisioner.model.conda import CondaRecord
from provisioner.model.finding import Evidence, Repair

SHOWN = 4


def state(case: Case) -> CondaState:
    """The packages of the environment; raises ``Skipped`` where it is none of conda's."""
    if case.integrity.conda is None:
        raise Skipped("it is no conda environment")
    return case.integrity.conda


def needed(case: Case) -> frozenset[str]:
    """The packages that a program with TensorFlow rests on, by name, version and build."""
    return conda_files.needed(state(case), examined.needed(case))


def owner(case: Case, path: str) -> str:
    """The package whose record lists a file (absolute), by name, version and build; "" where none does."""
    conda = case.integrity.conda
    if conda is None or not path.startswith(conda.root + "/"):
        return ""
    inner = posixpath.relpath(path, conda.root)
    stale = left_behind(conda)
    found = [identity(item) for item in conda.records if any(file.path == inner for file in item.files)]
    return next((name for name in found if name not in stale), "")


def left_behind(conda: CondaState) -> dict[str, str]:
    """Records of packages of which another one is there, too: each with the one that stays.

    That is the one whose files are there, by the fewest that are not as recorded; of equals the newer one.
    """
    by_name: dict[str, list[CondaRecord]] = {}
    for item in conda.records:
        by_name.setdefault(item.name, []).append(item)
    found: dict[str, str] = {}
    for items in by_name.values():
        if len(items) < 2:  # noqa: PLR2004 - twice
            continue
        kept = items[0]
        for item in items[1:]:
            kept = item if _is_better(conda, item, kept) else kept
        found |= {identity(item): identity(kept) for item in items if item is not kept}
    return found


def _is_better(conda: CondaState, item: CondaRecord, other: CondaRecord) -> bool:
    ours, theirs = (_wrong(conda, one) for one in (item, other))
    return ours < theirs if ours != theirs else compare(item.version, other.version) > 0


def _wrong(conda: CondaState, item: CondaRecord) -> tuple[bool, int]:
    return bool(item.problem), sum(fault.package == identity(item) for fault in conda.faults)


def relink(package: str, why: str) -> Repair:
    """Put the files of a package back as its record says."""
    return Repair(kind="relink", name=package, reason=why)


def unlink(package: str, why: str) -> Repair:
    """Take a package out."""
    return Repair(kind="unlink", name=package, reason=why)


def bringing(case: Case, path: str, why: str) -> tuple[Repair, ...]:
    """Put back the package that brought a file; nothing where it is none of conda's."""
    package = owner(case, path)
    return (relink(package, why),) if package else ()


def python_anew(case: Case) -> tuple[Repair, ...]:
    """In a conda environment Python is a package like any other."""
    packages = [identity(item) for item in state(case).records if item.name == "python"]
    return tuple(relink(package, "the Python of the environment does not start") for package in packages)


def damaged_python(case: Case) -> list[Evidence]:
    """Files of conda's Python that are not as recorded; in a virtual environment Python's own files are somebody else's."""
    conda = case.integrity.conda
    faults = [fault for fault in conda.faults if fault.package.startswith("python-")] if conda is not None else []
    found = [fault for fault in faults if conda_files.is_code(case.env, fault.path)]
    return [Evidence(seen=f"{fault.detail} (conda's {fault.package})", where=fault.path) for fault in found[:SHOWN]]
