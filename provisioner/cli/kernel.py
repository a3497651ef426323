"""``tfsetup kernel``: a notebook kernel of an environment."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from provisioner.cli import options
from provisioner.cli.apply import DEFAULT_WAIT_SECONDS, VERIFICATION_FAILED, ended, show
from provisioner.cli.consent import agree_to_back, agree_to_plan
from provisioner.cli.output import print_json, print_text
from provisioner.cli.trusting import trusting
from provisioner.commands import apply as stages
from provisioner.host.machine import this_machine
from provisioner.plan.kernels import Wish
from provisioner.report.apply_text import applied_document
from provisioner.report.progress import progress_for
from provisioner.session import Session

Name = Annotated[
    str,
    typer.Option("--name", envvar="TFSETUP_KERNEL_NAME", metavar="NAME", help="The kernel's name; that of the folder if not given."),
]
Label = Annotated[
    str, typer.Option("--display-name", envvar="TFSETUP_KERNEL_DISPLAY_NAME", metavar="TEXT", help="What the menu of a notebook shows.")
]


def kernel(
    env: options.Env = None,
    name: Name = "",
    display_name: Label = "",
    wait: options.Wait = DEFAULT_WAIT_SECONDS,
    break_: options.Break = None,
    *,
    offline: options.Offline = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    trust: options.Trust = False,
    quiet: options.Quiet = False,
    no_progress: options.NoProgress = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Make a notebook kernel of the environment; undoable."""
    host = this_machine()
    request = options.request(host, env=env, offline=offline)
    options.tell(request.env, request.origins["env"], silent=as_json or quiet)
    broken = options.broken(host, break_)
    asked = stages.ApplyRequest(request=request, wait=wait, broken=broken, kernel=Wish(name=name, label=display_name))
    session = Session(host, trusting(host, trust=trust))
    if dry_run:
        return show(stages.look(session, asked), as_json=as_json, verbose=verbose)
    agreed, silent = options.agreed(host, yes=yes), as_json or quiet
    agree = agree_to_plan(silent=silent, agreed=agreed, broken=broken, verbose=verbose)
    agree_back = agree_to_back(silent=silent, agreed=agreed)
    with closing(progress_for(as_json=as_json, host=host, quiet=quiet, plain=no_progress)) as progress:
        done = stages.apply(session, asked, agree=agree, agree_back=agree_back, progress=progress)
    kept = done.executed is None or done.executed.kept
    if as_json:
        print_json(applied_document(done.plan, done.executed))
    elif not (quiet and kept):
        print_text(ended(done, verbose=verbose))
    return 0 if kept else VERIFICATION_FAILED
