"""The check that imports TensorFlow in a process of its own and reads what it said."""

from __future__ import annotations

import re

from provisioner.causes.findings import Findings
from provisioner.diagnose import imported
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.model.finding import Evidence
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
    ran = imported.steps(case)
    if imported.works(case):
        import_ = next((item for item in ran if item.name == "import"), None)
        return f"it can be imported in {import_.seconds:.1f} s, from {import_.detail}" if import_ else "it can be imported"
    bad = next((item for item in ran if item.status in imported.BAD), None)
    _explain(case, bad, findings)
    return bad.detail.splitlines()[0][:200] if bad and bad.detail else ending(child)


def _explain(case: Case, bad: Ran | None, findings: Findings) -> None:
    """Name the cause by the traceback first, by what else the process said second."""
    child = case.child
    trace = str(bad.data.get("traceback", "")) if bad else ""
    where = f"the import of TensorFlow ({bad.name})" if bad else "the interpreter"
    seen = bad.detail if bad and bad.detail else ending(child) if child else ""
    evidence = [Evidence(seen=seen, where=where), *_frames(trace)]
    if not trace and child is not None:
        said = "\n".join(child.err.rstrip().splitlines()[-LAST_LINES:])
        evidence += [Evidence(seen=said, where="its standard error")] if said else []
    message = findings.messages.match(trace) if trace else None
    for line in child.err.splitlines() if child is not None and message is None else ():
        told = findings.messages.match(line)
        if told is not None and told.kind == "fault" and told.about != "gpu":
            message = told
            break
    if message is not None and message.kind == "fault":
        findings.add(message.cause, "error", message.confidence, *evidence, Evidence(seen=message.explanation, where=message.id))
    else:
        first = seen.splitlines()[0][:160] if seen else "it says nothing"
        findings.add("unknown", "error", "possible", *evidence, title=f"TensorFlow cannot be imported: {first}")


def _frames(trace: str) -> tuple[Evidence, ...]:
    """The innermost frames: the file that failed, and who asked for it."""
    frames = re.findall(r'^\s*(File ".*)$', trace, re.MULTILINE)
    return tuple(Evidence(seen=frame, where="the traceback") for frame in frames[-FRAMES:])


CHECKS = (CheckSpec(name="import", title="TensorFlow can be imported", look=look, seconds=10.0),)
