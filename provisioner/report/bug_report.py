"""The examination as a bug report in Markdown, without private data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import __version__
from provisioner.model.diagnosis import Changes, Examination
from provisioner.report.doctor_text import changes_text, examination_text
from provisioner.report.private import Private

if TYPE_CHECKING:
    from provisioner.diagnose.case import Case

# Of the standard error of the import, which may be long.
ERROR_LINES = 60


def bug_report(examination: Examination, case: Case, changes: Changes | None, private: Private) -> str:
    """Return the text of the file; what was taken out is said in it."""
    parts = [
        f"# tfsetup doctor {__version__}",
        f"Machine: {examination.machine}",
        _block("Examination", examination_text(examination, None, verbose=True)),
        _block("Packages", "\n".join(f"{item.name} {item.version}  ({item.origin})" for item in case.distributions)),
        _block("Module path", "\n".join(f"{entry.path}  ({entry.origin})" for entry in case.survey.path) if case.survey else ""),
        _block("Variables", "\n".join(f"{name}={value}" for name, value in case.facts.variables.items())),
        _block("Standard error of the import", "\n".join(case.child.err.splitlines()[-ERROR_LINES:]) if case.child else ""),
    ]
    if changes is not None:
        parts.append(_block("Changes", changes_text(changes)))
    text = private.clean("\n\n".join(part for part in parts if part))
    taken = ", ".join(private.taken_out)
    return f"{text}\n\nTaken out of this report: {taken or 'nothing'}.\n"


def _block(title: str, text: str) -> str:
    """A part with its title; a fence longer than any in the text keeps the text from ending it."""
    if not text.strip():
        return ""
    fence = "`" * 3
    while fence in text:
        fence += "`"
    return f"## {title}\n\n{fence}text\n{text.rstrip()}\n{fence}"
