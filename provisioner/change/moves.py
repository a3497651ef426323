"""Changing an environment by renames: from the old state to the new one, and back, whatever interrupts.

A change of an existing environment moves files out of it into ``.tfsetup/undo/N/files`` and files from ``.tfsetup/stage`` into it. The list of
moves is on disk before the first. Each move is one rename whose source and target tell whether it was done, so an interrupted change
can be taken back (or an interrupted undo finished) from the journal alone. Nothing is copied, so undo gives back the very same files. Folders that
cannot be renamed are taken apart before (``apart``).
"""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from provisioner.change.apart import Parted, check_folders, move_tree, put_together, remove_emptied, tree_of_folders
from provisioner.change.journal import Journal, write
from provisioner.change.keeping import check_marked
from provisioner.change.places import Places
from provisioner.environment.workspace import STATE, STATE_MODE, Workspace
from provisioner.errors import OperationError, TfsetupError
from provisioner.host import Entry, Host, Reader
from provisioner.host.files import glob_escape, make_folders
from provisioner.model.plan import Move

Tree = dict[str, "Tree"]
CACHE = "__pycache__"


def tree_of(paths: Iterable[str]) -> Tree:
    """Return relative paths as nested folders; a path that ends the nesting stands for all below it."""
    root: Tree = {}
    for path in sorted(paths):
        node = root
        for part in path.split("/"):
            if part in node and not node[part]:
                break
            node = node.setdefault(part, {})
    return root


def outgoing_moves(host: Reader, root: str, outgoing: Iterable[str]) -> tuple[str, ...]:
    """Return the fewest moves that take the ``outgoing`` files (relative to ``root``) away.

    A folder of which nothing stays moves as a whole. Byte code of such a module goes with it. Paths that are not there are left out.
    """
    moves: list[str] = []
    for name, children in tree_of(outgoing).items():
        path = posixpath.join(root, name)
        if host.exists(path) and not _take(host, host.entry(path), name, children, moves):
            moves.append(name)
    return tuple(moves)


def _take(host: Reader, entry: Entry, name: str, outgoing: Tree, moves: list[str], modules: frozenset[str] = frozenset()) -> bool:
    """Add the moves below ``name``; return False when all of it leaves and one move of the caller's does it.

    ``modules`` are the modules that leave of the folder that a ``__pycache__`` belongs to.
    """
    if entry.kind != "directory" or not (outgoing or modules):
        return False
    whole: list[str] = []
    parts: list[str] = []
    stays = False
    here = frozenset(child.removesuffix(".py") for child in outgoing if child.endswith(".py"))
    for child in host.list(entry.path):
        base = posixpath.basename(child.path)
        path = f"{name}/{base}"
        caches = here if base == "__pycache__" and child.kind == "directory" and outgoing.get(base) != {} else frozenset()
        if base in outgoing or caches:
            inner: list[str] = []
            if _take(host, child, path, outgoing.get(base, {}), inner, caches):
                stays = True
                parts.extend(inner)
            else:
                whole.append(path)
        elif base.split(".")[0] in modules:
            whole.append(path)
        else:
            stays = True
    if stays:
        moves.extend(whole)
        moves.extend(parts)
    return stays


