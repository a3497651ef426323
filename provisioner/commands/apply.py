"""The stages of ``tfsetup apply``: what was interrupted taken back, the plan, consent, execution with its proof."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from provisioner.base.progress import Progress
from provisioner.change import preflight
from provisioner.change.execute import Executed, execute
from provisioner.change.poisoned import once_more
from provisioner.commands import named
from provisioner.commands import plan as planning
from provisioner.commands.interruption import looked
from provisioner.commands.plan import Planned
from provisioner.commands.plan_saved import load_saved_plan
from provisioner.commands.telling import telling
from provisioner.commands.undo import Agree, clear_before
from provisioner.commands.waiting import when_free
from provisioner.diagnose.judgement import Judgement, judge_plan, with_imports
from provisioner.errors import NoProfileError, OperationError, StalePlanError, UsageError
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.plan.kernels import Wish
from provisioner.plan.saved import load_plan
from provisioner.session import Session
from provisioner.verify import project
from provisioner.verify.neighbours import watch

# How often a plan is made anew because somebody else was faster.
TRIES = 5


@record
class ApplyRequest:
    """What a person asks of ``tfsetup apply``: a plan made now for ``request``, the ``saved`` one, or what a team's lock has.

    ``lock`` is the folder of that lock (absolute; "" for this project's), ``target`` a target of it ("" for the one that fits); both are None
    where no lock is meant. ``wait`` are the seconds to wait for another run on the same environment. ``broken`` are the names of distributions
    that may stop working (``ALL`` for any). ``kernel`` is the notebook kernel that is asked for, if one is.
    """

    request: Request
    saved: str = ""
    lock: str | None = None
    target: str | None = None
    wait: float = 0.0
    broken: frozenset[str] = frozenset()
    kernel: Wish | None = None


@record
class Applied:
    """What became of it: ``executed`` is None where there was nothing to do."""

    plan: Plan
    executed: Executed | None


def apply(session: Session, asked: ApplyRequest, *, agree: Callable[[Plan], None], agree_back: Agree, progress: Progress) -> Applied:
    """Bring the environment into the state that was asked for, after ``agree``, which raises ``ConsentError`` where nobody does.

    Before that, after ``agree_back``, what an interrupted run left is taken back.
    """
    env = load_plan(session.read_input(asked.saved, by="tfsetup plan -o"), file=asked.saved).env.path if asked.saved else asked.request.env
    session.work_on(env)
    with telling(session.host, env):
        done = _applied(session, asked, env, agree=agree, agree_back=agree_back, progress=progress)
        if done.executed is not None and done.executed.kept:
            named.remember_environment(session, done.plan.env.path)
        return done


def _applied(
    session: Session, asked: ApplyRequest, env: str, *, agree: Callable[[Plan], None], agree_back: Agree, progress: Progress
) -> Applied:
    """Plan and execute; with older versions of what ``--keep`` has chosen, where that cannot be imported."""
    once = partial(_once, session, env=env, agree=agree, agree_back=agree_back, progress=progress)
    done, lost = once(asked)
    for _ in range(TRIES):
        older = older_of(asked, done.plan, lost)
        if older is None or not _can_be_planned(session, older):
            break
        progress.note(f"{', '.join(lost)} cannot be imported so; looking for an older one")
        asked = older
        done, lost = once(asked)
    return done


def _once(
    session: Session, asked: ApplyRequest, *, env: str, agree: Callable[[Plan], None], agree_back: Agree, progress: Progress
) -> tuple[Applied, tuple[str, ...]]:
    """Plan and execute; anew, where another run was faster. Returned with it is what could be imported before and not after."""
    for tries_left in reversed(range(TRIES)):
        clear_before(session.host, env, agree=agree_back, wait=asked.wait, progress=progress)
        try:
            planned = when_free(session.host, env, partial(_feasible, session, asked), wait=asked.wait, progress=progress)
            if not planned.plan.changes:
                if tries_left and planned.interrupted is not None:
                    # Another run has begun since; what it made is not proven yet, and may be taken back.
                    continue
                return Applied(plan=planned.plan, executed=None), ()
            if planned.site.state.exists:
                # What is in it already runs in the proof.
                session.trust.need(named.of_planned_environment(session, planned.plan, asked.saved))
            agree(planned.plan)
            done, lost = execute_planned(session, planned, progress=progress, wait=asked.wait, broken=asked.broken)
            return Applied(plan=planned.plan, executed=done), lost
        except StalePlanError:
            # Somebody was faster. What was asked for may be there by now; a saved plan says what it was made for.
            if not tries_left or asked.saved:
                raise
            progress.note("Another run has changed the environment meanwhile; looking anew")
    raise StalePlanError("other runs change the environment all the time", place=env, hint="run the same command again")


def older_of(asked: ApplyRequest, made: Plan, lost: Collection[str]) -> ApplyRequest | None:
    """Return the request in which what cannot be imported any more comes in an older version than in this plan; None where that is no answer. Pure.

    It is one where ``--keep`` chose the versions: the metadata of what was chosen did not say all that it needs.
    """
    became = {item.name: item.becomes for item in made.neighbours if item.becomes}
    if not (lost and asked.request.keep and became.keys() >= set(lost)) or asked.saved or asked.lock is not None:
        return None
    older = tuple(f"{name}<{became[name]}" for name in sorted(lost))
    return replace(asked, request=replace(asked.request, extra=(*asked.request.extra, *older)))


def _can_be_planned(session: Session, asked: ApplyRequest) -> bool:
    """True where the index has what is asked for."""
    try:
        look(session, asked)
    except (NoProfileError, OperationError, UsageError):
        return False
    return True


def _feasible(session: Session, asked: ApplyRequest) -> Planned:
    """Return the plan; raise where room or rights for it are missing, or a program has something of the environment in use."""
    planned = _look(session, asked)
    if planned.plan.changes:
        preflight.check(planned.plan.preflight)
    return planned


def look(session: Session, asked: ApplyRequest) -> Planned:
    """Return the plan of what is asked for; nothing is changed. Raises ``AtWorkError`` where another run is changing the environment."""
    return looked(session.host, asked.request.env, partial(_look, session, asked))


def _look(session: Session, asked: ApplyRequest) -> Planned:
    if asked.lock is not None:
        from provisioner.commands.plan_locked import locked_folder, plan_locked  # noqa: PLC0415 - 30 ms, only with --locked

        return plan_locked(session, asked.request, locked_folder(session.host, asked.lock), asked.target or "")
    if asked.saved:
        return load_saved_plan(session, asked.saved, asked.request)
    return planning.plan(session, asked.request, kernel=asked.kernel)


def execute_planned(
    session: Session, planned: Planned, *, progress: Progress, wait: float, broken: frozenset[str] = frozenset()
) -> tuple[Executed, tuple[str, ...]]:
    """Execute a plan that was shown and agreed to, and return with it the names of what could be imported before and cannot be any more.

    ``broken`` are names that may stop working beside those that the plan names; these are not returned.
    """
    judged: Judgement | None = None
    lost: tuple[str, ...] = ()
    imports = watch(session.host, planned.plan, broken, progress)

    def prove(root: str) -> Verification:
        nonlocal judged, lost
        seen = imports.after(session.host, root, progress)
        lost = seen.lost if seen is not None else ()
        judged = with_imports(judge_plan(session, root, planned.plan, progress), seen)
        wanted = planned.plan.request.verify
        judged = with_imports(judged, project.prove(session.host, root, wanted, progress, folder=session.host.cwd))
        return judged.verification

    def accept(_: Verification) -> bool:
        # What was wrong before is told, and does not take the change back.
        return judged is not None and judged.holds(before=planned.marks, agreed=planned.plan.conflicts)

    def run() -> Executed:
        return execute(planned.plan, session.host, prove=prove, progress=progress, wait=wait, accept=accept, channels=planned.channels)

    done = once_more(planned.plan, session.host, progress, run, lambda: judged.damaged if judged is not None else frozenset())
    return done, lost
