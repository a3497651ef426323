"""``tfsetup apply``: executes a plan."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Annotated

import typer

from provisioner.base.paths import absolute
from provisioner.cli import options
from provisioner.cli.consent import agree_to_back, agree_to_plan
from provisioner.cli.output import print_json, print_text
from provisioner.cli.trusting import trusting
from provisioner.commands import apply as stages
from provisioner.errors import UsageError
from provisioner.host.local import LocalHost
from provisioner.report.apply_text import applied_document, applied_text, nothing_to_do
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
    offline: options.Offline = False,
    yes: options.Yes = False,
    trust: options.Trust = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Make the environment as planned: shown, agreed to, executed, verified; undone when the proof fails."""
    host = LocalHost()
    named = {"tensorflow": tensorflow, "python": python, "device": device, "kind": kind, "env": env, "with": with_, "offline": offline}
    named |= {"source": source, "channel": channel, "keep": keep, "upgrade": upgrade}
    stages.check_executor(host)
    _check_options(plan, named, locked=locked, lock=lock, target=target)
    folder = absolute(lock, host, "--lock") if lock else ""
    broken = options.broken(host, break_)
    asked = stages.ApplyRequest(
        request=options.request(host, **named),
        saved=plan,
        lock=folder if locked else None,
        target=target if locked else None,
        wait=wait,
        broken=broken,
    )
    agreed = options.agreed(host, yes=yes)
    agree = agree_to_plan(as_json=as_json, agreed=agreed, broken=broken, verbose=verbose)
    agree_back = agree_to_back(as_json=as_json, agreed=agreed)
    with closing(progress_for(as_json=as_json, host=host)) as progress:
        done = stages.apply(Session(host, trusting(host, trust=trust)), asked, agree=agree, agree_back=agree_back, progress=progress)
    if as_json:
        print_json(applied_document(done.plan, done.executed))
    else:
        print_text(applied_text(done.plan, done.executed, verbose=verbose) if done.executed else nothing_to_do(done.plan))
    return 0 if done.executed is None or done.executed.kept else VERIFICATION_FAILED


def _check_options(plan: str, named: Mapping[str, object], *, locked: bool, lock: str, target: str) -> None:
    """Raise ``UsageError`` for options that say what the saved plan or the lock says already, or that need the lock."""
    if plan and any(value not in (None, False) for value in named.values()):
        raise UsageError("a saved plan says all that is to be done", place=plan, hint="give either a plan or options, not both")
    if not locked and (lock or target):
        raise UsageError("says where a lock is, or what to take of it", place="--lock" if lock else "--target", hint="add --locked")
    if locked and plan:
        raise UsageError("a saved plan says all that is to be done", place=plan, hint="give either a plan or --locked, not both")
    for name in ("tensorflow", "source", "channel", "with", "keep", "upgrade"):
        if locked and named[name]:
            hint = "change tfsetup.yaml, and run `tfsetup lock`"
            raise UsageError("the lock says what is installed", place=f"--{name}", hint=hint)
