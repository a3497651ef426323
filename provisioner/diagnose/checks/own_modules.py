"""The check of what belongs to Python itself: of its modules that need a library, those without which TensorFlow is not imported are there."""

from __future__ import annotations

import re

from provisioner.causes.findings import Findings
from provisioner.diagnose import conda, import_result, packages
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.diagnose.checks.interpreter import onto
from provisioner.facts import interpreters
from provisioner.model.facts import NEEDED
from provisioner.model.finding import Evidence, Repair

TITLE = "The Python under TensorFlow lacks modules of its own"


def look(case: Case, findings: Findings) -> str:
    """Python's own modules can be imported; asked where TensorFlow cannot."""
    if case.survey is None:
        raise CouldNotTell(case.unanswered)
    if import_result.works(case) is not False:
        raise Skipped("TensorFlow was imported" if case.child is not None else case.no_import)
    # Asked now: the answer that is kept for this Python is from before it lost them.
    lacking = interpreters.lacking(case.reader, case.python)
    said = import_result.said(case)
    blamed = {name: why for name, why in lacking.items() if name in NEEDED or re.search(rf"\b{name}\b", said)}
    if not blamed:
        return "all of them can be imported" if not lacking else f"TensorFlow does without {', '.join(lacking)}"
    seen = [Evidence(seen=f"{name} cannot be imported: {why}", where=case.survey.base_prefix) for name, why in blamed.items()]
    findings.add("install-corrupt", "error", "certain", *seen, title=TITLE, repairs=_another(case))
    return f"not there: {', '.join(blamed)}"


def _another(case: Case) -> tuple[Repair, ...]:
    """Another Python of the version that the packages were installed for; none where there is no other."""
    if case.survey is None or not case.env:
        return ()
    if case.integrity.conda is not None:
        return conda.python_anew(case)
    return onto(case, packages.made_for(case), besides=case.survey.base_prefix)


CHECKS = (CheckSpec(name="own-modules", title="Python's own modules are there", look=look, installed=True),)
