"""Files that a project carries: wheels and archives of source, each by its path, or in the folders of ``--find-links``; read with their hashes.

Of a folder the files at its top count, as for pip and uv. They have no upload date, so no cut-off holds for them; they are known by their SHA-256.
A ``--find-links`` may name a page of links, too, which is asked when the lock is made.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from provisioner.base.paths import address_of, is_for_everybody
from provisioner.base.text import mask
from provisioner.declared.direct import ARCHIVES, path_of
from provisioner.declared.requirement import NotLockableError, Read, parse_any
from provisioner.host import Reader, files
from provisioner.model.team import Carried

_GITIGNORE = "keep it in the repository, and see that no .gitignore leaves it out"


def read_link(reader: Reader, home: str, name: str, value: str) -> str:
    """Return the folder of a ``--find-links`` line in the list ``name``, relative to ``home``, the declaration's folder (absolute).

    It is relative to the list, or where there is none so, to the declaration's folder, from where pip is run as a rule (pip's ``req_file.py``).
    Raises ``NotLockableError`` for one that is not there, or holds nothing.
    """
    path = unquote(value.removeprefix("file:")) if value.startswith("file:") else value
    if not is_for_everybody(path) or "${" in path:
        raise NotLockableError("must name a folder relative to this file, with `/` between folders, to be the same for everybody")
    places = [posixpath.normpath(posixpath.join(folder, path)) for folder in (posixpath.dirname(name), "")]
    found = next((place for place in places if files.there(reader, posixpath.join(home, place))), "")
    if not found:
        raise NotLockableError(f"names the folder {places[0]}, which is not there; {_GITIGNORE}")
    if not carried_in(reader, home, found):
        raise NotLockableError(f"names {found}, in which there is no wheel and no archive of source; {_GITIGNORE}, or take the line out")
    return found


def read_page(value: str) -> str:
    """Return the address of a page of links without its fragment; raises ``NotLockableError`` for one that no lock may hold."""
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise NotLockableError(f"is no address: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NotLockableError("names neither a folder by its path from this file nor a page at https://…")
    if "@" in parts.netloc or "${" in value or mask(value) != value:
        raise NotLockableError("holds a login, which would be written into the lock; leave it out, and let ~/.netrc give it")
    return value.partition("#")[0]


def carried_in(reader: Reader, home: str, folder: str) -> tuple[str, ...]:
    """Return the wheels and archives in a folder, by paths relative to ``home``, sorted; none where it is no folder that can be read."""
    try:
        names = [posixpath.basename(entry.path) for entry in reader.list(posixpath.join(home, folder))]
    except OSError:
        return ()
    paths = [posixpath.normpath(posixpath.join(folder, name)) for name in sorted(names) if name.lower().endswith(ARCHIVES)]
    return tuple(path for path in paths if reader.size(posixpath.join(home, path)) >= 0)


def carried_of(reader: Reader, home: str, folders: Iterable[str], named: Iterable[Read]) -> Iterator[Carried]:
    """Yield every file in these folders and those that requirements name, each once, by their paths; what is not there is left out."""
    paths = {path for folder in folders for path in carried_in(reader, home, folder)}
    paths |= {path_of(requirement.url) for requirement in named if path_of(requirement.url)}
    for path in sorted(paths):
        whole = posixpath.join(home, path)
        size = reader.size(whole)
        if size >= 0:
            yield Carried(path=path, sha256=reader.sha256(whole), size=size)


def left_out(reader: Reader, links: Iterable[str]) -> Iterator[str]:
    """Yield the files by which git leaves out all that is in a folder of ``--find-links`` (absolute): `uv build` puts one beside its wheels."""
    for link in links:
        path = posixpath.join(link, ".gitignore")
        if "://" not in link and "*" in (files.read(reader, path).text or "").split():
            yield path


def read_line(reader: Reader, home: str, name: str, text: str) -> Read:
    """Read a requirement in the list ``name``; a file that it names is relative to the list, or to the declaration's folder, as ``read_link`` says.

    Raises ``NotLockableError`` for what cannot be locked, also for a file that is not there.
    """
    found = parse_any(text, posixpath.dirname(name))
    if is_there(reader, home, found):
        return found
    other = parse_any(text)
    if not is_there(reader, home, other):
        raise NotLockableError(f"names the file {path_of(found.url)}, which is not there")
    return other


def is_there(reader: Reader, home: str, requirement: Read) -> bool:
    """False where a requirement names a file that is not there."""
    path = path_of(requirement.url)
    return not path or reader.size(posixpath.join(home, path)) >= 0


def placed(text: str, home: str) -> str:
    """Return a requirement on a file as a resolver is asked for it, by an address that this machine understands."""
    head, at, rest = text.partition(" @ file:")
    if not at or rest.startswith("//"):
        return text
    path, blank, marker = rest.partition(" ; ")
    return f"{head} @ {address_of(posixpath.normpath(posixpath.join(home, unquote(path))))}{blank}{marker}"
