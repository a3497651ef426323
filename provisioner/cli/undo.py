"""``tfsetup undo``: brings an environment back to what it was."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from provisioner.base.paths import absolute
from provisioner.change.recovery import Undoable, Wishes
from provisioner.cli import options
from provisioner.cli.apply import DEFAULT_WAIT_SECONDS
from provisioner.cli.consent import ask
from provisioner.cli.output import print_json, print_text, say
from provisioner.cli.trusting import trusting
from provisioner.commands import undo as stages
from provisioner.errors import UsageError
from provisioner.host.machine import this_machine
from provisioner.report.apply_text import nothing_to_undo, undo_document, undo_text, undone_text
from provisioner.report.progress import progress_for
from provisioner.session import Session

KeepNew = Annotated[
    str,
    typer.Option(
        "--keep-new", envvar="TFSETUP_KEEP_NEW", metavar="FOLDER", help="Move what came since and is in the way into this new folder."
    ),
]
LeaveNew = Annotated[
    bool,
    typer.Option(
        "--leave-new", envvar="TFSETUP_LEAVE_NEW", help="Leave what came since and is in the way; what it replaced does not come back."
    ),
]


def undo(
    env: options.Env = None,
    wait: options.Wait = DEFAULT_WAIT_SECONDS,
    *,
    keep_new: KeepNew = "",
    leave_new: LeaveNew = False,
    dry_run: options.DryRun = False,
    trust: options.Trust = False,
    yes: options.Yes = False,
    quiet: options.Quiet = False,
    no_progress: options.NoProgress = False,
    as_json: options.Json = False,
) -> int:
    """Bring the environment back to what it was before the last apply, files and all."""
    host = this_machine()
    if keep_new and leave_new:
        raise UsageError("what came since is either moved or left", place="--leave-new", hint="give one of --keep-new and --leave-new")
    wishes = Wishes(keep=host.real(absolute(keep_new, host, "--keep-new")) if keep_new else "", leave=leave_new)
    agreed = options.agreed(host, yes=yes)

    def agree(found: Undoable) -> None:
        if not ((as_json or quiet) and agreed):
            say(undo_text(found))
        ask("Do this?", agreed=agreed)

    session = Session(host, trusting(host, trust=trust))
    place = options.environment(host, env, silent=as_json or quiet)
    if dry_run:
        done: tuple[Undoable, ...] = (stages.look(session, place, wishes),)
        said = undo_text(done[0]) + "\nNothing was changed"
    else:
        with closing(progress_for(as_json=as_json, host=host, quiet=quiet, plain=no_progress)) as progress:
            done = stages.undo(session, place, agree=agree, wait=wait, progress=progress, wishes=wishes)
        said = undone_text(done)
    if as_json:
        print_json(undo_document(done))
    elif dry_run or not quiet:
        print_text(nothing_to_undo(done[0]) if done[0].nothing else said)
    return 0
