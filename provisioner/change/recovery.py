"""Bringing the old state back: after a failure, after an interrupted run, and on demand (``undo``)."""

from __future__ import annotations

import contextlib
import posixpath
import shlex
from dataclasses import replace

from provisioner.change import keeping
from provisioner.change.journal import Journal, enter, last_record, put, read, read_aside, write, write_ahead
from provisioner.change.moves import clear, keep_new, move_back
from provisioner.change.standing import Interrupted, check_beside, interrupted, state_words, undo_command
from provisioner.change.undoing import WayBack, way_back
from provisioner.conda import registry
from provisioner.environment.workspace import STATE_MODE, Workspace
from provisioner.errors import HalfwayError, InTheWayError, TfsetupError
from provisioner.errors.system import cause_of, words_of
from provisioner.host import Host
from provisioner.host.files import make_folders
from provisioner.model.record import record


@record
class Undoable:
    """What ``undo`` would take back: an interrupted run, or the last change; ``added`` came since and stays, ``way`` is how it is taken back."""

    workspace: Workspace
    interrupted: Interrupted | None
    record: Journal | None
    added: tuple[str, ...]
    way: WayBack | None = None

    @property
    def nothing(self) -> bool:
        """True when there is nothing to take back."""
        return self.interrupted is None and self.record is None


@record
class Wishes:
    """What becomes of that which came since and is in the way: moved into the folder ``keep`` (absolute), or left (``leave``)."""

    keep: str = ""
    leave: bool = False


NO_WISHES = Wishes()


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
        # One rename, so that at no moment half an environment stands there.
        host.rename(workspace.root, workspace.discarded)
        host.remove_tree(workspace.discarded)
    if failed:
        registry.unregister_all(host, journal.outside, workspace.root)
    if journal.before == "empty" and not host.exists(workspace.root):
        host.make_folder(workspace.root)
    _remove_parents(host, workspace, journal)


def discard(host: Host, folder: str) -> None:
    """Remove a folder of the tool's beside an environment, after looking once more whose it is."""
    if host.exists(folder):
        check_beside(host, folder)
        host.remove_tree(folder)


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
    """Remove what stands beside the environment's place: a new one that was not finished, an old one that was not removed whole."""
    journal = read_aside(host, workspace)
    if journal is not None:
        registry.unregister_all(host, journal.outside, workspace.root)
    for path in (workspace.aside, workspace.discarded):
        discard(host, path)
    if journal is not None:
        _remove_parents(host, workspace, journal)


