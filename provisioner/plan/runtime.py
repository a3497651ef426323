"""The Visual C++ runtime that a machine lacks, brought into the environment by the wheel that packs it: which DLLs, and what a plan gets. Pure.

Microsoft's redistributable is for the whole machine and takes an administrator. The wheel ``msvc-runtime`` packs the same DLLs; into a virtual
environment it puts them among the programs, where Windows does not look by itself, so the small files of ``dll_files`` come along.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.model.catalogue import Link, Lock, LockedFile
from provisioner.model.facts import Facts
from provisioner.model.plan import Choice
from provisioner.plan.dll_files import RUNTIME, dll_files

if TYPE_CHECKING:
    from provisioner.model.catalogue_view import CatalogueView

NAME = "msvc-runtime"


def wheel(catalogue: CatalogueView, python: str, platform: str) -> LockedFile | None:
    """Return the wheel that packs it for a Python (``3.11``) and platform; None where there is none."""
    return next((file for file in catalogue.spare(python, platform) if file.name == NAME), None)


def lacking(catalogue: CatalogueView, facts: Facts, choice: Choice) -> tuple[str, ...]:
    """Return the DLLs of the runtime that the release asks for and this machine is known not to have."""
    if not choice.platform.startswith("windows") or facts.windows is None or facts.windows.vc_dlls.value is None:
        return ()
    release = catalogue.release(choice.release)
    build = release.build(choice.platform) if release is not None else None
    there = facts.windows.vc_dlls.value
    return tuple(name for name in (build.vc_runtime if build is not None else ()) if name not in there)


def with_runtime(catalogue: CatalogueView, facts: Facts, choice: Choice, lock: Lock) -> Lock:
    """Return the set with the wheel where the machine lacks what it packs; its digest stays that of the set."""
    file = wheel(catalogue, choice.python, choice.platform) if lacking(catalogue, facts, choice) else None
    if file is None or any(item.name == NAME for item in lock.files):
        return lock
    return replace(lock, files=tuple(sorted([*lock.files, file], key=lambda item: item.name)))


def files_of(catalogue: CatalogueView, facts: Facts, choice: Choice) -> tuple[Link, ...]:
    """Return the small files by which Windows finds it, where it comes along."""
    return dll_files(RUNTIME) if lacking(catalogue, facts, choice) and wheel(catalogue, choice.python, choice.platform) else ()
