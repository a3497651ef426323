"""The way back of a change that stood: what is there is looked at, judged (``since``), and made a list of renames before the first of them."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable
from dataclasses import replace

from provisioner.base.paths import is_below
from provisioner.change import brought as manifests
from provisioner.change.apart import Folder
from provisioner.change.brought import Brought
from provisioner.change.journal import Journal
from provisioner.change.moves import CACHE, outgoing_moves
from provisioner.change.places import Places, mounts_inside
from provisioner.change.since import Dist, Seen, Verdict, above_of, judge, module_of
from provisioner.environment.distributions import Installed, read_distributions, sites
from provisioner.environment.owners import read_owners
from provisioner.environment.workspace import STATE, Workspace
from provisioner.host import Mark, Reader, files
from provisioner.model.record import record


@record
class WayBack:
    """The verdict, and the journal of the undo: what goes, what comes back, what is moved aside before, in the fewest renames.

    ``mounts`` are the mount points in the environment.
    """

    verdict: Verdict
    journal: Journal
    mounts: tuple[str, ...] = ()


def way_back(reader: Reader, workspace: Workspace, change: Journal, *, keep: str = "", leave: bool = False) -> WayBack:
    """Look, judge, and list the moves; nothing is changed.

    ``keep`` is the folder (absolute) into which what is in the way is to be moved ("": it is to be told), ``leave`` leaves it where it is. Raises
    as ``brought.read`` does.
    """
    seen = look(reader, workspace, change)
    verdict = judge(seen, leave=leave)
    journal = replace(change, phase="undoing", exact=True)
    aside: tuple[str, ...] = ()
    if keep:
        paths = [path for item in verdict.obstacles for path in item.paths]
        aside = outgoing_moves(reader, workspace.root, paths)
        journal = replace(journal, keep=keep, kept=aside)
    if not seen.whole:
        out = _without_older(reader, workspace.root, outgoing_moves(reader, workspace.root, verdict.out), frozenset(change.incoming))
        back = _returning(reader, workspace, change, gone={*out, *aside}, left=verdict.left)
        folders = _folders(change, back) if verdict.left else change.folders
        journal = replace(journal, incoming=out, outgoing=back, left=verdict.unreturned, folders=folders)
    return WayBack(verdict=verdict, journal=journal, mounts=mounts_inside(reader, workspace))


def _without_older(reader: Reader, root: str, out: Iterable[str], came: frozenset[str]) -> tuple[str, ...]:
    """Return the moves with a folder that was there before the change (it did not come) left standing, though all in it goes."""
    found: list[str] = []
    for name in out:
        path = posixpath.join(root, name)
        if is_below(name, came) or posixpath.basename(name) == CACHE or reader.entry(path).kind != "directory":
            found.append(name)
        else:
            found += _without_older(reader, root, [posixpath.relpath(item.path, root) for item in reader.list(path)], came)
    return tuple(found)


def look(reader: Reader, workspace: Workspace, change: Journal) -> Seen:
    """Return what there is to judge by."""
    root, places = workspace.root, Places(workspace, change)
    whole = change.made
    # Of a change that was interrupted, what is in the stage has not come.
    came = [name for name in change.incoming if not reader.exists(places.staged(name))]
    marks = _whole(reader, root) if whole else _below(reader, root, (*came, *change.went))
    distributions = _distributions(reader, root)
    brought = manifests.read(reader, workspace, change.number) or manifests.of_old(reader, workspace, change, marks, distributions)
    if not whole:
        brought = replace(brought, files={path: mark for path, mark in brought.files.items() if is_below(path, frozenset(came))})
        marks |= _caches(reader, root, brought, frozenset((*came, *change.went)))
        marks = {path: mark for path, mark in marks.items() if not is_below(path, places.states)}
    # What was taken out may be what nobody could look into: it comes back as a whole.
    kept_ones = () if whole else places.kept_folders.values()
    old = {path: mark for kept in kept_ones for path, mark in _below(reader, kept, change.went, closed=True).items()}
    for path in old:
        # Where a file has taken the place of a folder above it.
        marks |= {
            above: Mark("other") for above in above_of(path) if above not in marks and _is_no_folder(reader, posixpath.join(root, above))
        }
    now = _dists(reader, root, distributions)
    before = tuple(item for kept in places.kept_folders.values() if old for item in _dists(reader, kept, _distributions(reader, kept)))
    stayed = brought.stayed if brought.stayed is not None else _not_ours(now, brought, before)
    stayed = frozenset() if whole else stayed | _in_motion(reader, root, change)
    # One that was stopped while its entries moved one by one is at both places.
    halfway = {item.path for item in change.parted} if change.phase == "moving" else set()
    moves = [move for move in change.moves if move.path not in halfway]
    blocked = tuple(move.path for move in moves if reader.exists(move.path) and reader.exists(move.target))
    return Seen(
        whole=whole, brought=brought.files, marks=marks, stayed=stayed, now=now, old=old, before=before,
        blocked=tuple(path for path in blocked if not _goes(root, path, brought)),
    )  # fmt: skip


def _in_motion(reader: Reader, root: str, change: Journal) -> frozenset[str]:
    """Return the folders that were stopped while their entries moved out one by one: with what is left in them they are none that came since."""
    if change.phase != "moving" or not change.folders:
        return frozenset()
    out = {*change.outgoing, *(folder.path for folder in change.folders)}
    left = [name for name in change.folders if reader.exists(posixpath.join(root, name.path))]
    return frozenset(
        folder.path
        for folder in left
        if all(posixpath.relpath(entry.path, root) in out for entry in reader.list(posixpath.join(root, folder.path)))
    )


def _goes(root: str, path: str, brought: Brought) -> bool:
    """True where what has the name of something that was renamed was itself brought, and leaves before."""
    inner = posixpath.relpath(path, root)
    return inner in brought.files or any(name.startswith(inner + "/") for name in brought.files)


def _not_ours(now: Iterable[Dist], brought: Brought, before: Iterable[Dist]) -> frozenset[str]:
    """Of a change of 0.1.0, which did not say what it left alone: whatever it did not bring, and would not be there twice."""
    names = {item.name for item in before}
    return frozenset(
        item.metadata for item in now if item.name not in names and not any(is_below(path, {item.metadata}) for path in brought.files)
    )


def _whole(reader: Reader, root: str) -> dict[str, Mark]:
    return {name: mark for name, mark in reader.marks(root).items() if name.split("/", maxsplit=1)[0] != STATE}


def _below(reader: Reader, root: str, names: Iterable[str], *, closed: bool = False) -> dict[str, Mark]:
    """Return what lies at, or below, those paths relative to ``root``; ``closed`` as ``Reader.marks`` has it."""
    found: dict[str, Mark] = {}
    for name in names:
        path = posixpath.join(root, name)
        entry = files.entry(reader, path)
        if entry is None:
            continue
        if entry.kind == "directory":
            inner = reader.marks(path, closed=closed)
            found |= {f"{name}/{below}": mark for below, mark in inner.items()} if inner else {name: Mark("directory")}
        elif entry.kind == "link":
            found[name] = Mark("link", target=reader.read_link(path))
        else:
            found[name] = Mark(entry.kind, entry.size, entry.mtime) if entry.kind == "file" else Mark(entry.kind)
    return found


def _caches(reader: Reader, root: str, brought: Brought, looked: Collection[str]) -> dict[str, Mark]:
    """Return the byte code of brought modules that lies in folders which were not looked into."""
    folders = {posixpath.join(posixpath.dirname(path), CACHE) for path in brought.files if path.endswith(".py")}
    found: dict[str, Mark] = {}
    for folder in sorted(folder for folder in folders if not is_below(folder, looked)):
        inside = _below(reader, root, [folder])
        found |= {path: mark for path, mark in inside.items() if module_of(path) in brought.files}
    return found


def _is_no_folder(reader: Reader, path: str) -> bool:
    entry = files.entry(reader, path)
    return entry is not None and entry.kind != "directory"


def _distributions(reader: Reader, root: str) -> tuple[Installed, ...]:
    if not reader.exists(root):
        return ()
    folders = [folder for folder in sites(reader, root) if folder.startswith(root + "/")]
    return tuple(item for folder in folders for item in read_distributions(reader, root, folder))


def _dists(reader: Reader, root: str, distributions: tuple[Installed, ...]) -> tuple[Dist, ...]:
    """Return the distributions with their files, each file relative to ``root``."""
    found: dict[str, set[str]] = {item.metadata: set() for item in distributions}
    for path, claims in read_owners(reader, root, distributions).claims.items():
        for claim in claims:
            found[claim.metadata].add(path)
    return tuple(Dist(item.name, item.version, item.metadata, frozenset(found[item.metadata])) for item in distributions)


def _returning(reader: Reader, workspace: Workspace, change: Journal, *, gone: Collection[str], left: Collection[str]) -> tuple[str, ...]:
    """Return the fewest moves that bring the old files back, but for those of ``left``, when ``gone`` is away."""
    root, places = workspace.root, Places(workspace, change)
    mixed = {above for path in left for above in above_of(path)}
    moves: list[str] = []

    def enter(name: str) -> None:
        if name in left or not reader.exists(places.kept(name)):
            return
        there = reader.exists(posixpath.join(root, name)) and not is_below(name, gone)
        folder = reader.entry(places.kept(name)).kind == "directory"
        if folder and (there or name in mixed):
            for entry in reader.list(places.kept(name)):
                enter(f"{name}/{posixpath.basename(entry.path)}")
        else:
            moves.append(name)

    for name in change.went:
        enter(name)
    return tuple(moves)


def _folders(change: Journal, back: Collection[str]) -> tuple[Folder, ...]:
    """Return the folders that were taken apart and of which something comes back."""
    above = {folder for name in back for folder in above_of(name)}
    return tuple(folder for folder in change.folders if folder.path in above or is_below(folder.path, back))
