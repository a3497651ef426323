"""The folder into which undo moves what came since (``--keep-new``): empty, on the same file system, and marked before the first move.

A journal names that folder, and a journal may be forged: one is believed only where the folder says the same, in a file of this user's own.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
from dataclasses import replace

from provisioner.base.paths import spelt
from provisioner.change.journal import Journal
from provisioner.change.places import Places, mounts_inside
from provisioner.environment.trust import check
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, OperationError
from provisioner.host import Host, Reader
from provisioner.host.files import ground, is_unwritten, make_folders
from provisioner.model.json_text import read_json

SCHEMA = "tfsetup/kept/1"
MARKER = ".tfsetup-kept.json"


def prepare(host: Host, workspace: Workspace, journal: Journal) -> tuple[str, ...]:
    """Make the folder ready, and all that the moves need in it; return the folders that were made for that, for ``abandon``.

    Raises ``InputError`` where it cannot serve, before anything has moved.
    """
    keep = journal.keep
    _check(host, workspace.root, keep)
    places = Places(workspace, replace(journal, mounts=mounts_inside(host, workspace)))
    for name in journal.kept:
        if mount := places.mount(name):
            hint = "move it away by hand, then run the same command again"
            raise InputError(
                f"is on a file system of its own ({mount}), and files are only ever renamed", place=places.current(name), hint=hint
            )
    made = make_folders(host, keep, mode=0o700)
    try:
        _try_rename(host, workspace, keep)
        text = json.dumps({"schema": SCHEMA, "env": workspace.root, "started": journal.started, "paths": list(journal.kept)}, indent=1)
        host.write(posixpath.join(keep, MARKER), text + "\n", durable=True)
        for name in journal.kept:
            make_folders(host, posixpath.dirname(posixpath.join(keep, name)), mode=0o700)
    except BaseException:
        abandon(host, keep, made)
        raise
    return made


def _check(reader: Reader, root: str, keep: str) -> None:
    if f"{keep}/".startswith(f"{root}/"):
        raise InputError("lies in the environment itself", place=keep, hint="name a folder elsewhere with --keep-new")
    try:
        place, _ = ground(reader, keep)
    except FileNotFoundError as error:
        hint = "name a folder elsewhere with --keep-new"
        raise InputError(f"this machine finds no {spelt(str(error.filename))}", place=keep, hint=hint) from None
    entry = reader.entry(place)
    if entry.kind != "directory" or (place == keep and not _is_unused(reader, keep)):
        raise InputError("is there already, and is not an empty folder", place=keep, hint="name another with --keep-new")
    if entry.device != reader.entry(root).device:
        hint = f"name a folder on the file system of {root} with --keep-new"
        raise InputError("lies on another file system, and files are only ever renamed", place=keep, hint=hint)


def _is_unused(reader: Reader, keep: str) -> bool:
    """True for an empty folder, and for one that a run which was killed had made ready and no more."""
    found = {name for name, mark in reader.marks(keep).items() if mark.kind != "directory"}
    ours = {name for name in found if name in {MARKER, "probe"} or is_unwritten(name)}
    return found == ours and (bool(ours) or not reader.list(keep))


def _try_rename(host: Host, workspace: Workspace, keep: str) -> None:
    """The number of the file system is not all: between two mounts of one nothing can be renamed."""
    make_folders(host, workspace.state, mode=0o755)
    probe, target = workspace.probe, posixpath.join(keep, "probe")
    host.write(probe, "")
    try:
        host.rename(probe, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            host.remove(probe)
        hint = f"name a folder beside {workspace.root} with --keep-new"
        raise InputError(f"files of the environment cannot be moved there: {error.strerror}", place=keep, hint=hint) from None
    host.remove(target)


def abandon(host: Host, keep: str, made: tuple[str, ...]) -> None:
    """Take away what ``prepare`` made, before anything has moved there."""
    with contextlib.suppress(OSError):
        for entry in host.list(keep):
            host.remove_tree(entry.path) if entry.kind == "directory" else host.remove(entry.path)
    for folder in reversed(made):
        with contextlib.suppress(OSError):
            host.remove_folder(folder)


def check_marked(reader: Reader, workspace: Workspace, journal: Journal) -> None:
    """Raise ``OperationError`` where the folder of a journal was not made for this undo; ``InputError`` where it is not to be trusted."""
    path = posixpath.join(journal.keep, MARKER)
    check(reader, path, top=posixpath.dirname(journal.keep))
    try:
        marked = read_json(reader.read_text(path, limit=1 << 26))
        same = (marked["schema"], marked["env"], marked["started"]) == (SCHEMA, workspace.root, journal.started)
        same = same and set(marked["paths"]) == set(journal.kept)
    except (OSError, ValueError, TypeError, KeyError):
        same = False
    if not same:
        raise OperationError("was not made to keep what came into the environment, so nothing is moved there", place=journal.keep)
