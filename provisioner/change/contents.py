"""Reading what bears on what leaves an environment, and the answer of ``outgoing`` to it. Reads only."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from provisioner.change.outgoing import Contents, everything, folders_of, goes_whole, kept_by, leaving
from provisioner.environment import receipt as receipts
from provisioner.environment.conda_owned import own_folders
from provisioner.environment.conda_records import META, read_records
from provisioner.environment.distributions import Installed
from provisioner.environment.layout import layout
from provisioner.environment.owners import Owners, read_owners
from provisioner.environment.read import Site
from provisioner.environment.workspace import Workspace
from provisioner.host import Reader, files
from provisioner.model.conda import CondaRecord
from provisioner.model.plan import Plan


def outgoing(plan: Plan, reader: Reader, workspace: Workspace, site: Site) -> frozenset[str]:
    """Return the paths, relative to the environment, of everything that the plan removes or replaces; a folder stands for all in it."""
    if plan.kind == "rebuild":
        return whole_environment(reader, site)
    contents = read_contents(plan, reader, workspace, site)
    if plan.kind == "apply" or not reader.exists(workspace.stage):
        # Before anything is staged nobody knows what a repair's files will lie over.
        return leaving(contents)
    # A repair trusts nothing that lies where its files will be.
    shared = folders_of(kept_by(contents))
    return leaving(contents) | replaced(reader, workspace.root, workspace.stage, site.state.site_packages, shared)


def whole_environment(reader: Reader, site: Site) -> frozenset[str]:
    """Return what leaves where the environment is made anew."""
    root, shape = site.state.path, layout(reader.platform)
    owners = read_owners(reader, root, site.distributions)
    records = read_records(reader, root) if site.state.kind == "conda" else ()
    conda = frozenset(path for item in records for path in (item.meta, *files_of_package(item)))
    programs = files.entry(reader, posixpath.join(root, shape.scripts))
    names = [posixpath.basename(entry.path) for entry in reader.list(programs.path)] if programs and programs.kind == "directory" else []
    found = everything(Contents(owners=owners, staying=frozenset(), conda_files=conda), shape, names)
    # A folder that a record names is none of its files.
    return frozenset(path for path in found if path in shape.made or path in owners.paths or _is_file(reader, root, path))


def read_contents(plan: Plan, reader: Reader, workspace: Workspace, site: Site) -> Contents:
    """Read what bears on what the plan removes."""
    root = workspace.root
    removed = {(removal.name, removal.version) for removal in plan.removals}
    going = {item.metadata: item for item in site.distributions if (item.name, item.version) in removed}
    gone = {removal.identity for removal in plan.conda.removals} if plan.conda is not None else set()
    records = read_records(reader, root) if plan.conda is not None else ()
    # What conda's packages have brought goes with them.
    own = own_folders(reader, root, records)
    there = [item.metadata for item in site.distributions]
    staying = frozenset(metadata for metadata in there if metadata not in going and own.get(metadata, "") not in gone)
    owners = read_owners(reader, root, site.distributions)
    leaves = {f"{META}/{identity}.json" for identity in gone}
    conda = {path for item in records if item.meta in leaves for path in (item.meta, *files_of_package(item))}
    receipt = receipts.believed(reader, workspace)
    contents = Contents(
        owners=owners,
        staying=staying,
        files=frozenset(path for metadata in going for path in recorded(reader, root, owners, metadata)),
        modules=frozenset(path for item in going.values() if not item.recorded for path in _top_level(reader, root, item)),
        paths=frozenset(path for removal in plan.removals for path in removal.paths),
        links=frozenset(posixpath.join(site.state.site_packages, link.path) for link in (receipt.plan.links if receipt else ())),
        conda_files=frozenset(path for path in conda if reader.exists(posixpath.join(root, path))),
        conda_staying=frozenset(path for item in records if item.meta not in leaves for path in files_of_package(item)),
    )
    return _with_below(reader, root, contents)


def _with_below(reader: Reader, root: str, contents: Contents) -> Contents:
    """Look into those folders that go as a whole but for what something that stays has in them."""
    mixed = (contents.files | contents.paths) & folders_of(kept_by(contents))
    below = {folder: _files_below(reader, root, folder) for folder in mixed}
    return replace(contents, below=below) if below else contents


def _files_below(reader: Reader, root: str, folder: str) -> tuple[str, ...]:
    place = posixpath.join(root, folder)
    entry = files.entry(reader, place)
    if entry is None or entry.kind != "directory":
        return ()
    return tuple(posixpath.relpath(entry.path, root) for entry in reader.walk(place) if entry.kind != "directory")


def recorded(reader: Reader, root: str, owners: Owners, metadata: str) -> frozenset[str]:
    """Return what a distribution has recorded and is there: its metadata folder, which stands for all in it, and files; a folder is none of them."""
    return frozenset(path for path in owners.paths.get(metadata, ()) if path == metadata or _is_file(reader, root, path))


def _is_file(reader: Reader, root: str, path: str) -> bool:
    entry = files.entry(reader, posixpath.join(root, path))
    return entry is not None and entry.kind != "directory"


def files_of_package(item: CondaRecord) -> tuple[str, ...]:
    """Return the files that conda's record of a package lists."""
    return tuple(file.path for file in item.files if file.kind != "directory")


def _top_level(reader: Reader, root: str, item: Installed) -> Iterable[str]:
    """Return the modules that ``top_level.txt`` names (setuptools' documentation, "EGG-INFO") and that are there."""
    text = files.read(reader, posixpath.join(root, item.metadata, "top_level.txt")).text or ""
    site = posixpath.dirname(item.metadata)
    names = [name for name in text.split() if re.fullmatch(r"\w+", name)]
    paths = [posixpath.join(site, path) for name in names for path in (name, f"{name}.py")]
    return [path for path in paths if reader.exists(posixpath.join(root, path))]


def replaced(reader: Reader, root: str, stage: str, site_packages: str, shared: Collection[str]) -> frozenset[str]:
    """Return what lies in ``root`` where the new files of ``stage`` will be; ``shared`` are the folders in which something stays."""
    found: set[str] = set()

    def enter(folder: str) -> None:
        entries = reader.list(posixpath.join(stage, folder) if folder else stage)
        if any(entry.kind != "directory" for entry in entries) and goes_whole(folder, site_packages, shared):
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
    return frozenset(found)
