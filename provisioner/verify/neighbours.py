"""Whether what else is installed can be imported: asked in the environment's own Python before it is changed, and again afterwards.

A package that could be imported and cannot any more takes the change back, unless somebody has agreed to lose it.
"""

from __future__ import annotations

import os
import posixpath
import re
import signal
import sys
from collections.abc import Collection, Mapping

from provisioner.base.progress import Progress
from provisioner.environment.active import interpreter_of
from provisioner.environment.distributions import Installed, installed
from provisioner.environment.owners import read_rows
from provisioner.host import Host, Reader, files
from provisioner.in_process import script
from provisioner.model.finding import Check, Evidence, Finding, Remedy
from provisioner.model.plan import Plan
from provisioner.model.record import record
from provisioner.verify import children
from provisioner.verify.events import parse_events

# The largest packages take some ten seconds from a cold disk.
MODULE_SECONDS = 60
ALL_SECONDS = 600.0
# What wheels leave in site-packages by mistake, and nobody imports.
_NOBODYS = frozenset(
    {"test", "tests", "testing", "doc", "docs", "example", "examples", "benchmark", "benchmarks", "setup", "conftest", "scripts"}
)
_MODULE = re.compile(r"([A-Za-z]\w*)(?:/__init__\.py|\.py|(?:\.[\w-]+)?\.so|\.pyd)")
CHECK = "neighbours"
# The word for all that may break.
ALL = "all"
# How a process ends that its own alarm has ended; Windows has none, so that a module there may take as long as all of them.
if sys.platform != "win32":
    _ALARM: int | None = -signal.SIGALRM
else:
    _ALARM = None


def modules_of(reader: Reader, item: Installed) -> tuple[str, ...]:
    """Return the top-level names that a distribution brings, by its RECORD; of one that was installed to be edited, by ``top_level.txt``."""
    rows = read_rows(reader, item.metadata) or ()
    found = [match[1] for match in (_MODULE.fullmatch(row.path) for row in rows) if match]
    if not found:
        found = (files.read(reader, posixpath.join(item.metadata, "top_level.txt"), 1 << 16).text or "").split()
    return tuple(dict.fromkeys(name for name in found if name.isidentifier() and not name.startswith("_") and name not in _NOBODYS))


def importable(host: Host, root: str, python: str, names: Collection[str], progress: Progress) -> dict[str, dict[str, str]]:
    """Return for each distribution of these ``names`` what becomes of its modules: "" for one that is imported, else the error in words.

    Nothing is written into the environment.
    """
    wanted = {item.name: modules_of(host, item) for item in installed(host, root) if item.name in names}
    every = sorted({module for modules in wanted.values() for module in modules})
    if not every or not host.exists(python):
        return {}
    found = import_modules(host, python, every, progress)
    return {name: {module: found.get(module, "no answer") for module in modules} for name, modules in wanted.items()}


def import_modules(host: Host, python: str, names: list[str], progress: Progress, *, seconds: int = MODULE_SECONDS) -> dict[str, str]:
    """Return what becomes of modules, and of what is in modules (``package.module.Class``): "" for what is imported, else the error in words.

    ``seconds`` are given to each.
    """
    work = children.make_work(host)
    try:
        found = _import(host, python, work, names, progress, seconds)
        # What fails in the company of others may do so because of them.
        for module, error in found.items():
            if error:
                found[module] = _import(host, python, work, [module], progress, seconds).get(module, error)
    finally:
        host.remove_tree(work)
    return found


def _import(host: Host, python: str, work: str, names: list[str], progress: Progress, seconds: int) -> dict[str, str]:
    """Import modules in one process; after a crash, what is left in another one."""
    found: dict[str, str] = {}
    left = names
    while left:
        progress.note(f"importing what else is installed: {left[0]}" + (f" and {len(left) - 1} more" if len(left) > 1 else ""))
        out, mark = posixpath.join(work, f"imports-{os.urandom(4).hex()}"), os.urandom(8).hex()
        argv = [python, script("_imports.py"), out, mark, str(seconds), *left]
        try:
            done = host.run(argv, env=children.environment(host, work), cwd=posixpath.join(work, "cwd"), timeout=ALL_SECONDS)
        except OSError:
            # A Python that does not start imports nothing.
            break
        events = parse_events(files.read(host, out, 1 << 24).text or "", mark)
        found.update({event["module"]: event["error"] for event in events if event["event"] == "imported" and event["module"] in left})
        began = [event["module"] for event in events if event["event"] == "importing" and event["module"] in left]
        hung = done.timed_out or done.code == _ALARM
        stopped = began[-1] if began and began[-1] not in found else ""
        if stopped:
            found[stopped] = f"no answer within {seconds} s" if hung else f"the process ended with exit code {done.code}"
        if not began or done.timed_out:
            break
        left = left[left.index(began[-1]) + 1 :]
    return found


