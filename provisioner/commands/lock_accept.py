"""The stages of `tfsetup lock --accept`: a lock that is refused, what would do, shown and agreed to, written into tfsetup.yaml, and locked again."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from functools import partial

from provisioner.base.progress import SILENT, Progress
from provisioner.commands import lock_into
from provisioner.commands.lock import Outcome, lock
from provisioner.commands.lock_declared import LockRequest
from provisioner.commands.lock_into import Edit
from provisioner.errors import InputError
from provisioner.lock import dates
from provisioner.lock.declaration import checked
from provisioner.lock.find import FILE, Found, find
from provisioner.lock.proposal import Proposal, RefusedError, accepted
from provisioner.session import Session

# Refusals that are answered one after another: packages to build, then versions, for one target and then for another.
TRIES = 5


def lock_accepting(
    session: Session, project: str, wanted: LockRequest, *, agree: Callable[[Edit], None], progress: Progress = SILENT
) -> Outcome:
    """Lock as ``lock`` does; where that is refused, write what would do into tfsetup.yaml after ``agree``, and lock again.

    Raises the refusal where nothing would do, or where it is refused again and again.
    """
    once = partial(_once, session, project, wanted, agree, progress)
    done = once()
    for _ in range(TRIES):
        if isinstance(done, Outcome):
            return done
        if done.proposal.empty:
            break
        progress.close()
        _accept(session, project, done.proposal, str(done), agree)
        done = once()
    if isinstance(done, Outcome):
        return done
    raise done


def _once(session: Session, project: str, wanted: LockRequest, agree: Callable[[Edit], None], progress: Progress) -> Outcome | RefusedError:
    try:
        return lock(session, project, wanted, progress=progress, agree=agree)
    except RefusedError as error:
        return error


def _accept(session: Session, project: str, proposal: Proposal, why: str, agree: Callable[[Edit], None]) -> None:
    host = session.host
    found = find(host, project)
    if found is None or not found.is_yaml:
        hint = f"write it there by hand, or move the declaration into {FILE}"
        raise InputError(f"what would do is written into a {FILE} alone", place=found.file if found else project, hint=hint)
    text = accepted(found.text, proposal, file=found.file, why=f"lock --accept, {dates.first(host.now(), 0)[:10]}: {why}")
    # What cannot be read afterwards is never written.
    checked(Found(file=found.file, text=text))
    edit = Edit(file=posixpath.join(project, FILE), before=found.text, after=text)
    lock_into.write(host, edit, agree)
