"""Which files a plan takes out of an environment: decided here and nowhere else."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable

from provisioner.conda.compare import identity_parts
from provisioner.environment import conda_present
from provisioner.environment import receipt as receipts
from provisioner.environment.conda_owned import own_folders
from provisioner.environment.conda_records import META, read_records
from provisioner.environment.distributions import Installed
from provisioner.environment.layout import layout
from provisioner.environment.owners import recorded_files
from provisioner.environment.read import Site
from provisioner.environment.workspace import STATE, Workspace
from provisioner.host import Host, Reader
from provisioner.model.conda_package import CondaPart
from provisioner.model.plan import Plan


def files_of(reader: Reader, root: str, going: Iterable[Installed], staying: Iterable[Installed]) -> set[str]:
    """Return the paths of distributions that go, less the files that one of those that stay has recorded as well.

    One without a record is found by the modules that its ``top_level.txt`` names (setuptools' documentation, "EGG-INFO").
    """
    kept = {path for item in staying for path in recorded_files(reader, root, item)}
    folders = {folder for path in kept for folder in _parents(path)}
    found: set[str] = set()
    for item in going:
        names = set(recorded_files(reader, root, item)) if item.recorded else {item.metadata, *_top_level(reader, root, item)}
        found |= {name for name in names if name not in kept and name not in folders}
    return found


def _top_level(reader: Reader, root: str, item: Installed) -> set[str]:
    try:
        text = reader.read_text(posixpath.join(root, item.metadata, "top_level.txt"))
    except OSError:
        return set()
    site = posixpath.dirname(item.metadata)
    names = [name for name in text.split() if re.fullmatch(r"\w+", name)]
    return {
        posixpath.join(site, path) for name in names for path in (name, f"{name}.py") if reader.exists(posixpath.join(root, site, path))
    }


def replaced(
    reader: Reader, root: str, stage: str, site_packages: str, staying: Iterable[Installed], others: Iterable[str] = ()
) -> set[str]:
    """Return what lies in ``root`` where the new files of ``stage`` will be: nothing of a damaged copy may survive beside them.

    A folder of packages goes as a whole when new files come right into it and no distribution that stays has recorded a file below it, so that
    leftovers of an interrupted install, of another version and without any record go, too. Elsewhere it is file by file. ``others`` are files
    that stay as well.
    """
    kept = {folder for item in staying for path in recorded_files(reader, root, item) for folder in _parents(path)}
    kept |= {folder for path in others for folder in _parents(path)}
    found: set[str] = set()

    def enter(folder: str) -> None:
        entries = reader.list(posixpath.join(stage, folder) if folder else stage)
        inside = folder.startswith(site_packages + "/")
        if inside and folder not in kept and any(entry.kind != "directory" for entry in entries):
            found.add(folder)
            return
        for entry in entries:
            name = posixpath.relpath(entry.path, stage)
            place = posixpath.join(root, name)
            if not reader.exists(place):
                # The byte code of a module that is gone may still be there, and goes with its name.
                found.update([name] if name.endswith(".py") else [])
            elif entry.kind == "directory" and reader.entry(place).kind == "directory":
                enter(name)
            else:
                found.add(name)

    enter("")
    return found


def _parents(path: str) -> list[str]:
    found = []
    while path := posixpath.dirname(path):
        found.append(path)
    return found


def environment_files(reader: Reader, site: Site) -> set[str]:
    """Return all that belongs to the environment itself and to what is installed in it; a person's own files beside that stay where they are."""
    root, shape = site.state.path, layout(reader.platform)
    found = {name for name in shape.made if reader.exists(posixpath.join(root, name))}
    for item in site.distributions:
        found.update(path for path in recorded_files(reader, root, item) if path.split("/", maxsplit=1)[0] not in {*shape.made, STATE})
    if site.state.kind == "conda":
        records = read_records(reader, root)
        listed = (file.path for item in records for file in item.files if file.kind != "directory")
        found |= {
            path
            for path in listed
            if path.split("/", maxsplit=1)[0] not in {*shape.made, STATE} and reader.exists(posixpath.join(root, path))
        }
        # A person's pins and variables stay, as do the times before in conda's history, to which the new one adds.
        found |= {item.meta for item in records}
    programs = posixpath.join(root, shape.scripts)
    if reader.exists(programs) and reader.entry(programs).kind == "directory":
        names = (posixpath.basename(entry.path) for entry in reader.list(programs))
        found.update(f"{shape.scripts}/{name}" for name in names if shape.is_made(name))
    return found


def of_conda(reader: Reader, root: str, part: CondaPart, kept: Collection[str] = ()) -> set[str]:
    """Return the files, relative to the environment, of the conda packages that leave, and conda's records of them.

    Files that a package which stays has recorded, too, stay, and so do those of ``kept``, which may be folders.
    """
    found: set[str] = set()
    for removal in part.removals:
        identity_parts(removal.identity)
        found |= conda_present.recorded_files(reader, root, removal.identity)
    found -= staying_files(reader, root, part)
    kept = frozenset(kept)
    return {path for path in found if _is_free(path, kept)}


def _is_free(path: str, kept: Collection[str]) -> bool:
    """True where neither the path nor a folder above it is kept."""
    while path:
        if path in kept:
            return False
        path = posixpath.dirname(path)
    return True


def staying_files(reader: Reader, root: str, part: CondaPart) -> set[str]:
    """Return the files, relative to the environment, of the conda packages that neither leave nor are linked anew."""
    going = {f"{META}/{removal.identity}.json" for removal in part.removals}
    return {file.path for item in read_records(reader, root) if item.meta not in going for file in item.files}


def by_wheel(reader: Reader, root: str, part: CondaPart, distributions: Iterable[Installed]) -> list[Installed]:
    """Return those distributions that no conda package which leaves or is linked anew has brought."""
    going = {removal.identity for removal in part.removals}
    own = own_folders(reader, root, read_records(reader, root))
    return [item for item in distributions if own.get(item.metadata, "") not in going]


def outgoing(plan: Plan, host: Host, workspace: Workspace, site: Site) -> set[str]:
    """Return the paths, relative to the environment, of everything that the plan removes or replaces."""
    root = workspace.root
    if plan.kind == "rebuild":
        return environment_files(host, site)
    others = staying_files(host, root, plan.conda) if plan.conda is not None else set()
    going = {(removal.name, removal.version) for removal in plan.removals}
    doomed = {path for removal in plan.removals for path in removal.paths}
    leaving = [item for item in site.distributions if (item.name, item.version) in going]
    kept: set[str] = set()
    if plan.kind == "apply":
        for installed in leaving:
            doomed.update(recorded_files(host, root, installed))
    else:
        staying = [item for item in site.distributions if item not in leaving]
        doomed |= files_of(host, root, leaving, staying)
        if plan.conda is not None:
            staying = by_wheel(host, root, plan.conda, staying)
            kept = {path for item in staying for path in recorded_files(host, root, item)}
        doomed |= replaced(host, root, workspace.stage, site.state.site_packages, staying, others)
    receipt = receipts.believed(host, workspace)
    links = receipt.plan.links if receipt else ()
    doomed.update(posixpath.join(site.state.site_packages, link.path) for link in links)
    if plan.conda is not None:
        doomed |= of_conda(host, root, plan.conda, kept)
    return doomed
