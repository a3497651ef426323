"""``tfsetup kernel``: a notebook kernel of an environment."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options
from provisioner.cli.apply import DEFAULT_WAIT_SECONDS, carried_out, show
from provisioner.cli.trusting import trusting
from provisioner.commands import apply as stages
from provisioner.host.machine import this_machine
from provisioner.plan.kernels import Wish
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
    return carried_out(session, asked, yes=yes, quiet=quiet, no_progress=no_progress, as_json=as_json, verbose=verbose)
