"""The check that imports TensorFlow in a process of its own and reads what it said."""

from __future__ import annotations

import re

from provisioner.causes.findings import Findings
from provisioner.diagnose import import_result
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.explain import weigh
from provisioner.model.finding import Evidence, Finding
from provisioner.verify.raw import Ran, ending

LAST_LINES = 5
FRAMES = 2


def look(case: Case, findings: Findings) -> str:
    """Import TensorFlow and list the devices."""
    child = case.child
    if child is None:
        if case.no_import.startswith("not asked"):
            raise Skipped(case.no_import)
        raise CouldNotTell(case.no_import or "it was not tried")
    ran = import_result.steps(case)
    if import_result.works(case):
        import_ = next((item for item in ran if item.name == "import"), None)
        return f"it can be imported in {import_.seconds:.1f} s, from {import_.detail}" if import_ else "it can be imported"
    bad = next((item for item in ran if item.status in import_result.BAD), None)
    _explain(case, bad, findings)
    return bad.detail.splitlines()[0][:200] if bad and bad.detail else ending(child)


def _explain(case: Case, bad: Ran | None, findings: Findings) -> None:
    """Let the log engine read what the process said, its traceback last; where that knows nothing, the cause is not known."""
    child = case.child
    trace = str(bad.data.get("traceback", "")) if bad else ""
    where = f"the import of TensorFlow ({bad.name})" if bad else "the interpreter"
    seen = bad.detail if bad and bad.detail else ending(child) if child else ""
    evidence = [Evidence(seen=seen, where=where), *_frames(trace)]
    said = child.err.rstrip().splitlines() if child else []
    if not trace and said:
        evidence.append(Evidence(seen="\n".join(said[-LAST_LINES:]), where="its standard error"))
    told = [item for item in _read(case, [*said, *trace.splitlines()], findings) if item.severity == "error" and item.cause != "unknown"]
    for item in told:
        findings.add(item.cause, "error", item.confidence, *evidence, *item.evidence)
    if not told:
        first = seen.splitlines()[0][:160] if seen else "it says nothing"
        findings.add("unknown", "error", "possible", *evidence, title=f"TensorFlow cannot be imported: {first}")


def _read(case: Case, lines: list[str], findings: Findings) -> tuple[Finding, ...]:
    context = {
        "os": case.facts.system.os.value or "",
        "arch": case.facts.system.architecture.value or "",
        "python": case.survey.version if case.survey else "",
        "tensorflow": case.expected.tensorflow,
    }
    told = {name: value for name, value in context.items() if value}
    return weigh(lines, told, findings.messages, case.catalogue, known=findings.wording.subject)


def _frames(trace: str) -> tuple[Evidence, ...]:
    """The innermost frames: the file that failed, and who asked for it."""
    frames = re.findall(r'^[ \t]*(File ".*)$', trace, re.MULTILINE)
    return tuple(Evidence(seen=frame, where="the traceback") for frame in frames[-FRAMES:])


CHECKS = (CheckSpec(name="import", title="TensorFlow can be imported", look=look, seconds=10.0, installed=True),)
