"""An interrupted run, told before anything else: what it left half changed is no fault of the installation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, OperationError, TfsetupError
from provisioner.host import Host, files
from provisioner.model.finding import Evidence, Finding, Remedy
from provisioner.model.plan import Interrupted


def interruption(host: Host, env: str) -> Finding | None:
    """Return the finding about the environment at ``env``, or None; of severity ``info`` where the environment itself is whole and as it was."""
    from provisioner.change.standing import interrupted, state_words  # noqa: PLC0415 - a plan for a new environment does without

    workspace = Workspace(root=files.real(host, env))
    try:
        left = interrupted(host, workspace)
    except (OSError, TfsetupError):
        # What cannot be trusted or read is told by whoever would act on it.
        return None
    if left is None:
        return None
    if at_work(host, workspace):
        return _finding(workspace, left, "another tfsetup is at work on this environment", "wait until it has finished")
    return _finding(
        workspace, left, f"an earlier run of tfsetup was interrupted: {state_words(host, workspace)}", "take back what it had begun"
    )


def _finding(workspace: Workspace, left: Interrupted, title: str, words: str) -> Finding:
    from provisioner.change.standing import undo_command  # noqa: PLC0415 - as above

    began = f"begun {left.started}" if left.started else "what it had prepared"
    return Finding(
        cause="install-corrupt",
        severity="info" if left.state == "old" else "error",
        confidence="certain",
        title=title,
        evidence=(Evidence(seen=began, where=left.where),),
        remedy=Remedy(words=words, steps=(undo_command(workspace.root),)),
    )


def at_work(host: Host, workspace: Workspace) -> bool:
    """True where another run holds the lock."""
    return any(_is_held(host, lock) for lock in (workspace.beside_lock, workspace.lock, Workspace(root=workspace.aside).lock))


def _is_held(host: Host, lock: str) -> bool:
    try:
        if host.exists(lock):
            with host.lock(lock, wait=0):
                pass
    except BlockingIOError:
        return True
    except OSError:
        # Of another user, who may let nobody try.
        return False
    return False


@contextmanager
def named_first(host: Host, env: str) -> Iterator[None]:
    """Raise ``OperationError`` about the interrupted run in place of an error about the environment that it left."""
    try:
        yield
    except InputError as error:
        found = interruption(host, env) if env else None
        if found is None:
            raise
        if found.severity == "info":
            error.hint = f"{found.title}: `{found.remedy.steps[0]}` takes that away"
            raise
        raise OperationError(found.title, hint=f"`{found.remedy.steps[0]}`: {found.remedy.words}") from error
