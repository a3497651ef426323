"""Bringing the old state back: after a failure, after an interrupted run, and on demand (``undo``)."""

from __future__ import annotations

import contextlib
import posixpath
from dataclasses import replace
from typing import Literal

from provisioner.change.journal import Journal, last_record, read, read_aside, write
from provisioner.change.moves import clear, move_back
from provisioner.conda import registry
from provisioner.environment.trust import check
from provisioner.environment.workspace import STATE_MODE, Workspace
from provisioner.host import Host, Reader
from provisioner.host.files import make_folders
from provisioner.model.plan import EnvKind
from provisioner.model.record import record


@record
class Interrupted:
    """What an interrupted run left.

    ``state``: ``old`` (nothing of it reached the environment), ``moving`` (files were on their way), ``new`` (complete, not yet proven);
    ``where`` is the folder that shows it, ``started`` the time (ISO 8601) when it was begun.
    """

    state: Literal["old", "moving", "new"]
    where: str
    started: str
    before: EnvKind = "absent"


@record
class Undoable:
    """What ``undo`` would take back: an interrupted run, or the last change; ``added`` are distributions installed since."""

    workspace: Workspace
    interrupted: Interrupted | None
    record: Journal | None
    added: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """True when there is nothing to take back."""
        return self.interrupted is None and self.record is None


def interrupted(reader: Reader, workspace: Workspace) -> Interrupted | None:
    """Look for an interrupted run; None when there is none (a run that is still at work looks the same: hold the lock to know).

    Raises ``InputError`` where something lies there that this user's tfsetup cannot have put there.
    """
    journal = read(reader, workspace)
    if journal is not None:
        states: dict[str, Literal["old", "moving", "new"]] = {"building": "old", "clearing": "old", "moved": "new"}
        return Interrupted(state=states.get(journal.phase, "moving"), where=workspace.root, started=journal.started, before=journal.before)
    if reader.exists(workspace.aside):
        journal = read_aside(reader, workspace)
        before = journal.before if journal else "absent"
        return Interrupted(state="old", where=workspace.aside, started=journal.started if journal else "", before=before)
    if reader.exists(workspace.discarded):
        check_beside(reader, workspace.discarded)
        return Interrupted(state="old", where=workspace.discarded, started="")
    return None


def check_beside(reader: Reader, folder: str) -> None:
    """Raise ``InputError`` where a folder of the tool's name beside an environment is not the tool's."""
    check(reader, folder, top=posixpath.dirname(folder), shared=True)


def sweep(host: Host, workspace: Workspace) -> None:
    """Remove everything but the lock from a folder in which an environment was being built."""
    for entry in host.list(workspace.root):
        if entry.path != workspace.state:
            _remove(host, entry.path)
    for entry in host.list(workspace.state):
        if entry.path != workspace.lock:
            _remove(host, entry.path)


def _remove(host: Host, path: str) -> None:
    if host.entry(path).kind == "directory":
        host.remove_tree(path)
    else:
        host.remove(path)


def discard_new(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Take a new environment away again, wherever it stands, and what was made for it."""
    # First, while the journal still stands: an interrupted one is begun again.
    registry.unregister_all(host, journal.outside, workspace.root)
    for path in (workspace.aside, workspace.discarded):
        discard(host, path)
    last = last_record(host, workspace)
    finished = last is not None and (last.seal, last.started) == (journal.seal, journal.started)
    if finished or host.exists(workspace.journal):
        # One rename, so that at no moment half an environment stands there.
        host.rename(workspace.root, workspace.discarded)
        host.remove_tree(workspace.discarded)
    if journal.before == "empty" and not host.exists(workspace.root):
        host.make_folder(workspace.root)
    _remove_parents(host, journal)


def discard(host: Host, folder: str) -> None:
    """Remove a folder of the tool's beside an environment, after looking once more whose it is."""
    if host.exists(folder):
        check_beside(host, folder)
        host.remove_tree(folder)


def _remove_parents(host: Host, journal: Journal) -> None:
    for folder in reversed(journal.parents):
        # A folder that somebody uses by now stays.
        with contextlib.suppress(OSError):
            host.remove_folder(folder)


def discard_unfinished(host: Host, workspace: Workspace) -> None:
    """Remove what stands beside the environment's place: a new one that was not finished, an old one that was not removed whole."""
    journal = read_aside(host, workspace)
    if journal is not None:
        registry.unregister_all(host, journal.outside, workspace.root)
    for path in (workspace.aside, workspace.discarded):
        discard(host, path)
    if journal is not None:
        _remove_parents(host, journal)


def take_back(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Bring back what was there before ``journal``; can be interrupted and run again."""
    if journal.before not in {"venv", "conda"}:
        discard_new(host, workspace, journal)
        return
    # While building nothing has moved, and a full disk may be why it ended: then nothing may be written before the stage is gone.
    if journal.phase not in {"building", "clearing"}:
        write(host, workspace.journal, replace(journal, phase="undoing"))
        move_back(host, workspace, journal)
        write(host, workspace.journal, replace(journal, phase="clearing"))
    clear(host, workspace, journal)
    if journal.receipt:
        host.write(workspace.receipt, journal.receipt, durable=True)
    elif host.exists(workspace.receipt):
        host.remove(workspace.receipt)
    # A disk that is full had no room for it.
    if host.exists(workspace.journal):
        host.remove(workspace.journal)
    if last_record(host, workspace) is None:
        host.remove_tree(workspace.state)


def recover(host: Host, workspace: Workspace) -> Interrupted | None:
    """Bring the state before an interrupted run back; the caller holds the environment's lock. Returns what was found."""
    found = interrupted(host, workspace)
    journal = read(host, workspace)
    if journal is not None:
        take_back(host, workspace, journal)
    return found


def undo(host: Host, workspace: Workspace, record: Journal) -> None:
    """Take the last change back; the caller holds the environment's lock."""
    if record.before in {"venv", "conda"}:
        make_folders(host, posixpath.dirname(workspace.journal), mode=STATE_MODE)
        write(host, workspace.journal, replace(record, phase="undoing"))
    else:
        write(host, workspace.journal, record)
    take_back(host, workspace, replace(record, phase="undoing"))
