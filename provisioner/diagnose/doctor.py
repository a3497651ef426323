"""``tfsetup doctor``: runs the named checks on a case, each by itself and within its time, and ranks what they found."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterable
from importlib import import_module

from provisioner.causes import Messages
from provisioner.causes.findings import SEVERITIES, Findings, Wording, computed
from provisioner.diagnose import packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.diagnose.rank import ranked
from provisioner.diagnose.subject import subject_of
from provisioner.model.cause import Order
from provisioner.model.diagnosis import Examination, Examined, Result
from provisioner.model.facts import machine_words
from provisioner.model.finding import Finding

# The parts of ``provisioner.diagnose.checks``, in the order in which they run; each has its ``CHECKS``.
PARTS = (
    "interpreter",
    "own_modules",
    "supported",
    "active",
    "notebook",
    "scripts",
    "kernels",
    "processor",
    "clibrary",
    "macos",
    "vc_runtime",
    "windows",
    "access",
    "paths",
    "files",
    "conda_records",
    "conda_pip",
    "conda_depends",
    "conda_openmp",
    "conda_state",
    "binaries",
    "packages",
    "goes_with",
    "driver",
    "cuda",
    "importing",
)
# The check whose findings rest on what a failed import said.
IMPORT = "import"
NOTHING = "there is no TensorFlow"


def all_checks() -> tuple[CheckSpec, ...]:
    """Return every check, in order."""
    return tuple(spec for part in PARTS for spec in import_module(f"provisioner.diagnose.checks.{part}").CHECKS)


def examine(
    case: Case,
    messages: Messages,
    *,
    checks: Iterable[CheckSpec],
    order: Order,
    taken: str,
    progress: Callable[[str], None],
) -> Examination:
    """Run the checks on the case, one after the other, and say what is wrong. Changes nothing."""
    wording = wording_of(case, messages)
    examined: list[Examined] = []
    found: dict[str, tuple[Finding, ...]] = {}
    for spec in checks:
        if spec.slow:
            progress(f"check: {spec.title}")
        result, found[spec.name] = run_one(spec, case, wording)
        examined.append(result)
    traced = frozenset(item.cause for item in found.get(IMPORT, ())) - {
        item.cause for name, findings in found.items() if name != IMPORT for item in findings
    }
    return Examination(
        env=case.env,
        python=case.python,
        python_version=case.survey.version if case.survey else packages.made_for(case) if case.static else "",
        cwd=case.cwd,
        tensorflow=case.expected.tensorflow,
        machine=machine_words(case.facts),
        checks=tuple(examined),
        findings=ranked(merged(found.values(), wording), order, traced=traced),
        taken=taken,
        static=case.static,
    )


def run_one(spec: CheckSpec, case: Case, wording: Wording) -> tuple[Examined, tuple[Finding, ...]]:
    """Run one check in a thread of its own, which is left behind when it does not come back in time: it only reads."""
    findings = Findings(wording)
    answer: list[tuple[Result, str]] = []
    began = time.monotonic()
    thread = threading.Thread(target=lambda: answer.append(_guarded(spec, case, findings)), name=f"check {spec.name}", daemon=True)
    thread.start()
    thread.join(spec.seconds)
    seconds = time.monotonic() - began
    if not answer:
        detail = f"no answer within {spec.seconds:g} s"
        return Examined(name=spec.name, title=spec.title, result="could not tell", detail=detail, seconds=seconds), ()
    result, detail = answer[0]
    ordered = findings.ordered() if result == "healthy" else ()
    if ordered:
        result = min((item.severity for item in ordered), key=SEVERITIES.index)
    causes = tuple(dict.fromkeys(item.cause for item in ordered))
    return Examined(name=spec.name, title=spec.title, result=result, detail=detail, seconds=seconds, causes=causes), ordered


def _guarded(spec: CheckSpec, case: Case, findings: Findings) -> tuple[Result, str]:
    """What the check says, or that it has crashed: one check at fault must not cost the others."""
    try:
        return "healthy", spec.look(case, findings)
    except CouldNotTell as reason:
        return ("skipped", NOTHING) if spec.installed and packages.is_absent(case) else ("could not tell", str(reason))
    except Skipped as reason:
        return "skipped", str(reason)
    except Exception as error:  # noqa: BLE001 - the check's own fault is a result
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return "crashed", f"a bug in this check: {type(error).__name__}: {error} ({frame.filename.rpartition('/')[2]}, line {frame.lineno})"


def wording_of(case: Case, messages: Messages) -> Wording:
    """Return how causes are spoken of in a case."""
    return Wording(messages=messages, view=case.catalogue, subject=subject_of(case))


def merged(groups: Iterable[tuple[Finding, ...]], wording: Wording) -> tuple[Finding, ...]:
    """One finding for each cause: more evidence makes it surer and graver, and its remedy is computed from all; a check's own words stay."""
    whole = Findings(wording)
    for group in groups:
        for item in group:
            own = item.remedy != computed(wording, item.cause, item.evidence, item.wants)
            whole.add(
                item.cause,
                item.severity,
                item.confidence,
                *item.evidence,
                title="" if wording.title(item.cause) == item.title else item.title,
                repairs=item.repairs,
                wants=item.wants,
                explains=item.explains,
                remedy=item.remedy if own else None,
            )
    return whole.ordered()