def take_back(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Bring back what was there before ``journal``; can be interrupted and run again."""
    if not journal.stood:
        discard_new(host, workspace, journal)
        return
    # While building nothing has moved, and a full disk may be why it ended: then nothing may be written before the stage is gone.
    if journal.phase not in {"building", "clearing"}:
        with contextlib.suppress(OSError):
            # The files tell by their places how far it came; nothing may begin with a write that must succeed.
            enter(host, workspace, replace(journal, phase="undoing"))
        move_back(host, workspace, journal)
        # This one must be on disk, for what it says cannot be told from the files any more; the receipt, while there is one written ahead.
        _restore_receipt(host, workspace, journal)
        enter(host, workspace, replace(journal, phase="clearing"))
    clear(host, workspace, journal)
    # It writes, and there is room again by now.
    registry.unregister_all(host, journal.outside, workspace.root)
    _restore_receipt(host, workspace, journal)
    # A disk that is full had no room for it.
    if host.exists(workspace.journal):
        finish(host, workspace)
    if last_record(host, workspace) is None:
        _forget(host, workspace)


def finish(host: Host, workspace: Workspace) -> None:
    """Remove the journal, so that a power cut does not bring it back; when that cannot be made sure, all is done nevertheless."""
    host.remove(workspace.journal)
    with contextlib.suppress(OSError):
        host.sync(workspace.state)


def _restore_receipt(host: Host, workspace: Workspace, journal: Journal) -> None:
    if journal.receipt:
        put(host, workspace.former_receipt, workspace.receipt, journal.receipt)
    elif host.exists(workspace.receipt):
        host.remove(workspace.receipt)


def bring_back(host: Host, workspace: Workspace, journal: Journal, first: BaseException) -> None:
    """Take back a change that failed for ``first``; once more where that fails, and then say what is there.

    Raises ``HalfwayError`` with the words of ``first``, and with what a look at the environment shows.
    """
    with host.shielded():
        try:
            _take_back_what_is_there(host, workspace, journal)
        except (OSError, TfsetupError):
            try:
                _take_back_what_is_there(host, workspace, journal)
            except (OSError, TfsetupError) as second:
                raise HalfwayError(
                    f"{words_of(first)}; taking it back failed as well ({words_of(second)}), and {state_words(host, workspace, journal)}",
                    hint=f"when that is mended, `{undo_command(workspace.root)}` goes on",
                    cause=cause_of(first),
                ) from first


def _take_back_what_is_there(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Take back from where the disk says it stands: once the new files are removed (here, or by a try before), nothing may be taken for one."""
    there = read(host, workspace) if journal.stood else journal
    if there is not None or journal.phase == "building" or host.exists(workspace.undo_record(journal.number)):
        take_back(host, workspace, there or journal)
    elif last_record(host, workspace) is None and host.exists(workspace.state):
        _forget(host, workspace)


def _forget(host: Host, workspace: Workspace) -> None:
    """Remove the tool's own folder, but for old files that did not come back."""
    if not host.exists(posixpath.dirname(workspace.replaced(0))):
        host.remove_tree(workspace.state)
        return
    for entry in host.list(workspace.state):
        if entry.path != posixpath.dirname(workspace.replaced(0)):
            _remove(host, entry.path)


def recover(host: Host, workspace: Workspace, wishes: Wishes = NO_WISHES) -> Interrupted | None:
    """Bring the state before an interrupted run back; the caller holds the environment's lock. Returns what was found.

    Raises ``InTheWayError``, before the first move, where something came since.
    """
    found = interrupted(host, workspace)
    journal = read(host, workspace)
    if journal is None:
        return found
    if journal.phase in {"moving", "moved"} and host.exists(workspace.brought(journal.number)):
        _begin_undo(host, workspace, way_back(host, workspace, journal, keep=wishes.keep, leave=wishes.leave), wishes)
    else:
        take_back(host, workspace, journal)
    return found


def undo(host: Host, workspace: Workspace, record: Journal, wishes: Wishes = NO_WISHES) -> None:
    """Take the last change back; the caller holds the environment's lock. Raises as ``recover`` does."""
    _begin_undo(host, workspace, way_back(host, workspace, record, keep=wishes.keep, leave=wishes.leave), wishes)


def _begin_undo(host: Host, workspace: Workspace, way: WayBack, wishes: Wishes) -> None:
    """Make ready all that the moves need, then write the journal, then move."""
    check_free(workspace, way, wishes)
    journal = way.journal
    make_folders(host, workspace.state, mode=STATE_MODE)
    if journal.kept:
        keeping.prepare(host, workspace, journal)
    for name in journal.incoming if journal.stood else ():
        make_folders(host, posixpath.dirname(posixpath.join(workspace.returned, name)), mode=STATE_MODE)
    if journal.stood:
        write_ahead(host, workspace, journal, "clearing")
    write(host, workspace.journal, journal)
    take_back(host, workspace, journal)


def check_free(workspace: Workspace, way: WayBack, wishes: Wishes) -> None:
    """Raise ``InTheWayError`` where something that came since is in the way, and nobody said what becomes of it."""
    obstacles = [item for item in way.verdict.obstacles if not (wishes.keep and item.paths)]
    if not obstacles:
        return
    whole = way.journal.made
    if whole and wishes.leave:
        raise InTheWayError(
            "an environment that tfsetup made goes as a whole, so nothing can stay in it; nothing was changed",
            place=workspace.root,
            hint="--keep-new FOLDER moves what came since there",
            faults=tuple(f"{item.what} {item.why}" for item in obstacles),
        )
    command = f"tfsetup undo --env {shlex.quote(workspace.root)}"
    hint = f"`{command} --keep-new FOLDER` moves it to a new folder"
    hint += "" if whole else f"; `{command} --leave-new` leaves it, and what it replaced does not come back"
    raise InTheWayError(
        "what came into the environment since is in the way, so nothing was changed",
        place=workspace.root,
        hint=hint if any(item.paths for item in obstacles) else "move it away, then run the same command again",
        faults=tuple(f"{item.what} {item.why}" for item in obstacles),
    )