def incoming_moves(host: Reader, root: str, stage: str, outgoing: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the moves that bring the content of ``stage`` into ``root``, and what else must go out because it is in the way.

    A folder that will not be there after ``outgoing`` moves in whole; a file that is in the way moves out first.
    """
    gone = set(outgoing)
    moves: list[str] = []
    in_the_way: list[str] = []

    def enter(folder: str) -> None:
        for entry in host.list(posixpath.join(stage, folder) if folder else stage):
            name = posixpath.relpath(entry.path, stage)
            target = posixpath.join(root, name)
            if name in gone or not host.exists(target):
                moves.append(name)
            elif entry.kind == "directory" and host.entry(target).kind == "directory":
                enter(name)
            else:
                in_the_way.append(name)
                moves.append(name)

    enter("")
    return tuple(moves), tuple(in_the_way)


def _move(host: Host, root: str, source: str, target: str) -> None:
    """Rename inside ``root``, unless it was done before; what is in the way is never replaced, and no link is followed."""
    check_folders(host, root, source)
    if not host.exists(source):
        return
    check_folders(host, root, target)
    _check_free(host, target)
    own = f"/{STATE}/" in target[len(root) :]
    make_folders(host, posixpath.dirname(target), mode=STATE_MODE if own else 0o777)
    host.rename(source, target, inside=root)


def _rename_beside(host: Host, workspace: Workspace, journal: Journal, move: Move, *, back: bool) -> Journal:
    """Rename an entry beside itself, or back, unless it was done before; where that goes entry by entry, the journal is told, and returned."""
    source, target = (move.target, move.path) if back else (move.path, move.target)
    if not host.exists(source):
        return journal
    known = next((item for item in journal.parted if item.path == move.path), None)
    if known is None:
        _check_free(host, target)
        try:
            host.rename(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV or host.entry(source).kind != "directory":
                raise
            known = Parted(path=move.path, folders=tree_of_folders(host, source))
            journal = replace(journal, parted=(*journal.parted, known))
            write(host, workspace.journal, journal)
        else:
            return journal
    move_tree(host, source, target, known.folders)
    return journal


def _check_free(host: Reader, target: str) -> None:
    if host.exists(target):
        raise OperationError(
            "something else has appeared there meanwhile",
            place=target,
            hint="move it away, then run `tfsetup undo` (or the same command again)",
        )


def merge(host: Host, source: str, target: str) -> None:
    """Move what ``source`` holds into ``target``, by renames; both are on their way, so nothing of it is journalled.

    Raises ``OperationError`` where a file is there already: two packages must never own one.
    """
    moves, in_the_way = incoming_moves(host, target, source, ())
    if in_the_way:
        raise OperationError(
            "a conda package and a wheel bring the same file",
            place=in_the_way[0],
            hint="please report it, with the plan (`tfsetup plan --json`)",
        )
    for name in moves:
        make_folders(host, posixpath.dirname(posixpath.join(target, name)))
        host.rename(posixpath.join(source, name), posixpath.join(target, name))
    host.remove_tree(source)


def move_in(host: Host, workspace: Workspace, journal: Journal) -> Journal:
    """Carry out the moves of a journal whose phase is ``moving``, and return it as it is then; moves that were done are passed over.

    What is renamed beside itself goes first, so that what comes in under its name is never taken for it.
    """
    places = Places(workspace, journal)
    for move in journal.moves:
        journal = _rename_beside(host, workspace, journal, move, back=False)
    for name in journal.outgoing:
        _move(host, workspace.root, places.current(name), places.kept(name))
    for folder in reversed(journal.folders):
        remove_emptied(host, workspace.root, folder.path)
    for name in journal.incoming:
        _move(host, workspace.root, places.staged(name), places.current(name))
    return journal


def move_back(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Take the moves of a journal back, whichever of them were done; running it again goes on where it stopped.

    A file leaves the environment only when it is neither in the stage nor already returned, so the old file of the same name, which comes
    back in the second half, is never mistaken for the new one. One move that fails keeps none of the others: it is tried again at the end, and
    its error is raised when all that could be done is. ``clear`` comes after, under a phase of its own.
    """
    places = Places(workspace, journal)
    keep_new(host, workspace, journal)

    def beside(move: Move) -> None:
        nonlocal journal
        journal = _rename_beside(host, workspace, journal, move, back=True)

    steps: list[Callable[[], None]] = [partial(_take_out, host, places, name) for name in reversed(journal.incoming)]
    steps += [partial(remove_emptied, host, workspace.root, name) for name in reversed(journal.emptied)]
    steps += [partial(_move, host, workspace.root, places.kept(name), places.current(name)) for name in reversed(journal.outgoing)]
    steps += [partial(put_together, host, workspace.root, journal.folders)] if journal.folders else []
    steps += [partial(beside, move) for move in reversed(journal.moves)]
    failed = [step for step in steps if _failure(step) is not None]
    errors = [error for step in failed if (error := _failure(step)) is not None]
    if errors:
        raise errors[0]
    for folder in {posixpath.join(workspace.root, posixpath.dirname(name), CACHE) for name in journal.incoming if name.endswith(".py")}:
        # Of modules that left; not before the old ones are back, so that no folder need be made for theirs.
        if host.exists(folder) and host.entry(folder).kind == "directory" and not host.list(folder):
            host.remove(folder)
    if journal.left:
        for mount, kept in places.kept_folders.items():
            if host.exists(kept):
                _keep_old(host, places, mount, kept)


def _keep_old(host: Host, places: Places, mount: str, kept: str) -> None:
    """Put away what does not come back: it is nobody's to throw away."""
    number = places.journal.number
    while host.exists(target := places.replaced(mount, number)):
        number += 1
    make_folders(host, posixpath.dirname(target), mode=STATE_MODE)
    move_tree(host, kept, target, tree_of_folders(host, kept))


def _failure(step: Callable[[], None]) -> OSError | TfsetupError | None:
    """Take a step; return the error where it fails."""
    try:
        step()
    except (OSError, TfsetupError) as error:
        return error
    return None


def _take_out(host: Host, places: Places, name: str) -> None:
    """Move what came back to where it came from, whose folders are there still; of an undo, to a place of its own."""
    root, exact = places.workspace.root, places.journal.exact
    current, staged, returned = places.current(name), places.staged(name), places.returned(name)
    came = exact or not host.exists(staged)
    if came and not host.exists(returned):
        check_folders(host, root, current)
        if not exact:
            _forget_bytecode(host, places, name)
        back = not exact and host.exists(posixpath.dirname(staged))
        _move(host, root, current, staged if back else returned)


def keep_new(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Move what came since and is in the way into the folder that a person named, unless it was done before."""
    if not journal.kept:
        return
    check_marked(host, workspace, journal)
    for name in journal.kept:
        source, target = posixpath.join(workspace.root, name), posixpath.join(journal.keep, name)
        check_folders(host, workspace.root, source)
        if host.exists(source) and not host.exists(target):
            make_folders(host, posixpath.dirname(target), mode=0o700)
            host.rename(source, target)


def clear(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Remove what a change that was taken back leaves behind: the new files and its record."""
    host.remove_tree(workspace.returned)
    host.remove_tree(workspace.stage)
    host.remove_tree(workspace.helper)
    host.remove_tree(workspace.fetched)
    host.remove_tree(workspace.ahead)
    host.remove_tree(workspace.trial)
    Places(workspace, journal).clear(host)
    for path in workspace.inputs:
        if host.exists(path):
            host.remove(path)
    host.remove_tree(posixpath.dirname(workspace.undo_files(journal.number)))


def _forget_bytecode(host: Host, places: Places, module: str) -> None:
    """Remove the byte code that was compiled of a single module after it moved in; that of the old one may be back already, and stays."""
    if not module.endswith(".py"):
        return
    root, old = places.workspace.root, frozenset(places.journal.outgoing)
    folder, base = posixpath.split(module)
    cache = posixpath.join(folder, CACHE)
    # A name is part of a pattern here, and may hold what means something in one.
    for path in host.glob(posixpath.join(glob_escape(posixpath.join(root, cache)), glob_escape(base.removesuffix(".py")) + ".*.pyc")):
        names = (cache, posixpath.relpath(path, root))
        if not any(name in old and not host.exists(places.kept(name)) for name in names):
            host.remove(path)
