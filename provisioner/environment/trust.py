"""Whether what the tool keeps in and beside an environment may be believed: by whose it is, not by what it says.

A journal, an undo record, a staging folder or a lock is used only where it and each folder from the environment down to it is a real folder or file
(no link), belongs to this user or to root, and cannot be written by others. What is read of them afterwards is judged as input all the same: a
repository carries files that are this user's, too.
"""

from __future__ import annotations

import posixpath
import shlex

from provisioner.errors import InputError
from provisioner.host import Entry, Reader, files

GROUP_WRITES = 0o020


def doubt(reader: Reader, path: str, *, top: str, shared: bool = False) -> tuple[str, str]:
    """Return the first place below ``top`` (a real folder) down to ``path`` that cannot be trusted, and why; two empty texts where all can.

    What is not there is no reason for doubt; nor is ``top`` itself: who may write in it can put there only what is theirs. A user whom a person
    said to believe (``Reader.believed``) counts as this one; with ``shared`` others may write there, because nothing in it is believed.
    """
    place = top
    for part in posixpath.relpath(path, top).split("/"):
        place = posixpath.join(place, part)
        if not reader.exists(place):
            return "", ""
        why = _doubt(reader, reader.entry(place), last=place == path, shared=shared)
        if why:
            return place, why
    return "", ""


def _doubt(reader: Reader, entry: Entry, *, last: bool, shared: bool) -> str:
    if entry.kind == "link":
        return "it is a link, and what it leads to was not put there by tfsetup"
    if entry.kind not in ({"directory", "file"} if last else {"directory"}):
        return "it is not a folder"
    if reader.user < 0:
        # A system without such owners.
        return ""
    if files.is_foreign(reader, entry) and entry.owner not in reader.believed:
        return f"it belongs to another user (number {entry.owner})"
    if not shared and (files.anybody_writes(reader, entry) or (entry.mode & GROUP_WRITES and reader.shares(entry.group))):
        return "others may write it"
    return ""


def check(reader: Reader, path: str, *, top: str, shared: bool = False) -> None:
    """Raise ``InputError`` (code 2) where ``path``, or a folder between ``top`` and it, cannot be trusted; says how to look at it."""
    place, why = doubt(reader, path, top=top, shared=shared)
    if place:
        hint = f"look at it with `ls -la {shlex.quote(place)}`; then remove it, or make it yours alone, or choose another --env"
        entry = reader.entry(place)
        if files.is_foreign(reader, entry):
            hint += f"; where that user made the environment, run the same command as that user (`sudo -u '#{entry.owner}' ...`)"
            hint += ", or believe what is there: --trust" if reader.user == 0 and entry.owner == reader.entry(top).owner else ""
        raise InputError(f"{why}, so what it says of an earlier run is not believed", place=place, hint=hint)
