"""Which files a plan takes out of an environment: decided here and nowhere else, from what ``contents`` has read. Pure.

One rule holds for venv, conda and repair: nothing leaves that something which stays has recorded. Every path is relative to the environment.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field

from provisioner.environment.layout import Layout
from provisioner.environment.owners import Owners
from provisioner.environment.workspace import STATE
from provisioner.model.record import record


@record
class Contents:
    """What lies in an environment, as far as it bears on what leaves.

    ``owners`` is the index of what its distributions have recorded; ``staying`` are the metadata folders of those that stay. Of what goes:
    ``files`` are what its distributions have recorded, ``modules`` what those without a record name, ``paths`` what the plan itself names, ``links``
    what an earlier run made. ``conda_files`` are those of conda's packages that go, with conda's records of them, and ``conda_staying`` those of the
    rest. ``below`` are all files below a folder that goes though something that stays may have files in it. All of these are there, but for what is
    recorded by what stays.
    """

    owners: Owners
    staying: frozenset[str]
    files: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    conda_files: frozenset[str] = frozenset()
    conda_staying: frozenset[str] = frozenset()
    below: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def leaving(contents: Contents) -> frozenset[str]:
    """Return what the plan takes away: files, and folders for all in them."""
    kept = kept_by(contents)
    shared = folders_of(kept)
    going = contents.files | contents.paths | contents.links | contents.conda_files
    # Which modules a distribution without a record has brought is a guess, so a folder that others use, too, is not looked into.
    inner = {path for folder in going & shared for path in contents.below.get(folder, ())}
    found = {path for path in going | contents.modules | inner if path not in shared and is_free(path, kept)}
    return frozenset(path for path in found if path.split("/", maxsplit=1)[0] != STATE)


def kept_by(contents: Contents) -> frozenset[str]:
    """Return what those that stay have recorded, wheels and conda's packages."""
    staying = contents.staying
    by_wheels = {path for path, claims in contents.owners.claims.items() if any(claim.metadata in staying for claim in claims)}
    return contents.conda_staying | by_wheels


def folders_of(paths: Iterable[str]) -> frozenset[str]:
    """Return every folder above one of the paths."""
    found: set[str] = set()
    for path in paths:
        folder = posixpath.dirname(path)
        while folder and folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(found)


def is_free(path: str, kept: Collection[str]) -> bool:
    """True where neither the path, nor a folder above it, nor the module that it is the byte code of is kept."""
    folder, name = posixpath.split(path)
    if posixpath.basename(folder) == "__pycache__" and posixpath.join(posixpath.dirname(folder), f"{name.split('.')[0]}.py") in kept:
        return False
    while path:
        if path in kept:
            return False
        path = posixpath.dirname(path)
    return True


def goes_whole(folder: str, site_packages: str, shared: Collection[str]) -> bool:
    """Whether a folder that new files come right into goes as a whole, so that nothing of a damaged copy survives beside them.

    It does below ``site_packages`` where nothing that stays has a file in it (``shared`` are the folders in which something has): leftovers of an
    interrupted install, of another version and without any record go, too. Elsewhere it is file by file.
    """
    return folder.startswith(f"{site_packages}/") and folder not in shared


def everything(contents: Contents, shape: Layout, programs: Iterable[str]) -> frozenset[str]:
    """Return what goes where an environment is made anew: what makes it one, and all that is installed; a person's own files beside that stay.

    ``programs`` are the names in its folder of programs; those of which the makers of environments write go, whoever wrote them.
    """
    recorded = {*contents.owners.claims, *contents.conda_files}
    found = {path for path in recorded if path.split("/", maxsplit=1)[0] not in {*shape.made, STATE}}
    return frozenset({*shape.made, *found, *(f"{shape.scripts}/{name}" for name in programs if shape.is_made(name))})
