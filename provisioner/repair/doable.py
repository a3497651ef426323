"""Which repairs findings ask for, which of them can be done, in which order they are tried, and whether they have mended it. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from provisioner.base.names import is_rival, normalise
from provisioner.diagnose.judgement import Judgement
from provisioner.environment.layout import CONFIG
from provisioner.model.cause import Order
from provisioner.model.finding import Finding, Repair, Symptom
from provisioner.model.mark import Mark, added
from provisioner.model.plan import Plan, PlanKind
from provisioner.model.record import record
from provisioner.repair import conda_plans
from provisioner.repair.model import RepairInputs


@record
class Sorted:
    """The repairs that were ``asked`` for, which of them a plan can do (in conda's terms), and why the others cannot be done."""

    asked: tuple[Repair, ...]
    doable: tuple[Repair, ...]
    left: tuple[str, ...]


def repairs_of(findings: Iterable[Finding]) -> tuple[Repair, ...]:
    """Return what would mend the findings of severity error and warning, in their order, each once."""
    return tuple(dict.fromkeys(repair for finding in findings if finding.severity != "info" for repair in finding.repairs))


def unmendable(findings: Iterable[Finding], causes: Order) -> tuple[Finding, ...]:
    """Return the errors and warnings that no change of the environment mends."""
    return tuple(item for item in findings if item.severity != "info" and not item.repairs and not needs_set(item, causes))


def is_beyond_repair(remaining: Iterable[Finding], inputs: RepairInputs | None) -> bool:
    """True where nothing is left for a repair: no error, and of the warnings none that a plan made from ``inputs`` could mend.

    The rule of how ``fix`` ends: with this it has done what it is for, and a second one finds nothing to do; `doctor` goes on to tell the warnings.
    """
    left = tuple(remaining)
    asked = repairs_of(left)
    return all(item.severity != "error" for item in left) and not (asked and (inputs is None or sort(asked, inputs).doable))


def needs_set(finding: Finding, causes: Order) -> bool:
    """True for an error without repairs of its own that the known-good set may mend."""
    return finding.severity == "error" and not finding.repairs and causes.has(finding.cause, "in-packages")


def gives_python(asked: Iterable[Repair]) -> bool:
    """True where one of the repairs may be all that an environment's Python lacks to answer.

    That is another Python, what runs at every start taken away, and on Windows ``pyvenv.cfg``, by which ``python.exe`` knows what to start.
    """
    return any(
        item.kind in {"interpreter", "relink", "move away"} or (item.kind == "write" and posixpath.basename(item.path) == CONFIG)
        for item in asked
    )


def order_of(findings: Iterable[Finding], inputs: RepairInputs, doable: tuple[Repair, ...], *, answers: bool) -> tuple[PlanKind, ...]:
    """Return the kinds of attempts, smallest first; none where nothing can be mended.

    ``doable`` are the repairs of the findings that can be done. ``answers``: whether the environment's Python runs, or is given one that does.
    Warnings alone are worth their own repairs, and no more.
    """
    graver = any(item.severity == "error" and (item.repairs or needs_set(item, inputs.causes)) for item in findings)
    state = inputs.site.state
    fits = inputs.lock is None or state.python_version.split(".")[:2] == inputs.lock.python.split(".")
    wanted = any(repair.kind == "rebuild" for repair in doable)
    if wanted or (graver and not (answers and fits and state.site_packages)):
        # A Python of no use is what an environment is made anew for; another one may be all that it needs.
        first: tuple[PlanKind, ...] = ("repair",) if wanted and any(repair.kind == "interpreter" for repair in doable) else ()
        return (*first, "rebuild") if inputs.lock is not None else first
    kinds: list[PlanKind] = ["repair"] if doable else []
    if graver and inputs.lock is not None:
        # Where no Python is known to make it from, it cannot be made anew.
        kinds += ["set", *(("rebuild",) if inputs.conda is not None or inputs.choice.interpreter is not None else ())]
    return tuple(kinds)


def sort(repairs: Iterable[Repair], inputs: RepairInputs) -> Sorted:
    """Tell what a plan can do from what it cannot, with the reason in a sentence."""
    asked = tuple(repairs)
    meant = asked if inputs.conda is None else conda_plans.translated(asked, inputs.conda, inputs.site, inputs.locked)
    judged = [(repair, _obstacle(repair, inputs)) for repair in meant]
    return Sorted(asked=asked, doable=tuple(repair for repair, why in judged if not why), left=tuple(why for _, why in judged if why))


def _obstacle(repair: Repair, inputs: RepairInputs) -> str:
    name = normalise(repair.name)
    if repair.kind == "restore" and not is_rival(name) and name not in inputs.locked:
        return f"{repair.name} is not part of the known-good set, and no version of it was found that goes with it"
    if repair.kind == "restore" and inputs.lock is None:
        return f"the catalogue has no set to take {repair.name} from"
    if repair.kind == "move away" and (repair.own or not inputs.inside(repair.path)) and repair.path not in inputs.asides:
        return f"{repair.path} cannot be renamed by this user: {repair.reason}"
    if repair.kind in {"write", "link"} and not inputs.inside(repair.path):
        return f"{repair.path} is outside the environment, where nothing is written: {repair.reason}"
    return conda_plans.obstacle(repair, inputs.conda)


def is_mended(
    before: Iterable[Finding], after: Iterable[Finding], judged: Judgement, plan: Plan, causes: Order, *, marks: Iterable[Mark] = ()
) -> bool:
    """Whether an attempt may stay: what it was for is gone, and nothing is worse than it was.

    ``after`` is a new examination where the person is: it also sees what lies around the environment. ``judged`` is the environment alone. What was
    there before, seen or hidden behind something else, does not take the attempt back; ``marks`` is what was wrong with files and requirements.
    """
    told, seen = tuple(before), tuple(after)
    meant = [(finding.severity, part) for finding in told for part in _meant(finding, plan, causes)]
    # Beside an error that is gone, a warning of which something is left is no reason to bring the error back.
    parts = [part for severity, part in meant if severity == "error"] or [part for _, part in meant]
    if any(_is_same(part, other) for part in parts for other in (*seen, *judged.verification.findings)):
        return False
    if judged.holds(before=marks, agreed=plan.conflicts):
        return True
    # What no package brings (the processor, the driver, a variable) was there before, seen or not.
    given = {finding.cause for finding in unmendable(told, causes)}
    errors = [finding for finding in (*judged.verification.findings, *seen) if finding.severity == "error"]
    worse = any(mark.words not in plan.conflicts for mark in added(judged.marks, marks))
    return bool(errors) and not worse and all(finding.cause in given or not causes.has(finding.cause, "in-packages") for finding in errors)


def _meant(finding: Finding, plan: Plan, causes: Order) -> Iterator[Finding | Symptom]:
    """Yield what of a finding a plan is to mend: all of it where its repairs are the plan's, or the whole set comes anew.

    Where a finding has the repairs of its symptoms alone, these are what they are for: what no repair is about may stay as it was.
    """
    if finding.severity == "info":
        return
    borrowed = {repair for symptom in finding.symptoms for repair in symptom.repairs}
    if not set(finding.repairs) <= borrowed:
        if plan.kind != "repair" or set(finding.repairs) <= set(plan.repairs):
            yield finding
        return
    if plan.kind != "repair" and finding.severity == "error" and causes.has(finding.cause, "in-packages"):
        yield finding
    wanted = [item for item in finding.symptoms if item.repairs]
    yield from (item for item in wanted if plan.kind != "repair" or set(item.repairs) <= set(plan.repairs))


def _is_same(part: Finding | Symptom, other: Finding) -> bool:
    """True where a finding, or what is folded under it, tells of the same cause something that was told before."""
    if other.severity == "info":
        return False
    there: tuple[Finding | Symptom, ...] = (other, *other.symptoms)
    return any(item.cause == part.cause and not set(part.evidence).isdisjoint(item.evidence) for item in there)
