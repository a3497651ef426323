"""``tfsetup apply``: executes a plan."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.cli import options
from provisioner.cli.consent import ask
from provisioner.cli.output import print_json, print_text, say
from provisioner.environment.workspace import absolute
from provisioner.errors import UsageError
from provisioner.host.local import LocalHost
from provisioner.model.request import Request

if TYPE_CHECKING:
    from provisioner.commands.plan import Planned

VERIFICATION_FAILED = 14
DEFAULT_WAIT_SECONDS = 60.0


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
    *,
    lock: Annotated[
        str, typer.Option("--lock", envvar="TFSETUP_LOCK", metavar="FOLDER", help="With --locked: where the lock is, if not here.")
    ] = "",
    target: Annotated[
        str, typer.Option("--target", envvar="TFSETUP_TARGET", metavar="NAME", help="With --locked: this target, and no other that fits.")
    ] = "",
    locked: Annotated[
        bool, typer.Option("--locked", envvar="TFSETUP_LOCKED", help="Install what the team's lock has for this machine (`tfsetup lock`).")
    ] = False,
    offline: options.Offline = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Make the environment as planned: shown, agreed to, executed, verified; undone when the proof fails."""
    from provisioner.commands import plan as flow  # noqa: PLC0415 - start-up
    from provisioner.report.apply_text import applied_document, applied_text, nothing_to_do  # noqa: PLC0415 - start-up
    from provisioner.report.plan_text import plan_text  # noqa: PLC0415 - start-up
    from provisioner.report.progress import progress_for  # noqa: PLC0415 - start-up

    host = LocalHost()
    flow.check_executor(host)
    named = {"tensorflow": tensorflow, "python": python, "device": device, "kind": kind, "env": env, "with": with_, "offline": offline}
    named |= {"source": source, "channel": channel}
    if plan and any(value not in (None, False) for value in named.values()):
        raise UsageError("a saved plan says all that is to be done", place=plan, hint="give either a plan or options, not both")
    _check_locked(plan, named, locked=locked, lock=lock, target=target)
    request = options.request(host, **named)
    progress = progress_for(as_json=as_json, host=host)
    # What an interrupted run left is brought back first, so that the plan is made for a whole environment.
    left = flow.clear_interrupted(host, flow.saved_env(host, plan) if plan else request.env, wait=wait, progress=progress)
    if left is not None:
        progress.note(f"An earlier run was interrupted; what it had begun was taken back ({left.where})")
    planned = _planned(host, request, saved=plan, team=(lock, target) if locked else None)
    if not planned.plan.changes:
        if as_json:
            print_json(applied_document(planned.plan, None))
        else:
            print_text(nothing_to_do(planned.plan))
        return 0
    agreed = options.agreed(host, yes=yes)
    # Nobody is asked about what was not shown; with --json, too, it is words and goes to stderr.
    if not (as_json and agreed):
        say(plan_text(planned.plan, interrupted=None, verbose=verbose))
        say("")
    ask("Do this?", agreed=agreed)
    with closing(progress):
        executed = flow.apply(host, planned, progress=progress, wait=wait)
    if as_json:
        print_json(applied_document(planned.plan, executed))
    else:
        print_text(applied_text(planned.plan, executed, verbose=verbose))
    return 0 if executed.kept else VERIFICATION_FAILED


def _check_locked(plan: str, named: Mapping[str, object], *, locked: bool, lock: str, target: str) -> None:
    """Raise ``UsageError`` for options that say what the lock says already, or that need it."""
    if not locked and (lock or target):
        raise UsageError("says where a lock is, or what to take of it", place="--lock" if lock else "--target", hint="add --locked")
    if locked and plan:
        raise UsageError("a saved plan says all that is to be done", place=plan, hint="give either a plan or --locked, not both")
    for name in ("tensorflow", "source", "channel", "with"):
        if locked and named[name]:
            hint = "change tfsetup.yaml, and run `tfsetup lock`"
            raise UsageError("the lock says what is installed", place=f"--{name}", hint=hint)


def _planned(host: LocalHost, request: Request, *, saved: str, team: tuple[str, str] | None) -> Planned:
    """Return the plan: the ``saved`` one, or one made now; ``team`` is the folder of a team's lock ("" for this one's) and the target."""
    from provisioner.commands import plan as flow  # noqa: PLC0415 - start-up

    if team is None:
        return flow.load_saved_plan(host, saved, request.channels) if saved else flow.plan(host, request)
    from provisioner.commands import lock_check  # noqa: PLC0415 - only with --locked

    lock, target = team
    folder = lock_check.locked_folder(host, absolute(lock, host, "--lock") if lock else "")
    return lock_check.plan_locked(host, request, folder, target)
