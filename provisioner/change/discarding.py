"""Taking away what runs made: a new environment, wherever it stands, what was prepared and never used, the tool's own folder."""

from __future__ import annotations

import contextlib
import errno
import posixpath

from provisioner.change.journal import Journal, last_record, read_aside, read_discarded
from provisioner.change.moves import keep_new
from provisioner.change.standing import check_beside, scraps
from provisioner.conda import registry
from provisioner.environment.workspace import Workspace
from provisioner.host import Host


def sweep(host: Host, workspace: Workspace) -> None:
    """Remove everything but the lock from a folder in which an environment was being built."""
    _empty(host, workspace.root, workspace.state)
    _empty(host, workspace.state, workspace.lock)


def _remove(host: Host, path: str) -> None:
    if host.entry(path).kind == "directory":
        host.remove_tree(path)
    else:
        host.remove(path)


def discard_new(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Take a new environment away again, wherever it stands, and what was made for it."""
    keep_new(host, workspace, journal)
    # First, while the journal still stands: an interrupted one is begun again. It writes, so it may fail until the disk has room again.
    failed = False
    try:
        registry.unregister_all(host, journal.outside, workspace.root)
    except OSError:
        failed = True
    for path in (workspace.aside, workspace.discarded):
        discard(host, path)
    last = last_record(host, workspace)
    finished = last is not None and (last.seal, last.started) == (journal.seal, journal.started)
    if finished or host.exists(workspace.journal):
        _discard_standing(host, workspace)
    if failed:
        registry.unregister_all(host, journal.outside, workspace.root)
    _leave_as_before(host, workspace, journal)


def _discard_standing(host: Host, workspace: Workspace) -> None:
    """Remove the environment: by one rename, so that at no moment half of one stands there; where that cannot be, the journal goes last."""
    try:
        host.rename(workspace.root, workspace.discarded)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        for folder, last in ((workspace.root, workspace.state), (workspace.state, workspace.journal)):
            _empty(host, folder, last)
        host.remove_tree(workspace.root)
        return
    discard(host, workspace.discarded)


def discard(host: Host, folder: str) -> None:
    """Remove a folder of the tool's beside an environment, after looking once more whose it is."""
    if not host.exists(folder):
        return
    check_beside(host, folder)
    inside = Workspace(root=folder)
    # The journal last: it says what else there is to do when this is done.
    for place, kept in ((folder, inside.state), (inside.state, inside.journal)):
        if host.exists(place) and host.entry(place).kind == "directory":
            _empty(host, place, kept)
    _remove(host, folder)


def _empty(host: Host, folder: str, but: str) -> None:
    """Remove all that is in a folder that is to go, but for one entry."""
    if not host.writable(folder):
        # Its owner may have made it read-only.
        with contextlib.suppress(OSError):
            host.open_up(folder)
    for entry in host.list(folder):
        if entry.path != but:
            _remove(host, entry.path)


def _leave_as_before(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Where a new environment was made and is gone: what was there before, an empty folder or nothing."""
    if journal.before == "empty" and not host.exists(workspace.root):
        host.make_folder(workspace.root)
    _remove_parents(host, workspace, journal)


def _remove_parents(host: Host, workspace: Workspace, journal: Journal) -> None:
    # The lock that is held lies in the innermost; what there was to lock is gone.
    if journal.parents and host.exists(workspace.beside_lock):
        with contextlib.suppress(OSError):
            host.remove(workspace.beside_lock)
    for folder in reversed(journal.parents):
        # A folder that somebody uses by now stays.
        with contextlib.suppress(OSError):
            host.remove_folder(folder)


def discard_unfinished(host: Host, workspace: Workspace) -> None:
    """Remove what stands beside the environment's place (a new one that was not finished, an old one that was not removed whole), and scraps."""
    if tidied := scraps(host, workspace):
        tidy(host, workspace)
    if tidied and last_record(host, workspace) is None and not host.exists(workspace.receipt):
        forget(host, workspace)
    journal = read_aside(host, workspace) or read_discarded(host, workspace)
    if journal is not None:
        registry.unregister_all(host, journal.outside, workspace.root)
    for path in (workspace.aside, workspace.discarded):
        discard(host, path)
    if journal is not None:
        _leave_as_before(host, workspace, journal)


def tidy(host: Host, workspace: Workspace) -> None:
    """Remove what a run left that was ended before its journal stood; the caller holds the environment's lock."""
    for path in scraps(host, workspace):
        _remove(host, path)


def forget(host: Host, workspace: Workspace, *, but: str = "") -> None:
    """Remove the tool's own folder, but for old files that did not come back; with ``but``, all in it but that and the lock."""
    replaced = posixpath.dirname(workspace.replaced(0))
    if not but and not host.exists(replaced):
        host.remove_tree(workspace.state)
        return
    kept = {replaced, but, workspace.lock} if but else {replaced}
    for entry in host.list(workspace.state):
        if entry.path not in kept:
            _remove(host, entry.path)
