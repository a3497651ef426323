"""Projects of the team's own that a list names by their folder: ``-e .``, ``./pkg[extra]``, ``file:../pkg``. Pure.

They are read, never run, while a lock is made; where the lock is installed, they are installed from their folders.
"""

from __future__ import annotations

import posixpath
import re

from provisioner.base.names import normalise
from provisioner.base.paths import is_for_everybody
from provisioner.declared.direct import is_file
from provisioner.declared.requirement import NotLockableError
from provisioner.model.record import record

_NAMED = re.compile(r"(?<![A-Za-z0-9._-])[A-Za-z0-9][A-Za-z0-9._-]*\s{0,20}@\s*(?=file:(?!//)|\.)")
_FORM = re.compile(r"(?:file:)?([^\s;\[\]]+?)/?(?:\[([A-Za-z0-9._,\s-]*)\])?\s*(?:#egg=\S+)?", re.DOTALL)


@record
class Local:
    """A project by its ``folder``, relative to the declaration's; with these extras, normalised; ``place`` is where it is named."""

    place: str
    folder: str
    extras: tuple[str, ...] = ()
    editable: bool = False


def is_local(text: str) -> bool:
    """True for the path of a folder: ``.``, ``./pkg``, ``../pkg``, ``file:pkg``, and for an absolute one."""
    if is_file(text):
        return False
    bare = _NAMED.sub("", text.strip())
    return re.match(r"(?i)\.{1,2}(?:[/\[\s]|$)|/|~|file:(?!//)", bare) is not None


def read_local(text: str, place: str, folder: str, *, editable: bool) -> Local:
    """Read the path of a project; ``folder`` is that of the list, relative to the declaration's. Raises ``NotLockableError``."""
    found = _FORM.fullmatch(_NAMED.sub("", text.strip()))
    if found is None:
        raise NotLockableError("is a path that cannot be read; write it as ./folder or ./folder[extra]")
    path = found[1]
    if not is_for_everybody(path) or "${" in path:
        raise NotLockableError("must be a path relative to this file, with `/` between folders, to be the same for everybody")
    extras = tuple(sorted({normalise(item.strip()) for item in (found[2] or "").split(",") if item.strip()}))
    return Local(place=place, folder=posixpath.normpath(posixpath.join(folder, path)), extras=extras, editable=editable)
