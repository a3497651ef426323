"""In which state an environment stands: what an interrupted run left in it or beside it, by looking."""

from __future__ import annotations

import posixpath
import shlex

from provisioner.change import brought as manifests
from provisioner.change.journal import Journal, last_record, read, read_aside
from provisioner.change.places import Places
from provisioner.environment.trust import check
from provisioner.environment.workspace import Workspace
from provisioner.errors import TfsetupError
from provisioner.errors.system import words_of
from provisioner.host import Reader
from provisioner.host.files import is_unwritten
from provisioner.model.plan import Interrupted, State
from provisioner.model.record import record


def interrupted(reader: Reader, workspace: Workspace) -> Interrupted | None:
    """Look for an interrupted run; None when there is none (a run that is still at work looks the same: hold the lock to know).

    Raises ``InputError`` where something lies there that this user's tfsetup cannot have put there.
    """
    journal = read(reader, workspace)
    if journal is not None:
        state = _state(reader, workspace, journal)
        return Interrupted(state=state, where=workspace.root, started=journal.started, before=journal.before, undoing=journal.exact)
    if reader.exists(workspace.aside):
        journal = read_aside(reader, workspace)
        before = journal.before if journal else "absent"
        return Interrupted(state="old", where=workspace.aside, started=journal.started if journal else "", before=before)
    if reader.exists(workspace.discarded):
        check_beside(reader, workspace.discarded)
        return Interrupted(state="old", where=workspace.discarded, started="")
    if scraps(reader, workspace):
        return Interrupted(state="old", where=workspace.state, started="")
    return None


def scraps(reader: Reader, workspace: Workspace) -> tuple[str, ...]:
    """Return what lies in the tool's folder and means nothing without a journal: a run was killed before it had written one, or while it did."""
    passing = {
        workspace.stage,
        workspace.helper,
        workspace.fetched,
        workspace.ahead,
        workspace.returned,
        workspace.probe,
        workspace.trial,
        *workspace.inputs,
    }
    if reader.exists(workspace.journal) or not reader.exists(workspace.state) or reader.entry(workspace.state).kind != "directory":
        return ()
    check(reader, workspace.state, top=workspace.root)
    return tuple(entry.path for entry in reader.list(workspace.state) if entry.path in passing or is_unwritten(entry.path))


def _state(reader: Reader, workspace: Workspace, journal: Journal) -> State:
    """Tell the state by where the files are; the phase says only what was being done."""
    if journal.phase in {"building", "clearing"}:
        return "old"
    if not journal.stood:
        return "new" if journal.phase == "moved" else "old" if _is_whole(reader, workspace, journal) else "moving"
    parts = count(reader, workspace, journal)
    # Of an undo that has moved nothing as well: nothing of it has reached the environment.
    if parts.moved == 0 or (journal.exact and parts.moved == parts.all):
        return "old"
    return "new" if parts.moved == parts.all else "moving"


def _is_whole(reader: Reader, workspace: Workspace, journal: Journal) -> bool:
    """True where nothing of a new environment is on its way out yet: it goes by one rename, but where that cannot be (a container's layer)."""
    brought = manifests.read(reader, workspace, journal.number)
    there = brought is not None and all(reader.exists(posixpath.join(workspace.root, name)) for name in brought.files)
    return there and not any(_kept(reader, journal))


@record
class Parts:
    """How many of a change's moves are done, and how many there are."""

    moved: int
    all: int


def count(reader: Reader, workspace: Workspace, journal: Journal) -> Parts:
    """Look at each move: a new entry is in where it is neither in the stage nor returned; an old one is out where it is among the kept."""
    there, places = reader.exists, Places(workspace, journal)
    new = [there(places.current(name)) and not there(places.returned(name)) for name in journal.incoming]
    if not journal.exact:
        new = [is_in and not there(places.staged(name)) for is_in, name in zip(new, journal.incoming, strict=True)]
    old = [there(places.kept(name)) for name in journal.outgoing]
    beside = [there(move.target) and not there(move.path) for move in journal.moves]
    stays = [not is_kept for is_kept in _kept(reader, journal)]
    return Parts(moved=sum(new) + sum(old) + sum(beside) + sum(stays), all=len(new) + len(old) + len(beside) + len(stays))


def _kept(reader: Reader, journal: Journal) -> list[bool]:
    """Say of each path that an undo moves aside whether that is done."""
    return [reader.exists(posixpath.join(journal.keep, name)) for name in journal.kept]


def undo_command(root: str) -> str:
    """The one command that goes on where a run was stopped."""
    return f"tfsetup undo --env {shlex.quote(root)}"


def state_words(reader: Reader, workspace: Workspace, change: Journal | None = None) -> str:
    """Say in which state the environment is, from a look at it, after ``change`` was tried; the sentence goes on from another one."""
    root = workspace.root
    try:
        left = interrupted(reader, workspace)
        last = last_record(reader, workspace)
        if left is None and change is not None and last is not None and (last.seal, last.started) == (change.seal, change.started):
            return f"{root} is new and proven"
        if left is None:
            return f"{root} is as it was before"
        if left.where != root:
            return _words_of_rest(workspace, left)
        journal = read(reader, workspace)
        parts = count(reader, workspace, journal) if journal is not None else Parts(moved=0, all=0)
    except (OSError, TfsetupError) as error:
        return f"in which state {root} is cannot be told ({words_of(error)})"
    if left.state == "old":
        # Of an undo that has not moved anything yet, "before" would be read as before the change.
        when = "" if journal is not None and journal.phase == "undoing" and (parts.moved or not parts.all) else " before the change"
        return f"the files of {root} are as they were{when}; something of the run is left in {workspace.state}"
    if left.state == "new":
        return f"{root} is new and not proven"
    return f"{root} is half changed ({parts.moved} of {parts.all} moves are done)" if parts.all else f"{root} is on its way out"


def _words_of_rest(workspace: Workspace, left: Interrupted) -> str:
    """Say what is there where no journal stands in the environment."""
    if left.where == workspace.discarded:
        return f"{workspace.root} was taken away; what is left of it is in {left.where}"
    what = "something of the run" if left.where == workspace.state else "what was prepared"
    return f"{workspace.root} is as it was before; {what} is left in {left.where}"


def check_beside(reader: Reader, folder: str) -> None:
    """Raise ``InputError`` where a folder of the tool's name beside an environment is not the tool's."""
    check(reader, folder, top=posixpath.dirname(folder), shared=True)
