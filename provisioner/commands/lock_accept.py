"""A lock that is refused, and what would do: agreed to (`lock --accept`) or answered, written into tfsetup.yaml, and locked again."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from functools import partial

from provisioner.base.progress import SILENT, Progress
from provisioner.commands import lock_into, named_addresses
from provisioner.commands.lock import Outcome, lock
from provisioner.commands.lock_declared import LockRequest
from provisioner.commands.lock_into import Edit
from provisioner.declared.declaration import checked, read_declaration
from provisioner.declared.elsewhere import Answer, IndexesError, answered
from provisioner.declared.find import FILE, Found, find
from provisioner.declared.proposal import Proposal, RefusedError, accepted
from provisioner.engines.allowed import variables_of
from provisioner.errors import InputError
from provisioner.lock import dates
from provisioner.model.record import record
from provisioner.session import Session

# Refusals that are answered one after another: packages to build, then versions, for one target and then for another.
TRIES = 5


@record
class Consent:
    """Who says yes: ``accept`` to what would do, where it is known. ``agree`` is shown each edit of a file, and raises where nobody agrees.

    ``answer`` says which packages come from an index, and ``show`` then tells what is written; None where nobody can be asked.
    """

    agree: Callable[[Edit], None]
    show: Callable[[Edit], None]
    accept: bool = False
    answer: Answer | None = None


def lock_accepting(session: Session, project: str, wanted: LockRequest, consent: Consent, *, progress: Progress = SILENT) -> Outcome:
    """Lock as ``lock`` does; where that is refused, write what would do into tfsetup.yaml, and lock again.

    Raises the refusal where nothing would do, or where it is refused again and again.
    """
    once = partial(_once, session, project, wanted, consent.agree, progress)
    done = once()
    for _ in range(TRIES):
        if isinstance(done, Outcome):
            return done
        progress.close()
        if not _changed(session, project, done, consent):
            break
        done = once()
    if isinstance(done, Outcome):
        return done
    raise done


def _once(
    session: Session, project: str, wanted: LockRequest, agree: Callable[[Edit], None], progress: Progress
) -> Outcome | RefusedError | IndexesError:
    try:
        return lock(session, project, wanted, progress=progress, agree=agree)
    except (RefusedError, IndexesError) as error:
        return error


def _changed(session: Session, project: str, refused: RefusedError | IndexesError, consent: Consent) -> bool:
    """Write what would do, and say whether there was anything."""
    known = not refused.proposal.empty
    if isinstance(refused, IndexesError):
        if consent.answer is not None and not (consent.accept and known) and _writes(session, project):
            proposal = Proposal(indexes=answered(refused.asked, consent.answer))
            if not proposal.empty:
                _write(session, project, proposal, f"asked on {_today(session)}: {refused.why}", consent.show)
                _word(session, project, proposal)
            return not proposal.empty
        why = refused.why
    else:
        why = str(refused)
    if consent.accept and known:
        _write(session, project, refused.proposal, f"lock --accept, {_today(session)}: {why}", consent.agree)
    return consent.accept and known


def _today(session: Session) -> str:
    return dates.first(session.host.now(), 0)[:10]


def _writes(session: Session, project: str) -> bool:
    found = find(session.host, project)
    return found is not None and found.is_yaml


def _write(session: Session, project: str, proposal: Proposal, why: str, agree: Callable[[Edit], None]) -> None:
    host = session.host
    found = find(host, project)
    if found is None or not found.is_yaml:
        hint = f"write it there by hand, or move the declaration into {FILE}"
        raise InputError(f"what would do is written into a {FILE} alone", place=found.file if found else project, hint=hint)
    text = accepted(found.text, proposal, file=found.file, why=why)
    # What cannot be read afterwards is never written.
    checked(Found(file=found.file, text=text))
    edit = Edit(file=posixpath.join(project, FILE), before=found.text, after=text)
    lock_into.write(host, edit, agree)


def _word(session: Session, project: str, proposal: Proposal) -> None:
    """Count an answer as this person's word for the address that was asked about; what is sent there needs another one."""
    declaration = read_declaration(session.host, project)
    items = named_addresses.of_indexes(session, declaration.indexes, posixpath.basename(declaration.file))
    said = {index.url for index in proposal.indexes if not variables_of(index.url)}
    session.trust.agreed(item for item, index in zip(items, declaration.indexes, strict=True) if index.url in said)
