"""``tfsetup undo``: brings an environment back to what it was."""

from __future__ import annotations

from provisioner.cli import options
from provisioner.cli.apply import DEFAULT_WAIT_SECONDS
from provisioner.cli.consent import ask
from provisioner.cli.output import print_json, print_text, say
from provisioner.host.local import LocalHost


def undo(
    env: options.Env = None,
    wait: options.Wait = DEFAULT_WAIT_SECONDS,
    *,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> int:
    """Bring the environment back to what it was before the last apply, files and all."""
    from provisioner.commands import plan  # noqa: PLC0415 - start-up
    from provisioner.report.apply_text import nothing_to_undo, undo_document, undo_text, undone_text  # noqa: PLC0415 - start-up
    from provisioner.report.progress import progress_for  # noqa: PLC0415 - start-up

    host = LocalHost()
    found = plan.undoable(host, options.environment(host, env))
    if found.nothing:
        if as_json:
            print_json(undo_document(found))
        else:
            print_text(nothing_to_undo(found))
        return 0
    agreed = options.agreed(host, yes=yes)
    if not (as_json and agreed):
        say(undo_text(found))
    ask("Do this?", agreed=agreed)
    plan.undo(host, found, wait=wait, progress=progress_for(as_json=as_json, host=host))
    if as_json:
        print_json(undo_document(found))
    else:
        print_text(undone_text(found))
    return 0
