"""The stages of ``tfsetup undo``: what there is to take back, consent, taking it back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

from provisioner.base.progress import Progress
from provisioner.change import discarding, recovery
from provisioner.change.holding import holding, holding_aside
from provisioner.change.journal import Journal, last_record, steps_back
from provisioner.change.recovery import NO_WISHES, Wishes
from provisioner.change.standing import interrupted
from provisioner.change.undoing import way_back
from provisioner.commands.interruption import left_behind, looked
from provisioner.commands.telling import telling
from provisioner.commands.waiting import when_free
from provisioner.environment import receipt as receipts
from provisioner.environment.workspace import Workspace
from provisioner.errors import AtWorkError
from provisioner.host import Host
from provisioner.model.plan import Interrupted
from provisioner.session import Session

# Returns where the person agrees that this is taken back, and raises ``ConsentError`` where not.
Agree = Callable[[recovery.Undoable], None]


def undo(
    session: Session, env: str, *, agree: Agree, wait: float, progress: Progress, wishes: Wishes = NO_WISHES
) -> tuple[recovery.Undoable, ...]:
    """Bring the environment at ``env`` back to what it was before the last command that changed it, after ``agree``, which raises where nobody does.

    Return what was taken back, the newest change first (``fix`` may have made several), or that there was nothing.
    Raises ``InTheWayError``, before anybody is asked, where something that came since is in the way and ``wishes`` do not say what becomes of it.
    """
    # Whom this host believes is said first: it is another one from then on.
    session.work_on(env)
    host = session.host
    with telling(host, env):
        found = when_free(host, env, partial(_look, host, env, wishes), wait=wait, progress=progress)
        if found.nothing:
            return (found,)
        agree(found)
        take_back(host, found, wait=wait, progress=progress, wishes=wishes)
        done = [found]
        while done[-1].record is not None and done[-1].record.follows:
            done.append(look(session, env, wishes))
            take_back(host, done[-1], wait=wait, progress=progress, wishes=wishes)
        return tuple(done)


def look(session: Session, env: str, wishes: Wishes = NO_WISHES) -> recovery.Undoable:
    """Find what ``undo`` would take back, and raise as it does where something is in the way; nothing is changed."""
    session.work_on(env)
    return looked(session.host, env, partial(_look, session.host, env, wishes))


def _look(host: Host, env: str, wishes: Wishes) -> recovery.Undoable:
    found = undoable(host, env, wishes)
    if found.way is not None:
        recovery.check_free(found.workspace, found.way, wishes)
    return found


def undoable(host: Host, env: str, wishes: Wishes = NO_WISHES) -> recovery.Undoable:
    """Find what ``undo`` would take back, which may be nothing."""
    workspace = Workspace(root=host.real(env))
    left = left_behind(host, workspace)
    record = last_record(host, workspace)
    if left is not None or record is None:
        return recovery.Undoable(workspace=workspace, interrupted=left, record=record, added=())
    way = way_back(host, workspace, record, keep=wishes.keep, leave=wishes.leave)
    return recovery.Undoable(
        workspace=workspace,
        interrupted=None,
        record=record,
        added=way.verdict.kept,
        way=way,
        stays=_stays(host, workspace, record),
        steps=steps_back(host, workspace),
    )


def _stays(host: Host, workspace: Workspace, record: Journal) -> tuple[str, ...]:
    """Return what the change brought outside the environment, and other environments may use by now."""
    receipt = receipts.believed(host, workspace) if record.made else None
    fetched = receipt.plan.choice.download if receipt is not None else None
    if fetched is None or not host.exists(fetched.path):
        return ()
    return (f"Python {fetched.version}, which uv fetched, stays in {fetched.folder}: `rm -r {fetched.folder}/{fetched.key}` removes it",)


def take_back(host: Host, found: recovery.Undoable, *, wait: float, progress: Progress, wishes: Wishes = NO_WISHES) -> None:
    """Take back what ``undoable`` found, and was agreed to."""
    if found.interrupted is not None:
        clear_interrupted(host, found.workspace.root, agree=_agreed, wait=wait, progress=progress, wishes=wishes)
        return
    with holding(host, found.workspace, wait, progress):
        discarding.tidy(host, found.workspace)
        record = last_record(host, found.workspace)
        if record is not None:
            recovery.undo(host, found.workspace, record, wishes)


def _agreed(_found: recovery.Undoable) -> None:
    """Somebody has agreed before."""


def clear_interrupted(
    host: Host, env: str, *, agree: Agree, wait: float, progress: Progress, wishes: Wishes = NO_WISHES
) -> Interrupted | None:
    """Bring the state before an interrupted run back, if there was one, after ``agree``.

    Whoever agrees does so while the lock is held, so that it is not about a run that is still at work.
    """
    workspace = Workspace(root=host.real(env))
    # Who is at work is waited for below.
    with suppress(AtWorkError):
        if looked(host, env, lambda: left_behind(host, workspace)) is None:
            return None
    with ExitStack() as stack:
        stack.enter_context(holding(host, workspace, wait, progress))
        # Whoever was at work may have finished while this one waited.
        found = interrupted(host, workspace)
        if found is None:
            return None
        stands = host.exists(workspace.root) and host.exists(workspace.journal)
        if not stands and host.exists(workspace.aside):
            stack.enter_context(holding_aside(host, Workspace(root=workspace.aside), wait, progress))
        agree(recovery.Undoable(workspace=workspace, interrupted=found, record=None, added=()))
        if stands:
            recovery.recover(host, workspace, wishes)
        else:
            discarding.discard_unfinished(host, workspace)
        return found


def clear_before(host: Host, env: str, *, agree: Agree, wait: float, progress: Progress) -> None:
    """Take back what an interrupted run left before a new one is planned, and say so: the plan is to be made for a whole environment."""
    left = clear_interrupted(host, env, agree=agree, wait=wait, progress=progress)
    if left is not None:
        progress.note(f"An earlier run was interrupted; what it had begun was taken back ({left.where})")
