"""Whether the environment's own commands start its own interpreter: those of one that was moved, copied or renamed start another, or none."""

from __future__ import annotations

import posixpath
import re

from provisioner.base.paths import spelt
from provisioner.causes.findings import Findings
from provisioner.diagnose import packages
from provisioner.diagnose.case import Case, CheckSpec, Skipped
from provisioner.diagnose.checks.packages import restore
from provisioner.environment.launchers import python_of
from provisioner.environment.layout import layout
from provisioner.environment.owners import read_claims
from provisioner.host import files
from provisioner.model.finding import Evidence, Remedy, Repair
from provisioner.remedies.subject import quoted

# A script that names one of these was written so.
SYSTEM = frozenset({"/usr/bin", "/bin", "/usr/local/bin"})
MOVED = "Scripts of this environment run another environment's Python"


def scripts(case: Case, findings: Findings) -> str:
    """Every command that lies beside the interpreter and names one."""
    if not case.env:
        raise Skipped("no environment is examined")
    folder = posixpath.join(case.env, layout(case.reader.platform).scripts)
    elsewhere = _elsewhere(case, folder)
    if not elsewhere:
        return "its commands start its own interpreter"
    python = quoted(case.python, windows=case.windows)
    remedy = Remedy(words="Call pip through the interpreter that is to have the packages", steps=(f"{python} -m pip --version",))
    evidence = [Evidence(seen=_seen(case, path, started), where=path) for path, started in elsewhere.items()]
    repairs = _anew(case, elsewhere)
    findings.add("wrong-environment", "warning", "likely", *evidence, title=MOVED, remedy=remedy, repairs=repairs)
    return f"{len(elsewhere)} commands start another interpreter"


def _elsewhere(case: Case, folder: str) -> dict[str, str]:
    """The commands, each with the interpreter that it starts."""
    found = {}
    own = files.real(case.reader, folder)
    for path in files.matches(case.reader, f"{files.glob_escape(folder)}/*"):
        started = python_of(case.reader, path)
        place = posixpath.dirname(started)
        if not posixpath.basename(started).startswith("python") or place in SYSTEM:
            continue
        if files.real(case.reader, place) != own:
            found[path] = started
    return found


def _seen(case: Case, path: str, started: str) -> str:
    gone = "" if files.there(case.reader, started) else ", which is not there"
    return f"{posixpath.basename(path)} runs {started}{gone}, not this environment's Python"


def _anew(case: Case, elsewhere: dict[str, str]) -> tuple[Repair, ...]:
    """Install anew what brought those commands, and write the folder's new name into the scripts that activate the environment."""
    found: list[Repair] = []
    for item in packages.first_of(case).values():
        if any(path in elsewhere for path, _ in read_claims(case.reader, item) or ()):
            found += restore(case, item.name, "its scripts run another Python")
    olds = {posixpath.dirname(posixpath.dirname(started)) for started in elsewhere.values()}
    # As POSIX shells have it, and cmd.
    forms = dict.fromkeys(olds, case.env) | ({spelt(old): spelt(case.env) for old in olds} if case.windows else {})
    for path in files.matches(case.reader, f"{files.glob_escape(case.env)}/{layout(case.reader.platform).activate}*"):
        text = files.read(case.reader, path).text or ""
        target = text
        for old, new in forms.items():
            target = re.sub(rf"{re.escape(old)}(?![\w.-])", lambda _found, new=new: new, target)  # type: ignore[misc]
        if target != text:
            found.append(Repair(kind="write", reason="it activates the folder that this was before", path=path, target=target))
    return tuple(found)


CHECKS = (CheckSpec(name="scripts", title="the environment's commands start its own interpreter", look=scripts),)
