"""The last words of a command that changes an environment and fails: in which state that is, from a look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from provisioner.change.standing import interrupted, state_words, undo_command
from provisioner.commands.interruption import at_work
from provisioner.environment.workspace import Workspace
from provisioner.errors import InterruptedRunError, TfsetupError, UnforeseenError
from provisioner.errors.system import refused
from provisioner.host import Host, files


@contextmanager
def telling(host: Host, env: str) -> Iterator[None]:
    """Give an error that says nothing of the environment at ``env`` the state in which it is.

    Raises ``InterruptedRunError`` for Ctrl-C, ``OperationError`` for what the system refused, ``UnforeseenError`` for what nobody foresaw.
    """
    workspace = Workspace(root=files.real(host, env))
    before = files.read(host, workspace.receipt, 1 << 26).text
    try:
        yield
    except TfsetupError:
        raise
    except KeyboardInterrupt:
        raise InterruptedRunError(f"interrupted: {_seen(host, workspace, before)}", hint=_hint(host, workspace)) from None
    except OSError as error:
        found = refused(error, _seen(host, workspace, before))
        found.hint = _hint(host, workspace) or found.hint
        raise found from error
    except Exception as error:
        raise UnforeseenError(_seen(host, workspace, before)) from error


def _seen(host: Host, workspace: Workspace, before: str | None) -> str:
    """Say how it stands; a run that is at work there is another one, and what it does is not ours."""
    if at_work(host, workspace):
        return f"another tfsetup is at work on {workspace.root}"
    now = files.read(host, workspace.receipt, 1 << 26).text
    words = state_words(host, workspace)
    changed = now != before and words.endswith(" is as it was before")
    return f"{workspace.root} is changed as asked" if changed else words


def _hint(host: Host, workspace: Workspace) -> str:
    try:
        left = interrupted(host, workspace)
    except (OSError, TfsetupError):
        return ""
    return f"`{undo_command(workspace.root)}` brings it back to what it was" if left is not None else ""
