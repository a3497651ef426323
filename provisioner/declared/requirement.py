"""One requirement (PEP 508): whether it can be locked by hash, and the one spelling in which requirements are compared.

Most requirements are a name with versions, which a pattern reads; the rest (markers, addresses) is left to ``packaging``, whose import costs
15 ms of the 100 that ``tfsetup plan`` may take.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from provisioner.base.names import normalise
from provisioner.base.requirement import is_beyond, read_requirement
from provisioner.base.text import mask
from provisioner.declared.direct import AddressError, is_direct, read_direct
from provisioner.model.record import record

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
# The versions that everybody writes; other forms of PEP 440 go the long way.
_CLAUSE = r"(?:~=|==|!=|<=|>=|<|>)\s*[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?"
_SIMPLE = re.compile(
    rf"\s*({_NAME})(?:\s*\[\s*(?:({_NAME}(?:\s*,\s*{_NAME})*)\s*)?\])?(?:\s*({_CLAUSE}(?:\s*,\s*{_CLAUSE})*))?\s*", re.ASCII
)
_VCS = re.compile(r"(?i)^(?:.*@\s*)?(git|hg|svn|bzr)\+")
_ARCHIVE = re.compile(r"(?i)\.(?:whl|zip|tar\.gz)\s*$")
_VARIABLE = re.compile(r"\$\{[A-Za-z0-9_]+\}")


@record
class Read:
    """A requirement that was read: ``text`` in its one spelling, ``name`` normalised (PEP 503), ``extras`` normalised (PEP 685).

    ``url`` is the address of one that no index serves; ``hashes`` are the SHA-256 that its file must have one of, where any are written.
    """

    text: str
    name: str
    extras: tuple[str, ...] = ()
    marker: str = ""
    url: str = ""
    hashes: tuple[str, ...] = ()


class NotLockableError(ValueError):
    """A text that is no requirement, or one that no index can serve by hash; its message completes "`text` …"."""


def parse(text: str) -> Read:
    """Read a requirement; raises ``NotLockableError`` for what cannot be locked by hash."""
    if is_beyond(text):
        raise NotLockableError("is longer, deeper, or has more digits than any requirement")
    # Runs of blanks would cost the pattern time with their square.
    simple = _SIMPLE.fullmatch(" ".join(text.split()))
    if simple and "~=" not in text and not _ARCHIVE.search(text):
        extras = tuple(sorted({normalise(extra.strip()) for extra in (simple[2] or "").split(",") if extra.strip()}))
        clauses = sorted({"".join(clause.split()) for clause in (simple[3] or "").split(",") if clause})
        return _spelt(normalise(simple[1]), extras, ",".join(clauses), "")
    return _parse_fully(text)


def _parse_fully(text: str) -> Read:
    why = unlockable(text)
    if why:
        raise NotLockableError(why)
    try:
        requirement = read_requirement(text)
    except ValueError as error:
        raise NotLockableError(f"is not a requirement: {str(error).splitlines()[0]}") from None
    if not all(re.fullmatch(_NAME, name, re.ASCII) for name in (requirement.name, *requirement.extras)):
        # ``packaging`` lets a name end with an underscore; the core metadata specification does not.
        raise NotLockableError("is not a requirement: a name begins and ends with a letter or a digit")
    if requirement.url:
        raise NotLockableError("names an address; only packages of an index can be locked by hash")
    clauses = sorted({str(clause) for clause in requirement.specifier})
    marker = str(requirement.marker) if requirement.marker else ""
    return _spelt(normalise(requirement.name), tuple(sorted({normalise(extra) for extra in requirement.extras})), ",".join(clauses), marker)


def _spelt(name: str, extras: tuple[str, ...], versions: str, marker: str) -> Read:
    listed = f"[{','.join(extras)}]" if extras else ""
    return Read(text=f"{name}{listed}{versions}" + (f"; {marker}" if marker else ""), name=name, extras=extras, marker=marker)


def with_marker(requirement: Read, marker: str) -> Read:
    """Return a requirement that holds under another marker."""
    bare = requirement.text.partition(" ; " if requirement.url else ";")[0]
    return parse_any(f"{bare} ; {marker}" if marker else bare)


def unlockable(text: str) -> str:
    """Say why something that pip installs has no hash of an index; "" where nothing stands against it at first sight."""
    if text.startswith("-"):
        return "is an option of pip; a requirement is a name with versions"
    if _VARIABLE.search(text):
        return "names a variable, so it would not be the same on every machine"
    if _VCS.match(text):
        return "is taken from a version control system; only packages of an index can be locked by hash"
    if re.match(r"(?i)(?:https?|file|ftp):", text):
        return "is an address; only packages of an index can be locked by hash"
    if text.startswith((".", "/", "~", "\\")) or re.match(r"[A-Za-z]:[\\/]", text) or ("@" not in text and _ARCHIVE.search(text)):
        return "is a local file or folder; only packages of an index can be locked by hash"
    return ""


def parse_any(text: str, folder: str = "") -> Read:
    """Read a requirement that may name an address of its own, or a file; raises ``NotLockableError`` for what cannot be locked.

    ``folder`` is that of the file it stands in, relative to the declaration's.
    """
    if is_beyond(text) or not is_direct(text) or _VARIABLE.search(text):
        return parse(text)
    try:
        direct = read_direct(text, folder)
        requirement = read_requirement(direct.requirement)
    except AddressError as error:
        raise NotLockableError(str(error)) from None
    except ValueError as error:
        raise NotLockableError(f"is not a requirement: {str(error).splitlines()[0]}") from None
    extras, marker = tuple(sorted({normalise(extra) for extra in requirement.extras})), str(requirement.marker or "")
    spelt = _spelt(normalise(requirement.name), extras, f" @ {requirement.url}", "")
    text = f"{spelt.text} ; {marker}" if marker else spelt.text
    return replace(spelt, text=text, marker=marker, url=str(requirement.url), hashes=(direct.sha256,) if direct.sha256 else ())


def fault(text: str) -> str:
    """Say what is wrong with a requirement that stands in a declaration, "" for nothing; an address is wrong."""
    return _fault(text, parse)


def fault_of_any(text: str) -> str:
    """Say what is wrong with a requirement that is locked, and may name an address; "" for nothing."""
    return _fault(text, parse_any)


def _fault(text: str, read: Callable[[str], Read]) -> str:
    try:
        read(text)
    except NotLockableError as error:
        return f"`{mask(text)}` {mask(str(error))}"
    return ""
