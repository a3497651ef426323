"""``tfsetup apply``: executes a plan."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Annotated

import typer

from provisioner.base.paths import absolute, joined
from provisioner.cli import options, words
from provisioner.cli.consent import agree_to_back, agree_to_plan
from provisioner.cli.output import print_json, print_text
from provisioner.cli.trusting import trusting
from provisioner.commands import apply as stages
from provisioner.commands.plan import Planned
from provisioner.errors import UsageError
from provisioner.host import Host
from provisioner.host.machine import this_machine
from provisioner.model import codec
from provisioner.plan.seal import SCHEMA
from provisioner.report.apply_text import applied_document, applied_text, nothing_to_do
from provisioner.report.plan_text import left_text, plan_text
from provisioner.report.progress import progress_for
from provisioner.session import Session

VERIFICATION_FAILED = 14
DEFAULT_WAIT_SECONDS = 60.0
LockFolder = Annotated[
    str, typer.Option("--lock", envvar="TFSETUP_LOCK", metavar="FOLDER", help="With --locked: where the lock is, if not here.")
]
LockTarget = Annotated[
    str, typer.Option("--target", envvar="TFSETUP_TARGET", metavar="NAME", help="With --locked: this target, and no other that fits.")
]
Locked = Annotated[
    bool, typer.Option("--locked", envvar="TFSETUP_LOCKED", help="Install what the team's lock has for this machine (`tfsetup lock`).")
]


def apply(
    plan: Annotated[str, typer.Argument(metavar="[PLAN]", help="A plan saved by `tfsetup plan -o`; without it one is made now.")] = "",
    tensorflow: options.TensorFlow = None,
    python: options.Python = None,
    device: options.Device = None,
    kind: options.Kind = None,
    source: options.Source = None,
    channel: options.Channel = None,
    env: options.Env = None,
    with_: options.With = None,
    wait: options.Wait = DEFAULT_WAIT_SECONDS,
    break_: options.Break = None,
    *,
    keep: options.Keep = False,
    upgrade: options.Upgrade = False,
    lock: LockFolder = "",
    target: LockTarget = "",
    locked: Locked = False,
    gpu: options.Gpu = False,
    cpu: options.Cpu = False,
    offline: options.Offline = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    trust: options.Trust = False,
    quiet: options.Quiet = False,
    no_progress: options.NoProgress = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Make the environment as planned: shown, agreed to, executed, verified; undone when the proof fails."""
    host = this_machine()
    device = options.device(device, gpu=gpu, cpu=cpu)
    named = {"tensorflow": tensorflow, "python": python, "device": device, "kind": kind, "env": env, "with": with_, "offline": offline}
    named |= {"source": source, "channel": channel, "keep": keep, "upgrade": upgrade}
    _check_options(host, plan, named, locked=locked, lock=lock, target=target)
    folder = absolute(lock, host, "--lock") if lock else ""
    broken = options.broken(host, break_)
    request = options.request(host, **named)
    options.tell(request.env, request.origins["env"], silent=as_json or quiet or bool(plan))
    asked = stages.ApplyRequest(
        request=request,
        saved=plan,
        lock=folder if locked else None,
        target=target if locked else None,
        wait=wait,
        broken=broken,
    )
    session = Session(host, trusting(host, trust=trust), patient=options.patient(silent=as_json or quiet))
    if dry_run:
        return show(stages.look(session, asked), as_json=as_json, verbose=verbose)
    return carried_out(session, asked, yes=yes, quiet=quiet, no_progress=no_progress, as_json=as_json, verbose=verbose)


def carried_out(
    session: Session, asked: stages.ApplyRequest, *, yes: bool, quiet: bool, no_progress: bool, as_json: bool, verbose: bool
) -> int:
    """Do what is asked for, after it was shown and agreed to, say how it ended, and return the exit code."""
    host = session.host
    agreed, silent = options.agreed(host, yes=yes), as_json or quiet
    agree = agree_to_plan(silent=silent, agreed=agreed, broken=asked.broken, verbose=verbose)
    agree_back = agree_to_back(silent=silent, agreed=agreed)
    with closing(progress_for(as_json=as_json, host=host, quiet=quiet, plain=no_progress)) as progress:
        done = stages.apply(session, asked, agree=agree, agree_back=agree_back, progress=progress)
    kept = done.executed is None or done.executed.kept
    if as_json:
        print_json(applied_document(done.plan, done.executed))
    elif not (quiet and kept):
        print_text(ended(done, verbose=verbose))
    return 0 if kept else VERIFICATION_FAILED


def ended(done: stages.Applied, *, verbose: bool) -> str:
    """Say how it ended."""
    if done.executed is not None:
        return applied_text(done.plan, done.executed, verbose=verbose)
    return left_text(done.plan.unmended) + nothing_to_do(done.plan, whole=not done.plan.unmended)


def show(planned: Planned, *, as_json: bool, verbose: bool) -> int:
    """Show a plan that is not executed."""
    if as_json:
        print_json(codec.document(SCHEMA, planned.plan))
        return 0
    end = "without --dry-run this is done, after you agreed to it" if planned.plan.changes else "and nothing is to be"
    print_text(f"{plan_text(planned.plan, interrupted=planned.interrupted, verbose=verbose)}\n\nNothing was changed: {end}")
    return 0


def _check_options(host: Host, plan: str, named: Mapping[str, object], *, locked: bool, lock: str, target: str) -> None:
    """Raise ``UsageError`` for options that say what the saved plan or the lock says already, or that need the lock."""
    if plan and any(value not in (None, False) for value in named.values()):
        raise UsageError("a saved plan says all that is to be done", place=plan, hint="give either a plan or options, not both")
    if locked and plan:
        raise UsageError("a saved plan says all that is to be done", place=plan, hint="give either a plan or --locked, not both")
    if plan and not host.exists(joined(host.cwd, plan)):
        words.check_plan(plan)
    if not locked and (lock or target):
        raise UsageError("says where a lock is, or what to take of it", place="--lock" if lock else "--target", hint="add --locked")
    for name in ("tensorflow", "source", "channel", "with", "keep", "upgrade"):
        if locked and named[name]:
            hint = "change tfsetup.yaml, and run `tfsetup lock`"
            raise UsageError("the lock says what is installed", place=f"--{name}", hint=hint)
