"""Bringing the old state back: after a failure, after an interrupted run, and on demand (``undo``)."""

from __future__ import annotations

import contextlib
import posixpath
import shlex
from dataclasses import replace

from provisioner.base.paths import is_below
from provisioner.change import in_use, keeping, rights
from provisioner.change.apart import mount_point
from provisioner.change.by_now import apart_by_now, apart_for_undo
from provisioner.change.discarding import discard_new, forget, tidy
from provisioner.change.journal import Journal, enter, last_record, put, read, write, write_ahead
from provisioner.change.moves import clear, move_back
from provisioner.change.places import Places
from provisioner.change.standing import interrupted, state_words, undo_command
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
    """What ``undo`` would take back: an interrupted run, or the last change; ``added`` came since and stays, ``way`` is how it is taken back.

    ``stays`` is what the change brought outside the environment and undo leaves, in sentences. ``steps``: so many changes were made by one
    command, and go back together, this one first.
    """

    workspace: Workspace
    interrupted: Interrupted | None
    record: Journal | None
    added: tuple[str, ...]
    way: WayBack | None = None
    stays: tuple[str, ...] = ()
    steps: int = 1

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
            forget(host, workspace, but=workspace.journal)
        # A disk that is full had no room for it.
        if host.exists(workspace.journal):
            finish(host, workspace)
        if forgotten:
            # All is done; an empty folder that cannot be removed is no failure.
            with contextlib.suppress(OSError):
                forget(host, workspace)


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
        forget(host, workspace)


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
        rights.check_moves(host, workspace.root, _moving(workspace, journal))
        in_use.check(host, workspace.root, _moving(workspace, journal) if journal.stood else [workspace.root])
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


def _moving(workspace: Workspace, journal: Journal) -> list[str]:
    """Return the paths in the environment that something is moved from or to; a new one goes as a whole."""
    names = (*journal.kept, *((*journal.incoming, *journal.outgoing) if journal.stood else ()))
    return [posixpath.join(workspace.root, name) for name in names]


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
