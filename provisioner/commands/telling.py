"""The last words of a command that changes an environment and fails: in which state that is, from a look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from provisioner.change.journal import last_record
from provisioner.change.rights import way_in
from provisioner.change.standing import state_words, undo_command
from provisioner.commands.interruption import at_work, left_behind
from provisioner.environment.workspace import Workspace
from provisioner.errors import HalfwayError, InterruptedRunError, TfsetupError, UnforeseenError
from provisioner.errors.system import refused
from provisioner.host import Host, files
from provisioner.model.plan import Interrupted
from provisioner.model.record import record


@contextmanager
def telling(host: Host, env: str) -> Iterator[None]:
    """Give an error that says nothing of the environment at ``env`` the state in which it is.

    Raises ``InterruptedRunError`` for Ctrl-C, ``OperationError`` for what the system refused, ``UnforeseenError`` for what nobody foresaw.
    """
    workspace = Workspace(root=files.real(host, env))
    before = _Before(
        receipt=files.read(host, workspace.receipt, 1 << 26).text, changes=_changes(host, workspace), left=_left(host, workspace)
    )
    try:
        yield
    except HalfwayError:
        raise
    except TfsetupError as error:
        # What says nothing of a state is said where nothing has happened.
        if _is_half(host, workspace):
            error.message = f"{error.message}; {_seen(host, workspace, before)}"
            error.hint = _hint(host, workspace)
        raise
    except KeyboardInterrupt:
        raise InterruptedRunError(f"interrupted: {_seen(host, workspace, before)}", hint=_hint(host, workspace)) from None
    except OSError as error:
        found = refused(error, _seen(host, workspace, before))
        found.hint = _hint(host, workspace) or way_in(host, found.place) or found.hint
        raise found from error
    except Exception as error:
        raise UnforeseenError(_seen(host, workspace, before)) from error


@record
class _Before:
    """What tells what was changed or taken back: the receipt, how many changes can be undone, what an interrupted run left."""

    receipt: str | None
    changes: int
    left: Interrupted | None


def _changes(host: Host, workspace: Workspace) -> int:
    try:
        found = last_record(host, workspace)
    except (OSError, TfsetupError):
        return 0
    return found.number if found is not None else 0


def _left(host: Host, workspace: Workspace) -> Interrupted | None:
    try:
        return left_behind(host, workspace)
    except (OSError, TfsetupError):
        return None


def _is_half(host: Host, workspace: Workspace) -> bool:
    left = _left(host, workspace)
    return left is not None and left.state != "old"


def _seen(host: Host, workspace: Workspace, before: _Before) -> str:
    """Say how it stands; a run that is at work there is another one, and what it does is not ours."""
    if at_work(host, workspace):
        return f"another tfsetup is at work on {workspace.root}"
    now = files.read(host, workspace.receipt, 1 << 26).text
    words = state_words(host, workspace)
    if not words.endswith(" is as it was before"):
        return words
    # "Before" would be read as before the undo.
    if _changes(host, workspace) < before.changes or (before.left is not None and before.left.undoing):
        return f"the last change of {workspace.root} is taken back"
    if before.left is not None and before.left.where == workspace.root:
        return f"the change of {workspace.root} that was interrupted is taken back"
    return f"{workspace.root} is changed as asked" if now != before.receipt else words


def _hint(host: Host, workspace: Workspace) -> str:
    left = _left(host, workspace)
    if left is None:
        return ""
    does = "finishes it" if left.undoing else "takes that away" if left.where != workspace.root else "brings it back to what it was"
    return f"`{undo_command(workspace.root)}` {does}"
