"""``tfsetup fix``: the smallest repair that makes an environment work."""

from __future__ import annotations

import shlex
from contextlib import closing
from dataclasses import replace
from typing import Annotated

import typer

from provisioner.base.paths import absolute
from provisioner.cli import options
from provisioner.cli.apply import DEFAULT_WAIT_SECONDS, VERIFICATION_FAILED
from provisioner.cli.consent import agree_to_back, ask_for_plan
from provisioner.cli.output import print_json, print_text, say
from provisioner.cli.trusting import trusting
from provisioner.commands import fix as stages
from provisioner.environment import active
from provisioner.errors import InputError
from provisioner.host import Host
from provisioner.host.machine import this_machine
from provisioner.model.diagnosis import Examination
from provisioner.model.plan import Plan
from provisioner.model.request import Request
from provisioner.repair.attempts import Tried
from provisioner.report.fix_text import findings_text, fixed_document, fixed_text, taken_back_text
from provisioner.report.plan_text import plan_text
from provisioner.report.progress import progress_for
from provisioner.session import Session

# The exit codes of the contract by how it ended; 0 where it is complete.
CODES = {"healthy": 0, "planned": 0, "mended": 0, "unmendable": 11, "failed": VERIFICATION_FAILED, "could not tell": 16}


def fix(
    env: options.ActiveEnv = None,
    python: Annotated[
        str,
        typer.Option("--python", "-p", envvar="TFSETUP_INTERPRETER", metavar="PATH", help="An interpreter; its environment is repaired."),
    ] = "",
    cwd: options.Cwd = "",
    wait: options.Wait = DEFAULT_WAIT_SECONDS,
    break_: options.Break = None,
    *,
    dry_run: options.DryRun = False,
    offline: options.Offline = False,
    yes: options.Yes = False,
    trust: options.Trust = False,
    quiet: options.Quiet = False,
    no_progress: options.NoProgress = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Make an environment work by the smallest repair that does: shown, agreed to, executed, verified; undone when the proof fails."""
    host = this_machine()
    subject, request = _subject(host, env, python, offline=offline)
    nothing = not subject.env and request.origins["env"] == "default"
    options.tell(subject.env or subject.python, request.origins["env"], silent=as_json or quiet, instead=nothing)
    asked = stages.FixRequest(
        subject=subject,
        request=request,
        cwd=absolute(cwd, host, "--cwd") if cwd else host.cwd,
        wait=wait,
        shown_only=dry_run,
        broken=options.broken(host, break_),
    )
    talk = _Talk(asked, as_json=as_json, quiet=quiet, agreed=options.agreed(host, yes=yes), verbose=verbose)
    with closing(progress_for(as_json=as_json, host=host, quiet=quiet, plain=no_progress)) as progress:
        fixing = stages.fix(
            Session(host, trusting(host, trust=trust)),
            asked,
            found=talk.found,
            agree=talk.agree,
            agree_back=talk.agree_back,
            told=talk.told,
            progress=progress,
        )
    if as_json:
        print_json(fixed_document(fixing))
    elif not (quiet and fixing.complete and not fixing.remaining):
        print_text(fixed_text(fixing, verbose=verbose))
    return 0 if fixing.complete else CODES[fixing.outcome]


def _subject(host: Host, env: str | None, python: str, *, offline: bool) -> tuple[active.Subject, Request]:
    """Return what is repaired, and the request, which says who named it."""
    named = absolute(python, host, "--python") if python else ""
    place, named_by = options.named_environment(host, env, python)
    request = options.request(host, offline=offline)
    subject = active.choose(host, env=place, python=named)
    if not place and not named and subject.env and subject.env != host.real(named_by.env):
        # What only PATH has is looked at by doctor, and changed by nobody.
        raise InputError("there is no environment", place=named_by.env, hint=f"name one, such as --env {shlex.quote(subject.env)}")
    return subject, replace(request, origins={**request.origins, "env": named_by.origins["env"]})


class _Talk:
    """What is said to a person, and asked of them, while the repair is under way; with --json that is needless where nobody is asked."""

    def __init__(self, asked: stages.FixRequest, *, as_json: bool, quiet: bool, agreed: bool, verbose: bool) -> None:
        # Who is quiet and is asked nothing is told how it ended.
        self._as_json = as_json or (quiet and agreed)
        self._agreed, self._verbose = agreed, verbose
        self._shown_only, self._broken = asked.shown_only, asked.broken
        self.agree_back = agree_to_back(silent=as_json or quiet, agreed=agreed)

    def found(self, before: Examination) -> None:
        """Say what is wrong."""
        if not before.healthy and not self._as_json:
            say(findings_text(before.findings) + "\n")

    def agree(self, plan: Plan) -> bool:
        """Nobody is asked about what was not shown."""
        if not (self._as_json and (self._agreed or self._shown_only)):
            say(plan_text(plan, interrupted=None, verbose=self._verbose) + "\n")
        if not self._shown_only:
            ask_for_plan(plan, agreed=self._agreed, broken=self._broken)
        return not self._shown_only

    def told(self, tried: Tried) -> None:
        """Say what was tried and taken back."""
        if not self._as_json and not tried.executed.kept:
            say(taken_back_text(tried, verbose=self._verbose) + "\n")
