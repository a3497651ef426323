"""Bringing the old state back: after a failure, after an interrupted run, and on demand (``undo``)."""

from __future__ import annotations

import contextlib
import errno
import posixpath
import shlex
from dataclasses import replace

from provisioner.base.paths import is_below
from provisioner.change import keeping
from provisioner.change.apart import mount_point
from provisioner.change.by_now import apart_by_now, apart_for_undo
from provisioner.change.journal import Journal, enter, last_record, put, read, read_aside, read_discarded, write, write_ahead
from provisioner.change.moves import clear, keep_new, move_back
from provisioner.change.places import Places
from provisioner.change.standing import check_beside, interrupted, scraps, state_words, undo_command
from provisioner.change.undoing import WayBack, way_back
from provisioner.conda import registry
from provisioner.environment.workspace import STATE_MODE, Workspace
from provisioner.errors import HalfwayError, InTheWayError, TfsetupError
from provisioner.errors.system import cause_of, words_of
from provisioner.host import Host
from provisioner.host.files import make_folders
from provisioner.model.plan import Interrupted
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
            for entry in host.list(folder):
                if entry.path != last:
                    _remove(host, entry.path)
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
            for entry in host.list(place):
                if entry.path != kept:
                    _remove(host, entry.path)
    _remove(host, folder)


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
        _forget(host, workspace)
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


def take_back(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Bring back what was there before ``journal``; can be interrupted and run again."""
    if not journal.stood:
        discard_new(host, workspace, journal)
        return
    # While building nothing has moved, and a full disk may be why it ended: then nothing may be written before the stage is gone.
    if journal.phase not in {"building", "clearing"}:
        journal = replace(journal, phase="undoing")
        with contextlib.suppress(OSError):
            # The files tell by their places how far it came; nothing may begin with a write that must succeed.
            enter(host, workspace, journal)
        move_back(host, workspace, journal)
        with contextlib.suppress(OSError):
            host.flush(workspace.root)
        # This one must be on disk, for what it says cannot be told from the files any more; the receipt, while there is one written ahead.
        _restore_receipt(host, workspace, journal)
        enter(host, workspace, replace(journal, phase="clearing"))
    clear(host, workspace, journal)
    # It writes, and there is room again by now.
    registry.unregister_all(host, journal.outside, workspace.root)
    _restore_receipt(host, workspace, journal)
    with host.shielded():
        forgotten = last_record(host, workspace) is None
        if forgotten:
            _forget(host, workspace, but=workspace.journal)
        # A disk that is full had no room for it.
        if host.exists(workspace.journal):
            finish(host, workspace)
        if forgotten:
            _forget(host, workspace)


def finish(host: Host, workspace: Workspace) -> None:
    """Remove the journal, so that a power cut does not bring it back; when that cannot be made sure, all is done nevertheless."""
    host.remove(workspace.journal)
    with contextlib.suppress(OSError):
        host.sync(workspace.state)
        # Of a run before this one, which was killed while it wrote.
        tidy(host, workspace)


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


def _forget(host: Host, workspace: Workspace, *, but: str = "") -> None:
    """Remove the tool's own folder, but for old files that did not come back; with ``but``, all in it but that and the lock."""
    replaced = posixpath.dirname(workspace.replaced(0))
    if not but and not host.exists(replaced):
        host.remove_tree(workspace.state)
        return
    kept = {replaced, but, workspace.lock} if but else {replaced}
    for entry in host.list(workspace.state):
        if entry.path not in kept:
            _remove(host, entry.path)


def recover(host: Host, workspace: Workspace, wishes: Wishes = NO_WISHES) -> Interrupted | None:
    """Bring the state before an interrupted run back; the caller holds the environment's lock. Returns what was found.

    Raises ``InTheWayError``, before the first move, where something came since.
    """
    found = interrupted(host, workspace)
    journal = read(host, workspace)
    if journal is None:
        tidy(host, workspace)
        return found
    if journal.phase in {"moving", "moved"} and host.exists(workspace.brought(journal.number)):
        _begin_undo(host, workspace, way_back(host, workspace, journal, keep=wishes.keep, leave=wishes.leave), wishes)
    else:
        with host.shielded():
            take_back(host, workspace, apart_by_now(host, workspace, journal))
    return found


def undo(host: Host, workspace: Workspace, record: Journal, wishes: Wishes = NO_WISHES) -> None:
    """Take the last change back; the caller holds the environment's lock. Raises as ``recover`` does."""
    _begin_undo(host, workspace, way_back(host, workspace, record, keep=wishes.keep, leave=wishes.leave), wishes)


def _begin_undo(host: Host, workspace: Workspace, way: WayBack, wishes: Wishes) -> None:
    """Make ready all that the moves need, then write the journal, then move."""
    check_free(workspace, way, wishes)
    journal = way.journal
    _check_places(host, workspace, journal)
    begun, made = host.exists(workspace.journal), None
    try:
        make_folders(host, workspace.state, mode=STATE_MODE)
        journal = apart_for_undo(host, workspace, journal)
        if journal.kept:
            made = keeping.prepare(host, workspace, journal)
        for name in journal.incoming if journal.stood else ():
            make_folders(host, posixpath.dirname(Places(workspace, journal).returned(name)), mode=STATE_MODE)
        if journal.stood:
            write_ahead(host, workspace, journal, "clearing")
        write(host, workspace.journal, journal)
    except BaseException:
        # Nothing has moved. Where a change is taken back, its journal stands; an undo that was not begun leaves nothing.
        if made is not None:
            keeping.abandon(host, journal.keep, made)
        if not begun:
            with contextlib.suppress(OSError):
                if host.exists(workspace.journal):
                    host.remove(workspace.journal)
                tidy(host, workspace)
        raise
    with host.shielded():
        take_back(host, workspace, journal)


def _check_places(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Raise ``InTheWayError`` where an old file would find its place taken when all that is to go has gone: the moves would stop in the middle."""
    gone = {*journal.incoming, *journal.kept}
    taken = [name for name in journal.outgoing if host.exists(posixpath.join(workspace.root, name)) and not is_below(name, gone)]
    if taken:
        raise InTheWayError(
            "something is where an old file would come back, so nothing was changed",
            place=workspace.root,
            hint="move it away, then run the same command again",
            faults=tuple(f"{name} is there now" for name in taken),
        )


def check_free(workspace: Workspace, way: WayBack, wishes: Wishes) -> None:
    """Raise ``InTheWayError`` where something that came since is in the way, and nobody said what becomes of it.

    Raises ``OperationError`` where a file system is mounted in an environment that goes as a whole.
    """
    if not way.journal.stood and way.mounts:
        raise mount_point(posixpath.join(workspace.root, way.mounts[0]))
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
