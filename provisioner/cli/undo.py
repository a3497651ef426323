"""``tfsetup undo``: brings an environment back to what it was."""

from __future__ import annotations

from contextlib import closing

from provisioner.change.recovery import Undoable
from provisioner.cli import options
from provisioner.cli.apply import DEFAULT_WAIT_SECONDS
from provisioner.cli.consent import ask
from provisioner.cli.output import print_json, print_text, say
from provisioner.commands import undo as stages
from provisioner.host.local import LocalHost
from provisioner.report.apply_text import nothing_to_undo, undo_document, undo_text, undone_text
from provisioner.report.progress import progress_for
from provisioner.session import Session


def undo(
    env: options.Env = None,
    wait: options.Wait = DEFAULT_WAIT_SECONDS,
    *,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> int:
    """Bring the environment back to what it was before the last apply, files and all."""
    host = LocalHost()
    agreed = options.agreed(host, yes=yes)

    def agree(found: Undoable) -> None:
        if not (as_json and agreed):
            say(undo_text(found))
        ask("Do this?", agreed=agreed)

    with closing(progress_for(as_json=as_json, host=host)) as progress:
        found = stages.undo(Session(host), options.environment(host, env), agree=agree, wait=wait, progress=progress)
    if as_json:
        print_json(undo_document(found))
    else:
        print_text(nothing_to_undo(found) if found.nothing else undone_text(found))
    return 0
