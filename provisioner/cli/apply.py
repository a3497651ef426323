"""``tfsetup apply``: executes a plan."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from provisioner.cli import options
from provisioner.cli.consent import ask
from provisioner.cli.output import print_json, print_text, say
from provisioner.errors import UsageError
from provisioner.local_host import LocalHost

VERIFICATION_FAILED = 14
DEFAULT_WAIT_SECONDS = 60.0


def apply(
    plan: Annotated[str, typer.Argument(metavar="[PLAN]", help="A plan saved by `tfsetup plan -o`; without it one is made now.")] = "",
    tensorflow: options.TensorFlow = None,
    python: options.Python = None,
    device: options.Device = None,
    kind: options.Kind = None,
    env: options.Env = None,
    with_: options.With = None,
    wait: options.Wait = DEFAULT_WAIT_SECONDS,
    *,
    offline: options.Offline = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Make the environment as planned: shown, agreed to, executed, verified; undone when the proof fails."""
    from provisioner import flow  # noqa: PLC0415 - start-up
    from provisioner.report.apply_text import applied_document, applied_text, nothing_to_do  # noqa: PLC0415 - start-up
    from provisioner.report.plan_text import plan_text  # noqa: PLC0415 - start-up
    from provisioner.report.progress import progress_for  # noqa: PLC0415 - start-up

    host = LocalHost()
    flow.check_executor(host)
    named = {"tensorflow": tensorflow, "python": python, "device": device, "kind": kind, "env": env, "with": with_, "offline": offline}
    if plan and any(value not in (None, False) for value in named.values()):
        raise UsageError("a saved plan says all that is to be done", place=plan, hint="give either a plan or options, not both")
    request = options.request(host, **named)
    progress = progress_for(as_json=as_json, host=host)
    # What an interrupted run left is brought back first, so that the plan is made for a whole environment.
    left = flow.clear_interrupted(host, flow.saved_env(host, plan) if plan else request.env, wait=wait, progress=progress)
    if left is not None:
        progress.note(f"An earlier run was interrupted; what it had begun was taken back ({left.where})")
    planned = flow.load_saved_plan(host, plan) if plan else flow.plan(host, request)
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
