"""The stages of ``tfsetup fix``: the examination, then one attempt after the other until one stands."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

from provisioner.base.progress import SILENT, Progress
from provisioner.change import preflight
from provisioner.commands import named
from provisioner.commands.doctor import doctor
from provisioner.commands.telling import telling
from provisioner.commands.undo import Agree, clear_before
from provisioner.diagnose.gather import Options
from provisioner.environment.active import Subject, refuse_own
from provisioner.environment.layout import CONDA
from provisioner.model.diagnosis import Examination
from provisioner.model.plan import Plan
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.plan.seal import with_seen
from provisioner.repair.attempts import Examine, Fixing, Tried, begin_fix, next_plan, next_round, try_plan
from provisioner.session import Session


@record
class FixRequest:
    """What a person asks of ``tfsetup fix``: ``subject`` is what is repaired, ``request`` says network and channels.

    ``cwd`` is where that person's programs are started (absolute); ``shown_only`` changes nothing; ``wait`` are the seconds to wait for another
    run on the same environment. ``broken`` are the names of distributions that may stop working (``ALL`` for any).
    """

    subject: Subject
    request: Request
    cwd: str
    wait: float
    shown_only: bool = False
    broken: frozenset[str] = frozenset()


def fix(
    session: Session,
    asked: FixRequest,
    *,
    found: Callable[[Examination], None],
    agree: Callable[[Plan], bool],
    agree_back: Agree,
    told: Callable[[Tried], None],
    progress: Progress,
) -> Fixing:
    """Mend the environment by the smallest repair that does; ``found`` hears what is wrong, the rest is as in ``attempt``.

    Before that, after ``agree_back``, what an interrupted run left is taken back.
    """
    if asked.subject.env:
        refuse_own(session.host, asked.subject.env)
        session.work_on(asked.subject.env)
    _check_trust(session, asked)
    with telling(session.host, asked.subject.env) if asked.subject.env else nullcontext():
        if asked.subject.env and not asked.shown_only:
            clear_before(session.host, asked.subject.env, agree=agree_back, wait=asked.wait, progress=progress)
        before = _examine(session, asked, progress, importing=True)
        found(before)
        request = replace(asked.request, env=asked.subject.env, tensorflow="", python="", device="auto", extra=())
        return attempt(
            session,
            before,
            request,
            agree=lambda plan: _agreed(asked, agree, plan),
            told=told,
            # What was made imports TensorFlow in the proof already, of which this is a part.
            examine=lambda: _examine(session, asked, SILENT, importing=False),
            settle=lambda: _examine(session, asked, progress, importing=True),
            progress=progress,
            wait=asked.wait,
            broken=asked.broken,
        )


def _agreed(asked: FixRequest, agree: Callable[[Plan], bool], plan: Plan) -> bool:
    """Ask nobody where room or rights are missing; a plan that is only shown says so itself."""
    if not asked.shown_only:
        preflight.check(plan.preflight)
    return agree(plan)


def _check_trust(session: Session, asked: FixRequest) -> None:
    """Ask for the word that starting the environment's Python, or asking a channel that only a file names, may need."""
    env = asked.subject.env
    if not env:
        return
    conda = session.host.exists(posixpath.join(env, CONDA))
    request = replace(asked.request, env=env, python="", kind="conda" if conda else "venv")
    session.trust.need([*named.of_environment(session, request, env), *named.of_request(session, request)])


def attempt(  # noqa: PLR0913 - who is asked and told, and who looks
    session: Session,
    before: Examination,
    request: Request,
    *,
    agree: Callable[[Plan], bool],
    told: Callable[[Tried], None],
    examine: Examine,
    progress: Progress,
    wait: float,
    settle: Examine | None = None,
    broken: frozenset[str] = frozenset(),
) -> Fixing:
    """Try one attempt after the other until one stands, each after ``agree`` was shown its plan; it may raise, and False ends it there.

    Where one stands and something is left that can be repaired, that is tried next, until nothing is. ``told`` hears of each attempt that was made.
    ``examine`` examines the environment as it is then, ``settle`` imports, too. Raises as ``begin_fix`` and ``execute`` do.
    """
    fixing = begin_fix(session, before, request)
    while True:
        while (plan := next_plan(session, fixing)) is not None and fixing.inputs is not None:
            plan = with_seen(plan, preflight.look(session.host, plan, fixing.inputs.site), None)
            if not agree(plan):
                return replace(fixing, planned=plan)
            fixing = try_plan(session, fixing, plan, examine=examine, progress=progress, wait=wait, broken=broken)
            if fixing.tried[-1].executed.kept:
                # An environment that was made anew is another folder.
                named.remember_environment(session, plan.env.path)
            told(fixing.tried[-1])
        fixing = next_round(session, fixing, request, settle or examine)
        if not fixing.kinds:
            return fixing


def _examine(session: Session, asked: FixRequest, progress: Progress, *, importing: bool) -> Examination:
    subject = asked.subject
    # An environment is examined with the Python that it should have; that may be what is gone.
    python = subject.python if not subject.env or session.host.exists(subject.python) else ""
    options = Options(cwd=asked.cwd, importing=importing)
    return doctor(session, env=subject.env, python=python, options=options, progress=progress, proving=not importing).examination
