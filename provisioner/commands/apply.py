"""The stages of ``tfsetup apply``: what was interrupted taken back, the plan, consent, execution with its proof."""

from __future__ import annotations

from collections.abc import Callable

from provisioner.base.progress import Progress
from provisioner.change import preflight
from provisioner.change.execute import Executed, execute
from provisioner.commands import named
from provisioner.commands import plan as planning
from provisioner.commands.plan import Planned
from provisioner.commands.plan_saved import load_saved_plan
from provisioner.commands.telling import telling
from provisioner.commands.undo import Agree, clear_before
from provisioner.diagnose.judgement import Judgement, judge_plan, with_imports
from provisioner.errors import StalePlanError
from provisioner.judge.whole import Mark
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.plan.saved import load_plan
from provisioner.session import Session
from provisioner.verify.neighbours import watch

# How often a plan is made anew because somebody else was faster.
TRIES = 5


@record
class ApplyRequest:
    """What a person asks of ``tfsetup apply``: a plan made now for ``request``, the ``saved`` one, or what a team's lock has.

    ``lock`` is the folder of that lock (absolute; "" for this project's), ``target`` a target of it ("" for the one that fits); both are None
    where no lock is meant. ``wait`` are the seconds to wait for another run on the same environment. ``broken`` are the names of distributions
    that may stop working (``ALL`` for any).
    """

    request: Request
    saved: str = ""
    lock: str | None = None
    target: str | None = None
    wait: float = 0.0
    broken: frozenset[str] = frozenset()


@record
class Applied:
    """What became of it: ``executed`` is None where there was nothing to do, and ``left`` is what is wrong there that no plan of a set mends."""

    plan: Plan
    executed: Executed | None
    left: tuple[Mark, ...] = ()


def apply(session: Session, asked: ApplyRequest, *, agree: Callable[[Plan], None], agree_back: Agree, progress: Progress) -> Applied:
    """Bring the environment into the state that was asked for, after ``agree``, which raises ``ConsentError`` where nobody does.

    Before that, after ``agree_back``, what an interrupted run left is taken back.
    """
    env = load_plan(session.read_input(asked.saved), file=asked.saved).env.path if asked.saved else asked.request.env
    session.work_on(env)
    with telling(session.host, env):
        done = _applied(session, asked, env, agree=agree, agree_back=agree_back, progress=progress)
        if done.executed is not None and done.executed.kept:
            named.remember_environment(session, done.plan.env.path)
        return done


def _applied(
    session: Session, asked: ApplyRequest, env: str, *, agree: Callable[[Plan], None], agree_back: Agree, progress: Progress
) -> Applied:
    """Plan and execute; anew, where another run was faster."""
    for tries_left in reversed(range(TRIES)):
        clear_before(session.host, env, agree=agree_back, wait=asked.wait, progress=progress)
        try:
            planned = look(session, asked)
            if not planned.plan.changes:
                if tries_left and planned.interrupted is not None:
                    # Another run has begun since; what it made is not proven yet, and may be taken back.
                    continue
                return Applied(plan=planned.plan, executed=None, left=planned.left)
            if planned.site.state.exists:
                # What is in it already runs in the proof.
                session.trust.need(named.of_planned_environment(session, planned.plan, asked.saved))
            preflight.check(planned.plan.preflight)
            agree(planned.plan)
            done = execute_planned(session, planned, progress=progress, wait=asked.wait, broken=asked.broken)
            return Applied(plan=planned.plan, executed=done)
        except StalePlanError:
            # Somebody was faster. What was asked for may be there by now; a saved plan says what it was made for.
            if not tries_left or asked.saved:
                raise
            progress.note("Another run has changed the environment meanwhile; looking anew")
    raise StalePlanError("other runs change the environment all the time", place=env, hint="run the same command again")


def look(session: Session, asked: ApplyRequest) -> Planned:
    """Return the plan of what is asked for; nothing is changed."""
    if asked.lock is not None:
        from provisioner.commands.plan_locked import locked_folder, plan_locked  # noqa: PLC0415 - 30 ms, only with --locked

        return plan_locked(session, asked.request, locked_folder(session.host, asked.lock), asked.target or "")
    if asked.saved:
        return load_saved_plan(session, asked.saved, asked.request)
    return planning.plan(session, asked.request)


def execute_planned(
    session: Session, planned: Planned, *, progress: Progress, wait: float, broken: frozenset[str] = frozenset()
) -> Executed:
    """Execute a plan that was shown and agreed to; ``broken`` are names that may stop working beside those that the plan names."""
    judged: Judgement | None = None
    imports = watch(session.host, planned.plan, broken, progress)

    def prove(root: str) -> Verification:
        nonlocal judged
        judged = with_imports(judge_plan(session, root, planned.plan, progress), imports.after(session.host, root, progress))
        return judged.verification

    def accept(_: Verification) -> bool:
        # What was wrong before is told, and does not take the change back.
        return judged is not None and judged.holds(before=planned.marks, agreed=planned.plan.conflicts)

    return execute(planned.plan, session.host, prove=prove, progress=progress, wait=wait, accept=accept, channels=planned.channels)