@record
class Imported:
    """What became of the imports: a check of the proof, and ``lost``, the names of what was lost and not agreed to."""

    check: Check
    findings: tuple[Finding, ...]
    lost: tuple[str, ...] = ()


@record
class Watch:
    """What could be imported ``before`` a plan is executed, by distribution and module; ``agreed`` are those that somebody has agreed to lose."""

    plan: Plan
    before: Mapping[str, Mapping[str, str]]
    agreed: frozenset[str]

    def after(self, host: Host, root: str, progress: Progress) -> Imported | None:
        """Import the same again, and judge it; None where there was nothing to import."""
        if not self.before:
            return None
        return judged(self.plan, self.before, _asked(host, root, self.plan, progress), self.agreed)


def watch(host: Host, plan: Plan, broken: frozenset[str], progress: Progress) -> Watch:
    """Import the user's own packages before a plan is executed; what ``broken`` names beside the plan (``ALL`` for any) may be lost."""
    names = frozenset(names_of(plan))
    before = _asked(host, plan.env.path, plan, progress) if names else {}
    return Watch(plan=plan, before=before, agreed=names if ALL in broken else plan.broken | broken)


def _asked(host: Host, root: str, plan: Plan, progress: Progress) -> dict[str, dict[str, str]]:
    progress.start("neighbours", "Importing what else is installed")
    found = importable(host, root, interpreter_of(host, root), names_of(plan), progress)
    progress.finish()
    return found


def judged(
    plan: Plan, before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]], agreed: Collection[str]
) -> Imported:
    """Say what became of the imports; ``agreed`` are the names that somebody has agreed to lose. Pure."""
    lost = {name: _lost(before[name], after.get(name, {})) for name in before}
    lost = {name: errors for name, errors in lost.items() if errors}
    findings = tuple(_finding(plan, name, errors, agreed=name in agreed) for name, errors in sorted(lost.items()))
    refused = sorted(set(lost) - set(agreed))
    whole = sum(1 for name in before if name not in lost and not any(before[name].values()))
    detail = f"{whole} of your packages are imported as before" + (f"; no longer: {', '.join(sorted(lost))}" if lost else "")
    return Imported(
        check=Check(name=CHECK, status="failed" if refused else "passed", detail=detail), findings=findings, lost=tuple(refused)
    )


def _lost(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return the modules that could be imported and cannot any more; those that a new version does not have are no loss."""
    return {module: after[module] for module, error in before.items() if not error and after.get(module)}


def _finding(plan: Plan, name: str, errors: Mapping[str, str], *, agreed: bool) -> Finding:
    item = next((item for item in plan.neighbours if item.name == name), None)
    version = (item.becomes or item.version) if item is not None else ""
    steps = () if agreed else tuple(way.command for way in plan.ways)
    words = f"agree to lose it: the same command with --break {name}"
    if item is not None and item.becomes:
        # Its metadata did not say that it needs more than is there.
        words = f"have an older one of it: the same command with --with '{name}<{version}'; or {words}"
    elif not plan.request.keep:
        words = f"have all that is there resolved anew: the same command with --keep; or {words}"
    words = "it was agreed to" if agreed else words
    return Finding(
        cause="dependency-incompatible",
        severity="warning" if agreed else "error",
        confidence="certain",
        title=f"{f'{name} {version}'.strip()} could be imported before this change, and cannot be any more",
        evidence=tuple(Evidence(seen=error, where=f"import {module}") for module, error in errors.items()),
        remedy=Remedy(words=words, steps=steps),
    )


def names_of(plan: Plan) -> tuple[str, ...]:
    """Return the distributions that are asked: the user's own."""
    return tuple(item.name for item in plan.neighbours)
