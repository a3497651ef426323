"""``tfsetup fix``: the smallest repair that makes an environment work."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.base.progress import SILENT
from provisioner.cli import options
from provisioner.cli.apply import DEFAULT_WAIT_SECONDS, VERIFICATION_FAILED
from provisioner.cli.consent import ask
from provisioner.cli.output import print_json, print_text, say
from provisioner.host.local import LocalHost

if TYPE_CHECKING:
    from provisioner.base.progress import Progress
    from provisioner.environment.active import Subject
    from provisioner.host import Host
    from provisioner.model.diagnosis import Examination
    from provisioner.model.plan import Plan
    from provisioner.repair.attempts import Tried

# The exit codes of the contract by how it ended.
CODES = {"healthy": 0, "planned": 0, "mended": 0, "unmendable": 11, "failed": VERIFICATION_FAILED, "could not tell": 16}


def fix(
    env: Annotated[
        str | None, typer.Option("--env", "-e", metavar="PATH", help="The environment; the active one if not given. [TFSETUP_ENV]")
    ] = None,
    python: Annotated[str, typer.Option("--python", "-p", metavar="PATH", help="An interpreter; its environment is repaired.")] = "",
    cwd: Annotated[str, typer.Option("--cwd", metavar="PATH", help="Where programs are started; the working directory if not given.")] = "",
    wait: options.Wait = DEFAULT_WAIT_SECONDS,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Show the repair, and change nothing.")] = False,
    offline: options.Offline = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Make an environment work by the smallest repair that does: shown, agreed to, executed, verified; undone when the proof fails."""
    from provisioner.commands import plan as flow  # noqa: PLC0415 - start-up
    from provisioner.environment import active as subjects  # noqa: PLC0415 - start-up
    from provisioner.environment.workspace import absolute  # noqa: PLC0415 - start-up
    from provisioner.repair import attempts  # noqa: PLC0415 - start-up
    from provisioner.report.fix_text import findings_text, fixed_document, fixed_text  # noqa: PLC0415 - start-up
    from provisioner.report.progress import progress_for  # noqa: PLC0415 - start-up

    host = LocalHost()
    flow.check_executor(host)
    named = absolute(python, host, "--python") if python else ""
    folder = absolute(cwd, host, "--cwd") if cwd else host.cwd
    subject = subjects.choose(host, env=options.named_environment(host, env, python), python=named)
    request = replace(options.request(host, offline=offline), env=subject.env, tensorflow="", python="", device="auto", extra=())
    agreed = options.agreed(host, yes=yes)
    progress = progress_for(as_json=as_json, host=host)

    def agree(plan: Plan) -> bool:
        """Nobody is asked about what was not shown."""
        if not (as_json and (agreed or dry_run)):
            _show(plan, verbose=verbose)
        if not dry_run:
            ask("Do this, with what becomes of what else is installed?" if plan.conflicts else "Do this?", agreed=agreed)
        return not dry_run

    with closing(progress):
        left = flow.clear_interrupted(host, subject.env, wait=wait, progress=progress) if subject.env and not dry_run else None
        if left is not None:
            progress.note(f"An earlier run was interrupted; what it had begun was taken back ({left.where})")
        before = _examine(host, subject, folder, progress, importing=True)
        if not before.healthy and not as_json:
            say(findings_text(before.findings) + "\n")
        fixing = attempts.fix(
            host,
            before,
            request,
            agree=agree,
            told=lambda tried: None if as_json else _tell(tried, verbose=verbose),
            # What was made imports TensorFlow in the proof already, of which this is a part.
            examine=lambda: _examine(host, subject, folder, SILENT, importing=False),
            progress=progress,
            wait=wait,
        )
    if as_json:
        print_json(fixed_document(fixing))
    else:
        print_text(fixed_text(fixing, verbose=verbose))
    return CODES[fixing.outcome]


def _examine(host: Host, subject: Subject, cwd: str, progress: Progress, *, importing: bool) -> Examination:
    from provisioner.commands import doctor  # noqa: PLC0415 - start-up
    from provisioner.diagnose.gather import Wishes  # noqa: PLC0415 - start-up

    wishes = Wishes(cwd=cwd, importing=importing)
    # An environment is examined with the Python that it should have; that may be what is gone.
    python = subject.python if not subject.env or host.exists(subject.python) else ""
    return doctor.doctor(host, env=subject.env, python=python, wishes=wishes, progress=progress).examination


def _show(plan: Plan, *, verbose: bool) -> None:
    from provisioner.report.plan_text import plan_text  # noqa: PLC0415 - start-up

    say(plan_text(plan, interrupted=None, verbose=verbose) + "\n")


def _tell(tried: Tried, *, verbose: bool) -> None:
    from provisioner.report.fix_text import taken_back_text  # noqa: PLC0415 - start-up

    if not tried.executed.kept:
        say(taken_back_text(tried, verbose=verbose) + "\n")
