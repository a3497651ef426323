"""One run at a time on an environment: the locks, which whoever comes second waits for, and then looks anew."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from provisioner.base.progress import SILENT, Progress
from provisioner.environment.trust import check
from provisioner.environment.workspace import STATE_MODE, Workspace
from provisioner.errors import AtWorkError, InputError, StalePlanError
from provisioner.host import Entry, Host, files
from provisioner.host.files import make_folders

# Before a person is told that somebody else is at work.
PATIENCE_SECONDS = 0.5
# Whoever only asks whether it is held (``Host.held``) is in the way for a moment.
ASKING_SECONDS = 0.15


@contextmanager
def holding(host: Host, workspace: Workspace, wait: float, progress: Progress = SILENT, *, inside: bool = False) -> Iterator[None]:
    """Hold the environment's locks for at most ``wait`` seconds' waiting; raises ``AtWorkError`` when another run keeps them.

    One lies beside the environment, where nothing moves it: whoever waits for it sees what became of the place, and must look anew. One lies in
    it, for users who may not write beside it. A run that was killed may leave an installer or a verification behind, which keeps them until it
    ends by itself. ``inside``: the lock in it is held though it is an empty folder.
    """
    with ExitStack() as stack:
        place = _beside(host, workspace)
        beside = bool(place) and host.exists(posixpath.dirname(place))
        if beside:
            _hold(stack, host, place, workspace.root, wait, progress, passing=True)
        # An empty folder must stay one until an environment takes its place.
        full = host.exists(workspace.root) and host.entry(workspace.root).kind == "directory" and bool(host.list(workspace.root))
        if (inside or full) and not (beside and _is_in_the_way(host)):
            stack.enter_context(holding_inside(host, workspace, wait, progress))
        # Last of all that is done under the locks.
        stack.callback(_hand_back, host, workspace.root, files.entry(host, workspace.root))
        yield


def _is_in_the_way(host: Host) -> bool:
    """True on Windows, which neither renames nor removes a folder in which a file is open: there the lock beside has to do where it can be had."""
    return host.platform == "win32"


@contextmanager
def holding_aside(host: Host, aside: Workspace, wait: float, progress: Progress) -> Iterator[None]:
    """Hold the lock in the folder where an environment is built, which then moves to its place; the one beside that place is held, too."""
    with ExitStack() as stack:
        if _is_in_the_way(host):
            make_folders(host, aside.state, mode=STATE_MODE)
        else:
            stack.enter_context(holding_inside(host, aside, wait, progress))
        yield


def _hand_back(host: Host, root: str, before: Entry | None) -> None:
    """Give what root has made in another user's environment to that user, who is to work with it and change it afterwards."""
    if host.user != 0 or before is None or before.owner not in host.believed:
        return
    now = files.entry(host, root)
    if now is not None and now.kind == "directory" and now.owner in {0, before.owner}:
        host.hand_over(root, before.owner, before.group)


def _beside(host: Host, workspace: Workspace) -> str:
    """Return the lock beside an environment, or "" where this user cannot have one there."""
    place = workspace.beside_lock
    if host.exists(place) and host.entry(place).kind != "file":
        raise InputError("lies where the lock would be, and is no file", place=place, hint="remove it, or choose another --env")
    return place if host.writable(posixpath.dirname(place)) else ""


@contextmanager
def holding_inside(host: Host, workspace: Workspace, wait: float, progress: Progress = SILENT) -> Iterator[None]:
    """Hold the lock in an environment; raises as ``holding`` does."""
    check(host, workspace.lock, top=workspace.root)
    made = make_folders(host, workspace.state, mode=STATE_MODE)
    with ExitStack() as stack:
        try:
            _hold(stack, host, workspace.lock, workspace.root, wait, progress)
        except OSError:
            # On a full disk the folder found room and the file did not.
            for folder in reversed(made):
                host.remove(folder)
            raise
        yield


def _whose(host: Host, path: str) -> str:
    """Name the user who may keep the lock for ever, where that is another one."""
    entry = files.entry(host, path)
    return (
        f"; the lock {path} belongs to another user (number {entry.owner})" if entry is not None and files.is_foreign(host, entry) else ""
    )


def _hold(stack: ExitStack, host: Host, path: str, root: str, wait: float, progress: Progress, *, passing: bool = False) -> None:
    patience = max(ASKING_SECONDS, min(wait, PATIENCE_SECONDS))
    try:
        try:
            stack.enter_context(host.lock(path, wait=patience, passing=passing))
        except BlockingIOError:
            if wait <= patience:
                raise
            progress.note(f"another tfsetup is at work on {root}; waiting at most {wait:.0f} s for it")
            stack.enter_context(host.lock(path, wait=wait, passing=passing))
    except BlockingIOError:
        hint = "wait until it has finished, or give more time with --wait SECONDS"
        raise AtWorkError(root, hint=hint + _whose(host, path)) from None
    except PermissionError:
        hint = "choose another --env, in a folder that only you can write" + _whose(host, path)
        raise InputError("lies where the lock would be, and may not be opened", place=path, hint=hint) from None
    except FileNotFoundError:
        raise StalePlanError("what was there has gone while another tfsetup was at work on it", place=root, hint="plan again") from None
