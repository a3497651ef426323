"""A journal whose folders can be renamed no more, for the container is another one by now: they are taken apart before anything moves back."""

from __future__ import annotations

from dataclasses import replace

from provisioner.change.apart import Apart, taken_apart
from provisioner.change.journal import Journal, write
from provisioner.change.places import Places, check_mounts
from provisioner.environment.workspace import Workspace
from provisioner.host import Host


def apart_by_now(host: Host, workspace: Workspace, journal: Journal) -> Journal:
    """Return the journal with the folders taken apart that cannot be renamed any more: the run that was stopped was another container's, say."""
    if not journal.stood or journal.phase in {"building", "clearing"}:
        return journal
    places = Places(workspace, journal)
    places.check(host, begun=True)

    def came(name: str) -> bool:
        elsewhere = [places.returned(name)] if journal.exact else [places.returned(name), places.staged(name)]
        return host.exists(places.current(name)) and not any(host.exists(path) for path in elsewhere)

    new = [name for name in journal.incoming if came(name)]
    out, back = taken_apart(host, places.here(host), new), taken_apart(host, places.away, journal.outgoing)
    check_mounts(host, workspace, replace(journal, incoming=out.names, outgoing=back.names))
    if not out.folders and not back.folders:
        return journal
    journal = _with_apart(replace(journal, incoming=tuple(name for name in journal.incoming if name not in new)), out, back)
    write(host, workspace.journal, journal)
    return journal


def apart_for_undo(host: Host, workspace: Workspace, journal: Journal) -> Journal:
    """Return the journal of an undo that has not begun, with what cannot be renamed taken apart; nothing is written yet.

    Raises ``OperationError`` where something was mounted, or unmounted, since.
    """
    places = Places(workspace, journal)
    if journal.stood:
        places.check(host, begun=True)
        out, back = taken_apart(host, places.here(host), journal.incoming), taken_apart(host, places.away, journal.outgoing)
        journal = _with_apart(replace(journal, incoming=()), out, back)
        check_mounts(host, workspace, journal)
    if journal.kept:
        aside = taken_apart(host, places.here(host), journal.kept)
        journal = replace(journal, kept=aside.names, emptied=(*journal.emptied, *aside.paths))
    return journal


def _with_apart(journal: Journal, out: Apart, back: Apart) -> Journal:
    """Return the journal with the moves out of the environment, and back into it, of folders taken apart."""
    known = {folder.path for folder in journal.folders}
    folders = (*journal.folders, *(folder for folder in back.folders if folder.path not in known))
    return replace(
        journal,
        incoming=(*journal.incoming, *out.names),
        outgoing=back.names,
        emptied=(*journal.emptied, *out.paths),
        folders=tuple(sorted(folders, key=lambda folder: folder.path)),
    )
