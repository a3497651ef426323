"""The stages of doctor, in order."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from provisioner.base.progress import Progress
from provisioner.commands import plan
from provisioner.errors import UsageError
from provisioner.host import Host
from provisioner.model.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.diagnose.case import Case, CheckSpec
    from provisioner.diagnose.gather import Wishes
    from provisioner.environment.active import Subject
    from provisioner.model.diagnosis import Changes, Examination


@record
class Diagnosed:
    """What ``doctor`` found, of what, and why that was taken."""

    subject: Subject
    case: Case
    examination: Examination


def doctor(host: Host, *, env: str = "", python: str = "", wishes: Wishes, only: Sequence[str] = (), progress: Progress) -> Diagnosed:
    """Examine an environment (``env``, ``python``, or the active one) and the machine; nothing is changed.

    Raises ``InputError`` when what was named is not there, ``UsageError`` for a check that there is not.
    """
    from provisioner.diagnose import gather  # noqa: PLC0415 - not needed by explain
    from provisioner.diagnose.doctor import examine  # noqa: PLC0415 - as above
    from provisioner.environment import active  # noqa: PLC0415 - not needed by explain

    specs = _chosen(only)
    target = active.choose(host, env=env, python=python)
    progress.start("doctor", f"Examining {target.env or target.python}")
    case = gather.gather(
        host,
        target,
        wishes,
        facts=lambda: plan.detect(host, env=target.env or host.cwd),
        catalogue=plan.open_catalogue(host),
        progress=progress.note,
    )
    messages = plan.open_messages(host)
    examination = examine(case, messages, checks=specs, order=messages.order, taken=target.how, progress=progress.note)
    progress.finish()
    return Diagnosed(subject=target, case=case, examination=examination)


def checks() -> tuple[CheckSpec, ...]:
    """Return the checks that there are."""
    from provisioner.diagnose.doctor import all_checks  # noqa: PLC0415 - not needed by explain

    return all_checks()


def read_examination(host: Host, path: str) -> Examination:
    """Read what ``tfsetup doctor --json`` printed; raises ``InputError`` with every fault."""
    from provisioner.diagnose.compare import from_document  # noqa: PLC0415 - only with --compare

    return from_document(plan.read_input(host, path), file=path)


def write_report(host: Host, path: str, found: Diagnosed, changes: Changes | None) -> tuple[str, ...]:
    """Write the bug report into a file that a person named, and return in words what was taken out of it."""
    from provisioner.report.bug_report import bug_report  # noqa: PLC0415 - only with --report
    from provisioner.report.private import Private  # noqa: PLC0415 - as above

    private = Private.of(host)
    text = bug_report(found.examination, found.case, changes, private)
    host.write(posixpath.join(host.cwd, path), text)
    return private.taken_out


def _chosen(names: Sequence[str]) -> tuple[CheckSpec, ...]:
    specs = checks()
    known = {spec.name for spec in specs}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no check called `{name}`", place="--check", hint="`tfsetup doctor --list` names them")
    return tuple(spec for spec in specs if not names or spec.name in names)
