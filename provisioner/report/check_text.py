"""What `tfsetup lock --check` found, as text and as a document."""

from __future__ import annotations

from provisioner.lock.stale import Difference
from provisioner.model.record import record

SCHEMA = "tfsetup/lock-check/1"


@record
class CheckReport:
    """Whether the lock in ``folder`` is fresh, and what is not as it was; ``online`` says whether the index was asked."""

    fresh: bool
    folder: str
    online: bool
    files: int
    differences: tuple[Difference, ...]


def check_text(report: CheckReport) -> str:
    """Return what a person is told."""
    if report.fresh:
        asked = f"; each of its {report.files} files is on the index" if report.online else ""
        return f"The lock in {report.folder} is fresh{asked}"
    lines = [f"The lock in {report.folder} is stale"]
    lines += [f"  {item.name}: {item.why}" for item in report.differences]
    if any(item.kind == "index" for item in report.differences):
        # Locking again with the same dates would ask for the same files.
        lines.append("Next: tfsetup lock --upgrade, or put the files back on the index")
    else:
        lines.append("Next: tfsetup lock")
    return "\n".join(lines)
