"""The one judgement of an environment: what its child proved, with what the examination sees. ``verify`` and the end of a change are views of it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from provisioner.base.progress import Progress
from provisioner.causes import Messages
from provisioner.causes.findings import Wording
from provisioner.diagnose.case import Case, CheckSpec
from provisioner.diagnose.doctor import IMPORT, all_checks, examine, merged, wording_of
from provisioner.diagnose.gather import Options, gather, with_proof
from provisioner.diagnose.rank import ranked
from provisioner.environment.active import Subject, interpreter_of
from provisioner.environment.installation import is_installation
from provisioner.judge.comparing import DAMAGE
from provisioner.judge.memory import memory_of
from provisioner.judge.whole import marks, shows_base
from provisioner.model.diagnosis import Examination, Examined
from provisioner.model.finding import Check, Finding, Verification
from provisioner.model.mark import Mark, added
from provisioner.model.plan import Plan
from provisioner.model.record import record
from provisioner.session import Session
from provisioner.verify import Expected, observe
from provisioner.verify.judge import judge
from provisioner.verify.neighbours import Imported
from provisioner.verify.prove import expected_of_plan

TIMEOUT_SECONDS = 600.0
# Which of the examination's checks answer the question of a check of ``verify``.
SAME_QUESTION = {"integrity": ("records", "writers", "metadata", "rivals"), "requirements": ("requirements",)}
WRONG = frozenset({"error", "warning"})


@record
class Judgement:
    """``verification`` is all of it. ``computes``: whether everything holds but files and requirements; ``marks`` is what is wrong with those.

    ``damaged`` are the distributions with files that are not as recorded.
    """

    verification: Verification
    computes: bool
    marks: frozenset[Mark] = frozenset()
    damaged: frozenset[str] = frozenset()

    def holds(self, *, before: Iterable[Mark] = (), agreed: Iterable[str] = ()) -> bool:
        """Whether a change that ended here may stay: it computes, and all that is wrong was so ``before``, or was ``agreed`` to (in words)."""
        words = frozenset(agreed)
        return self.computes and all(mark.words in words for mark in added(self.marks, before))


def judge_plan(session: Session, root: str, made: Plan, progress: Progress) -> Judgement:
    """Judge the environment at ``root`` as what a plan makes of it."""
    return judge_environment(session, root, interpreter_of(session.host, root), expected_of_plan(session, made), progress)


def with_imports(judged: Judgement, seen: Imported | None) -> Judgement:
    """Return the judgement with what became of the imports of everything else; what is lost and was not agreed to does not hold."""
    if seen is None:
        return judged
    verification = judged.verification
    checks, findings = (*verification.checks, seen.check), (*verification.findings, *seen.findings)
    return replace(
        judged,
        verification=replace(verification, checks=checks, findings=findings),
        computes=judged.computes and seen.check.status == "passed",
    )


def told(judged: Judgement, seen: Imported | None) -> Judgement:
    """Return the judgement with what became of more imports, which do not decide: what a repair mends may not be all that a project lacks."""
    return replace(with_imports(judged, seen), computes=judged.computes)


def judge_environment(
    session: Session,
    root: str,
    interpreter: str,
    expected: Expected,
    progress: Progress,
    *,
    require_gpu: bool = False,
    timeout: float = TIMEOUT_SECONDS,
) -> Judgement:
    """Judge the environment at ``root`` (absolute, real) with its ``interpreter``; ``timeout`` in seconds.

    What lies around it is judged as far as this host's variables lead there; the working folder is not looked at. Raises ``InputError`` when the
    interpreter cannot be started.
    """
    host = session.host
    with ThreadPoolExecutor(1) as pool:
        # The child takes seconds; all that is seen without it is read meanwhile.
        reading = pool.submit(_surroundings, session, root, interpreter)
        raw = observe(
            host,
            env=root,
            python=interpreter,
            expected=expected,
            timeout=timeout,
            progress=progress.note,
            published=session.catalogue.published(),
            memory=memory_of(session),
        )
        case, checks, messages = reading.result()
    seen = with_proof(case, raw)
    wording = wording_of(seen, messages)
    said = wording.spoken_on(host.platform)
    proof = judge(raw, expected, env=root, python=interpreter, require_gpu=require_gpu, wording=said)
    bare = replace(raw, integrity=replace(raw.integrity, faults=(), rivals=(), conda=None), unmet=())
    computes = proof.passed or judge(bare, expected, env=root, python=interpreter, require_gpu=require_gpu, wording=said).passed
    examination = examine(seen, messages, checks=checks, order=session.causes, taken="", progress=lambda _: None)
    # Of what the base brings, only the examination knows.
    missing = () if shows_base(host, root) else raw.unmet
    return Judgement(
        verification=_together(session, proof, examination, wording),
        computes=computes,
        marks=frozenset(marks(raw.integrity, missing)),
        damaged=frozenset(fault.distribution for fault in raw.integrity.faults if fault.kind in DAMAGE),
    )


def _surroundings(session: Session, root: str, interpreter: str) -> tuple[Case, tuple[CheckSpec, ...], Messages]:
    """All that the checks of ``doctor`` look at but for what a proof observes, those checks but the import's (the proof judges that), and words."""
    subject = Subject(env="" if is_installation(session.host, root) else root, python=interpreter, how="")
    case = gather(
        session.host,
        subject,
        Options(cwd=root),
        facts=lambda: session.detect(env=root),
        catalogue=session.catalogue,
        progress=lambda _: None,
        proving=True,
    )
    return case, tuple(spec for spec in all_checks() if spec.name != IMPORT), session.messages


def _together(session: Session, proof: Verification, examination: Examination, wording: Wording) -> Verification:
    """One verification: the checks of the proof, a line for the examination, and one finding for each cause."""
    results = {item.name: item for item in examination.checks}
    checks = [_agreeing(check, [results[name] for name in SAME_QUESTION.get(check.name, ()) if name in results]) for check in proof.checks]
    wrong = [item for item in examination.checks if item.result in WRONG]
    words = f"{len(examination.checks)} checks of `tfsetup doctor`"
    words += f"; not right: {', '.join(item.name for item in wrong)}" if wrong else ""
    checks.append(Check(name="examination", status="failed" if wrong else "passed", detail=words))
    found = merged((examination.findings, _only_proven(proof.findings, examination.findings)), wording)
    return replace(proof, checks=tuple(checks), findings=ranked(found, session.causes))


def _agreeing(check: Check, asked: list[Examined]) -> Check:
    """The examination knows more than the proof of who needs what; its answer to the same question counts."""
    answered = [item for item in asked if item.result in {*WRONG, "healthy", "info"}]
    if not answered or check.status not in {"passed", "failed"}:
        return check
    wrong = [item for item in answered if item.result in WRONG]
    if wrong:
        return replace(check, status="failed", detail=check.detail if check.status == "failed" else wrong[0].detail)
    return check if check.status == "passed" else replace(check, status="passed", detail=answered[0].detail)


def _only_proven(proven: tuple[Finding, ...], examined: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What the proof found, without what the examination says of the same thing in its own words."""
    seen = {item.seen for finding in examined for item in finding.evidence}
    seen |= {item.seen for finding in examined for symptom in finding.symptoms for item in symptom.evidence}
    rest = [(finding, tuple(item for item in finding.evidence if item.seen not in seen)) for finding in proven]
    # "and 12 more files" is of those that were told: it has no place of its own.
    return tuple(
        replace(finding, evidence=left) for finding, left in rest if left and (left == finding.evidence or any(item.where for item in left))
    )
