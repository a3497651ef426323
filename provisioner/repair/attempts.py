"""The stages of ``fix``, in order: from an examination to repair plans, each tried until one holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from provisioner.base.names import is_rival, normalise
from provisioner.base.progress import Progress
from provisioner.change.execute import Executed, execute
from provisioner.change.poisoned import once_more
from provisioner.diagnose.judgement import Judgement, judge_plan, told, with_imports
from provisioner.environment.damaged import read_broken, what_instead
from provisioner.environment.installation import installation_of
from provisioner.errors import InputError, NoProfileError, OperationError
from provisioner.host.alone import alone
from provisioner.judge import whole
from provisioner.judge.memory import memory_of
from provisioner.model.cause import Order
from provisioner.model.diagnosis import Examination
from provisioner.model.finding import Check, Finding, Repair, Verification
from provisioner.model.mark import Mark
from provisioner.model.plan import Plan, PlanKind
from provisioner.model.record import record
from provisioner.model.request import Request
from provisioner.repair import doable, plans
from provisioner.repair.along import with_neighbours
from provisioner.repair.beside import settled, with_ways
from provisioner.repair.doable import Sorted
from provisioner.repair.inputs import read_inputs
from provisioner.repair.model import RepairInputs
from provisioner.repair.restored import with_everything, with_restored
from provisioner.session import Session
from provisioner.verify import project
from provisioner.verify.neighbours import watch

# How often what an attempt brought to light is added to the small attempt before larger ones are made.
WIDENINGS = 2
# How many attempts are made at most, whatever comes to light.
ATTEMPTS = 8
Examine = Callable[[], Examination]
Outcome = Literal["healthy", "planned", "mended", "unmendable", "failed", "could not tell"]


@record
class Tried:
    """One attempt that was made: ``executed.kept`` when it stands; ``after`` is the examination of what it made, where one could be made."""

    plan: Plan
    executed: Executed
    after: Examination | None


@record
class Fixing:
    """A repair under way: ``kinds`` are the attempts that are left, smallest first; ``notes`` say what cannot be repaired, and why not.

    ``marks`` is what was wrong with files and requirements before, ``hidden`` what the first attempt brought to light. ``repairs`` are those of the
    findings, sorted for ``inputs``, which is None where there is nothing to repair. ``planned`` is the first attempt, where nobody agreed to it yet.
    """

    before: Examination
    causes: Order
    inputs: RepairInputs | None = None
    repairs: Sorted = Sorted(asked=(), doable=(), left=())
    kinds: tuple[PlanKind, ...] = ()
    notes: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()
    planned: Plan | None = None
    marks: tuple[Mark, ...] = ()
    hidden: tuple[Finding, ...] = ()

    @property
    def standing(self) -> Tried | None:
        """The last attempt that stands."""
        return next((item for item in reversed(self.tried) if item.executed.kept), None)

    @property
    def mended(self) -> bool:
        """True when an attempt stands."""
        return self.standing is not None

    @property
    def remaining(self) -> tuple[Finding, ...]:
        """What is still wrong and stays: all that an attempt has left, or that none could be made for; else what no change mends."""
        standing = self.standing
        if standing is None and (self.planned is not None or self.tried):
            return doable.unmendable(self.before.findings, self.causes)
        now = standing.after if standing is not None and standing.after is not None else self.before
        return tuple(finding for finding in now.findings if finding.severity != "info")

    @property
    def complete(self) -> bool:
        """True where all is done that a repair can do, and TensorFlow works: what remains are warnings that only a person can mend."""
        return self.outcome in {"healthy", "mended", "unmendable"} and doable.is_beyond_repair(self.remaining, self.inputs)

    @property
    def outcome(self) -> Outcome:
        """How it ended, or where it stands."""
        if self.mended:
            return "mended" if doable.is_beyond_repair(self.remaining, self.inputs) else "unmendable"
        if self.planned is not None:
            return "planned"
        if self.tried:
            return "failed"
        if not self.before.healthy:
            return "unmendable"
        told = {check.result for check in self.before.checks} - {"could not tell", "crashed", "skipped"}
        return "healthy" if told else "could not tell"


def begin_fix(session: Session, examination: Examination, request: Request) -> Fixing:
    """Decide what is to be tried for the findings of an examination of the environment ``request.env``; nothing is changed.

    Raises ``InputError`` where the Python is none that is ever changed, ``NoProfileError`` (code 12) where something must be restored and the
    catalogue has nothing to restore it from.
    """
    asked, causes = doable.repairs_of(examination.findings), session.causes
    if not asked and not any(doable.needs_set(finding, causes) for finding in examination.findings):
        return Fixing(before=examination, causes=causes)
    if not request.env:
        raise InputError(
            "it is not a virtual environment",
            place=examination.python,
            hint=what_instead(session.host, installation_of(session.host, examination.python)),
        )
    site = read_broken(session.host, request.env)
    if not session.host.writable(site.state.path):
        raise InputError("this user may not write there", place=site.state.path, hint="run it as the user who owns the environment")
    inputs = read_inputs(session, site, examination.findings, request, causes)
    inputs, notes = with_restored(session, inputs, asked, own=_touches_own(asked))
    repairs = doable.sort(asked, inputs)
    answers = bool(examination.python_version) or doable.gives_python(asked)
    judged = whole.read(
        session.host, site.state.path, site.state.python_version, published=session.catalogue.published(), memory=memory_of(session)
    )
    return Fixing(
        before=examination,
        causes=causes,
        marks=judged.marks,
        inputs=inputs,
        repairs=repairs,
        kinds=doable.order_of(examination.findings, inputs, repairs.doable, answers=answers),
        notes=(*notes, *repairs.left),
    )


def _touches_own(repairs: tuple[Repair, ...]) -> bool:
    """True where TensorFlow itself is restored or removed."""
    return any(item.kind in {"restore", "remove"} and is_rival(normalise(item.name)) for item in repairs)


def next_plan(session: Session, fixing: Fixing) -> Plan | None:
    """Return the plan of the next attempt, or None when there is nothing left to try."""
    inputs = fixing.inputs
    if not fixing.kinds or inputs is None:
        return None
    kind = fixing.kinds[0]
    asked = fixing.repairs.asked
    if kind == "repair":
        inputs = settled(session, inputs, plans.wanted(inputs, fixing.repairs.doable))
        return with_neighbours(session, inputs, lambda made_from: plans.smallest(made_from, fixing.repairs))
    if kind == "set":
        inputs, _ = with_restored(session, inputs, (), own=True)
        inputs = settled(session, inputs, inputs.locked)
        return with_neighbours(session, inputs, lambda made_from: plans.whole(made_from, doable.sort(asked, made_from)))
    inputs, lost = with_everything(session, inputs)
    return with_ways(session, inputs, lambda made_from: plans.rebuild(made_from, doable.sort(asked, made_from), lost))


def try_plan(
    session: Session, fixing: Fixing, plan: Plan, *, examine: Examine, progress: Progress, wait: float, broken: frozenset[str] = frozenset()
) -> Fixing:
    """Execute an attempt that was agreed to, with what the ``broken`` may lose; it stays when it mends what it can mend, and is taken back otherwise.

    Where an examination afterwards finds what the first fault had hidden, the small attempt is made once more for both.
    """
    after: Examination | None = None
    judged: Judgement | None = None
    # Around a person's shell there may be what no repair of the environment mends: that is told apart, by the examination.
    quiet = Session(alone(session.host, plan.env.python), session.trust)
    imports = watch(quiet.host, plan, broken, progress)

    def prove(root: str) -> Verification:
        nonlocal after, judged
        try:
            judged = with_imports(judge_plan(quiet, root, plan, progress), imports.after(quiet.host, root, progress))
            judged = told(judged, project.prove(quiet.host, root, plan.request.verify, progress, folder=quiet.host.cwd))
        except InputError as error:
            # A Python that still does not start is an answer: this attempt is not the one.
            check = Check(name="import", status="failed", detail=str(error))
            failed = Verification(env=root, python=error.place, tensorflow="", device="", checks=(check,), libraries=(), findings=())
            judged = Judgement(verification=failed, computes=False)
        after = examine()
        return judged.verification

    def accept(_: Verification) -> bool:
        before = (*fixing.before.findings, *fixing.hidden)
        return judged is not None and doable.is_mended(
            before, after.findings if after else (), judged, plan, fixing.causes, marks=fixing.marks
        )

    def run() -> Executed:
        # One command, one undo: what an earlier attempt has mended goes back with this one.
        return execute(plan, session.host, prove=prove, progress=progress, wait=wait, accept=accept, follows=fixing.mended)

    executed = once_more(plan, session.host, progress, run, lambda: judged.damaged if judged is not None else frozenset())
    fixing = replace(fixing, kinds=fixing.kinds[1:], tried=(*fixing.tried, Tried(plan=plan, executed=executed, after=after)))
    if executed.kept:
        return replace(fixing, kinds=())
    if plan.kind != "repair" or after is None:
        return fixing
    return _widened(session, fixing, after)


def next_round(session: Session, fixing: Fixing, request: Request, settle: Examine) -> Fixing:
    """Go on with what an attempt that stands has left or brought to light; nothing is left to try where that is nothing, or was tried before.

    ``settle`` examines once more, and imports.
    """
    last = fixing.tried[-1] if fixing.tried else None
    if last is None or not last.executed.kept or last.after is None or last.after.healthy or len(fixing.tried) >= ATTEMPTS:
        return fixing
    now = settle()
    tried = (*fixing.tried[:-1], replace(last, after=now))
    done = {repair for item in tried for repair in item.plan.repairs}
    # What the whole set, which stands, has not mended, the same set once more does not mend either.
    whole_set = any(item.executed.kept and item.plan.kind != "repair" for item in tried)
    wants_set = not whole_set and any(doable.needs_set(item, fixing.causes) for item in now.findings)
    if not set(doable.repairs_of(now.findings)) - done and not wants_set:
        return replace(fixing, tried=tried)
    begun = begin_fix(session, now, request)
    if whole_set:
        begun = replace(begun, kinds=tuple(kind for kind in begun.kinds if kind == "repair"))
    return replace(begun, tried=tried, notes=(*fixing.notes, *(note for note in begun.notes if note not in fixing.notes)))


def _widened(session: Session, fixing: Fixing, after: Examination) -> Fixing:
    """Add what was hidden behind the first fault, if there is any."""
    asked = fixing.repairs.asked
    more = tuple(item for item in doable.repairs_of(after.findings) if item not in asked)
    if fixing.inputs is None or not more:
        return fixing
    asked = (*asked, *more)
    both = (*fixing.before.findings, *after.findings)
    try:
        inputs = read_inputs(session, fixing.inputs.site, both, fixing.inputs.common.request, fixing.causes)
        inputs, notes = with_restored(session, inputs, asked, own=_touches_own(asked))
    except (NoProfileError, OperationError):
        return fixing
    kinds = doable.order_of(both, inputs, doable.sort(doable.repairs_of(both), inputs).doable, answers=True)
    if [item.plan.kind for item in fixing.tried].count("repair") > WIDENINGS:
        kinds = tuple(kind for kind in kinds if kind != "repair")
    return replace(
        fixing, inputs=inputs, repairs=doable.sort(asked, inputs), kinds=kinds, notes=(*fixing.notes, *notes), hidden=after.findings
    )
