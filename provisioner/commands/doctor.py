"""The stages of ``tfsetup doctor``: the subject, what is read of it, the checks, the findings in order."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from provisioner.base.progress import Progress
from provisioner.commands import named
from provisioner.commands.interruption import interruption as find_interruption
from provisioner.commands.interruption import looked
from provisioner.diagnose.case import Case, CheckSpec
from provisioner.diagnose.compare import from_document
from provisioner.diagnose.doctor import all_checks, examine
from provisioner.diagnose.gather import Options, gather
from provisioner.environment import active
from provisioner.environment.active import Subject
from provisioner.errors import UsageError
from provisioner.judge.memory import memory_of
from provisioner.model.diagnosis import Examination
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.session import Session
from provisioner.session.trust import WORD


@record
class Diagnosed:
    """What ``doctor`` found, of what, and why that was taken."""

    subject: Subject
    case: Case
    examination: Examination


def doctor(
    session: Session,
    *,
    env: str = "",
    python: str = "",
    options: Options,
    request: Request | None = None,
    only: Sequence[str] = (),
    progress: Progress,
    proving: bool = False,
) -> Diagnosed:
    """Examine an environment (``env``, ``python``, or the active one) and the machine; nothing is changed.

    ``request`` says who named the environment (None where somebody has agreed already); where its Python should not be started without a word
    (``named.of_environment``), nothing of it is. With ``proving`` it is part of the proof of a change, whose own journal stands there and is no
    interrupted run's.

    Raises ``InputError`` when what was named is not there, ``UsageError`` for a check that there is not.
    """
    specs = _chosen(only)
    choose = partial(active.choose, session.host, env=env, python=python)
    # The proof holds the lock itself, and nobody else is at work.
    subject = choose() if proving else looked(session.host, env, choose)
    if subject.env:
        session.work_on(subject.env)
    examined = partial(_diagnosed, session, subject, options, request, specs, progress, proving=proving)
    diagnosed = examined() if proving else looked(session.host, subject.env, examined)
    progress.finish()
    return diagnosed


def _diagnosed(
    session: Session,
    subject: Subject,
    options: Options,
    request: Request | None,
    specs: Sequence[CheckSpec],
    progress: Progress,
    *,
    proving: bool,
) -> Diagnosed:
    host = session.host
    interruption = find_interruption(host, subject.env) if subject.env and not proving else None
    half = interruption is not None and interruption.severity == "error"
    if request is not None and not options.static and subject.env:
        unusual = [item for item in named.of_environment(session, request, subject.env) if item.unusual]
        if not session.trust.covers(unusual):
            why = f"{unusual[0].unusual}; so nothing of it was started: {WORD} agrees to that"
            subject, options = replace(subject, how=f"{subject.how}; {why}"), replace(options, static=True)
    progress.start("doctor", f"Examining {subject.env or subject.python}")
    case = gather(
        host,
        subject,
        replace(options, importing=False) if half else options,
        facts=lambda: session.detect(env=subject.env or host.cwd, aloof_of=_kept_off(subject) if options.static else ""),
        catalogue=session.catalogue,
        progress=progress.note,
        memory=memory_of(session),
    )
    messages = session.messages
    examination = examine(case, messages, checks=() if half else specs, order=messages.order, taken=subject.how, progress=progress.note)
    if interruption is not None:
        # What is half is not judged: the interruption is the cause, and it is taken back first.
        examination = replace(examination, findings=(interruption,) if half else (interruption, *examination.findings))
    return Diagnosed(subject=subject, case=case, examination=examination)


def _kept_off(subject: Subject) -> str:
    """The folder of which nothing is started."""
    return subject.env or posixpath.dirname(subject.python)


def read_examination(session: Session, path: str) -> Examination:
    """Read what ``tfsetup doctor --json`` printed; raises ``InputError`` with every fault."""
    return from_document(session.read_input(path, by="tfsetup doctor --json >"), file=path)


def _chosen(names: Sequence[str]) -> tuple[CheckSpec, ...]:
    specs = all_checks()
    known = {spec.name for spec in specs}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no check called `{name}`", place="--check", hint="`tfsetup doctor --list` names them")
    return tuple(spec for spec in specs if not names or spec.name in names)
