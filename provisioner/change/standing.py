"""In which state an environment stands: what an interrupted run left in it or beside it, by looking."""

from __future__ import annotations

import posixpath
from typing import Literal

from provisioner.change.journal import read, read_aside
from provisioner.environment.trust import check
from provisioner.environment.workspace import Workspace
from provisioner.host import Reader
from provisioner.model.plan import EnvKind
from provisioner.model.record import record


@record
class Interrupted:
    """What an interrupted run left.

    ``state``: ``old`` (nothing of it reached the environment), ``moving`` (files were on their way), ``new`` (complete, not yet proven);
    ``where`` is the folder that shows it, ``started`` the time (ISO 8601) when it was begun.
    """

    state: Literal["old", "moving", "new"]
    where: str
    started: str
    before: EnvKind = "absent"


def interrupted(reader: Reader, workspace: Workspace) -> Interrupted | None:
    """Look for an interrupted run; None when there is none (a run that is still at work looks the same: hold the lock to know).

    Raises ``InputError`` where something lies there that this user's tfsetup cannot have put there.
    """
    journal = read(reader, workspace)
    if journal is not None:
        states: dict[str, Literal["old", "moving", "new"]] = {"building": "old", "clearing": "old", "moved": "new"}
        return Interrupted(state=states.get(journal.phase, "moving"), where=workspace.root, started=journal.started, before=journal.before)
    if reader.exists(workspace.aside):
        journal = read_aside(reader, workspace)
        before = journal.before if journal else "absent"
        return Interrupted(state="old", where=workspace.aside, started=journal.started if journal else "", before=before)
    if reader.exists(workspace.discarded):
        check_beside(reader, workspace.discarded)
        return Interrupted(state="old", where=workspace.discarded, started="")
    return None


def check_beside(reader: Reader, folder: str) -> None:
    """Raise ``InputError`` where a folder of the tool's name beside an environment is not the tool's."""
    check(reader, folder, top=posixpath.dirname(folder), shared=True)
