"""Another run's half, told before anything else: what it is changing, or left when it was interrupted, is no fault of the installation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from provisioner.environment.workspace import Workspace
from provisioner.errors import AtWorkError, ConsentError, InputError, InterruptedRunError, OperationError, TfsetupError, UsageError
from provisioner.host import Host, files
from provisioner.model.finding import Evidence, Finding, Remedy
from provisioner.model.plan import Interrupted

T = TypeVar("T")
# How often a place is looked at again that others change meanwhile.
TRIES = 5
# About what was asked for, or who was asked: no environment can be why.
_NOT_ABOUT_IT = (AtWorkError, ConsentError, InterruptedRunError, UsageError)


def interruption(host: Host, env: str) -> Finding | None:
    """Return the finding about the environment at ``env``, or None; of severity ``info`` where the environment itself is whole and as it was."""
    workspace = Workspace(root=files.real(host, env))
    try:
        left, working = _left(host, workspace)
    except (OSError, TfsetupError):
        # What cannot be trusted or read is told by whoever would act on it.
        return None
    if left is None:
        return None
    if working:
        told = AtWorkError(workspace.root)
        # Nothing is to be typed: an undo would wait as long.
        return _finding(left, told.message, Remedy(words=told.hint))
    from provisioner.change.standing import state_words, undo_command  # noqa: PLC0415 - a plan for a new environment does without

    title = f"an earlier run of tfsetup was interrupted: {state_words(host, workspace)}"
    return _finding(left, title, Remedy(words="take back what it had begun", steps=(undo_command(workspace.root),)))


def _finding(left: Interrupted, title: str, remedy: Remedy) -> Finding:
    began = f"begun {left.started}" if left.started else "what it had prepared"
    return Finding(
        cause="install-corrupt",
        severity="info" if left.state == "old" else "error",
        confidence="certain",
        title=title,
        evidence=(Evidence(seen=began, where=left.where),),
        remedy=remedy,
    )


def at_work(host: Host, workspace: Workspace) -> bool:
    """True where another run holds the lock."""
    return any(map(host.held, (workspace.beside_lock, workspace.lock, Workspace(root=workspace.aside).lock)))


def looked(host: Host, env: str, look: Callable[[], T]) -> T:
    """Return what ``look`` sees of the environment at ``env`` ("" for none), or raise its error where that is about the environment alone.

    Nobody holds the lock who only looks, so what is seen may be half of another run's work. Where one has changed something meanwhile, or there is an
    error, ``AtWorkError`` is raised if it is at work still, else one looks again. An error about what an interrupted run left names that
    (``OperationError``), or stands with the way to take that away in its hint, if the environment itself is whole.
    """
    if not env:
        return look()
    workspace = Workspace(root=files.real(host, env))
    for _ in range(TRIES):
        before = _standing(host, workspace)
        try:
            seen = look()
            if _standing(host, workspace) == before:
                return seen
            refuse_at_work(host, workspace)
        except _NOT_ABOUT_IT:
            raise
        except (TfsetupError, OSError) as error:
            refuse_at_work(host, workspace)
            if _standing(host, workspace) == before:
                raise _named(host, workspace, error) from error.__cause__
    return look()


def refuse_at_work(host: Host, workspace: Workspace) -> None:
    """Raise ``AtWorkError`` where another run holds the lock."""
    if at_work(host, workspace):
        raise AtWorkError(workspace.root)


def left_behind(host: Host, workspace: Workspace) -> Interrupted | None:
    """Return what an interrupted run left, None where nothing; raises ``AtWorkError`` where that run is still at work."""
    left, working = _left(host, workspace) if workspace.is_used(host) else (None, False)
    if working:
        raise AtWorkError(workspace.root)
    return left


def _left(host: Host, workspace: Workspace) -> tuple[Interrupted | None, bool]:
    """Return what a run has begun or left, and whether it is still at work."""
    from provisioner.change.standing import interrupted  # noqa: PLC0415 - where the tool never was, nothing of it stands

    left = interrupted(host, workspace)
    if left is None or at_work(host, workspace):
        return left, left is not None
    # Seen while it was at work, it would be gone by now.
    return interrupted(host, workspace), False


def _standing(host: Host, workspace: Workspace) -> tuple[object, ...]:
    """Return what is another one whenever a run has changed something of the environment, or begun or ended."""
    places = (
        workspace.root,
        workspace.aside,
        workspace.discarded,
        workspace.beside_lock,
        workspace.state,
        workspace.journal,
        workspace.receipt,
    )
    return tuple(files.entry(host, place) for place in places)


def _named(host: Host, workspace: Workspace, error: Exception) -> Exception:
    """Return the error, or the one about an interrupted run where that explains it."""
    found = interruption(host, workspace.root) if isinstance(error, (InputError, OSError)) else None
    if found is None:
        return error
    if not found.remedy.steps:
        return AtWorkError(workspace.root)
    if found.severity == "error":
        return OperationError(found.title, hint=f"`{found.remedy.steps[0]}`: {found.remedy.words}")
    if isinstance(error, InputError):
        error.hint = f"{found.title}: `{found.remedy.steps[0]}` takes that away"
    return error
