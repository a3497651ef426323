"""What the import of TensorFlow came to, for the checks that judge by it."""

from __future__ import annotations

from provisioner.diagnose.case import Case
from provisioner.model.finding import Confidence, Severity
from provisioner.verify.raw import Ran, checks_of

BAD = frozenset({"failed", "crashed", "timed out"})


def steps(case: Case) -> tuple[Ran, ...]:
    """The steps of the run that imported TensorFlow; none when it was not made."""
    return checks_of(case.child) if case.child is not None else ()


def works(case: Case) -> bool | None:
    """Whether TensorFlow can be imported and asked for its devices; None when that was not tried."""
    if case.child is None:
        return None
    ran = steps(case)
    return bool(ran) and not any(item.status in BAD for item in ran) and case.child.done


def said(case: Case) -> str:
    """What the run that imported TensorFlow printed, and what its steps came to, in one line; "" when it was not made."""
    return " ".join((case.child.err, *(item.detail for item in steps(case)))) if case.child is not None else ""


def breaking(case: Case) -> tuple[Severity, Confidence]:
    """How grave something is that is known to break the import, by whether the import broke."""
    match works(case):
        case None:
            return "error", "likely"
        case True:
            return "warning", "possible"
        case False:
            return "error", "certain"
