"""Requirements files as pip reads them (pip, "Requirements File Format"), as far as what they say can be locked by hash.

Lines are joined at a backslash before comments are taken off, as in pip's ``req_file.py``. ``-r`` and ``-c`` are relative to the file they stand
in. Quotes around a line are taken off, which pip does not: there is only one thing that such a line can mean. Options that would change how a lock
is made are faults, each with its way on.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from provisioner.base.paths import is_for_everybody
from provisioner.base.text import mask
from provisioner.declared.elsewhere import LINKS, Indexes, is_index_page
from provisioner.declared.find import read_limited
from provisioner.declared.links import read_line, read_link, read_page
from provisioner.declared.local import Local, is_local, read_local
from provisioner.declared.requirement import NotLockableError, Read
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.model.record import record

_OPTION = re.compile(r"(--?[A-Za-z][A-Za-z-]*)(?:\s*=\s*|\s+|$)(.*)", re.DOTALL)
# Short options take their value without a blank, too: `-rbase.in`.
_SHORT = re.compile(r"(-[rcefi])(?:\s*=?\s*)(.*)", re.DOTALL)
_LONG = {"-r": "--requirement", "-c": "--constraint", "-e": "--editable", "-i": "--index-url", "-f": "--find-links"}
_INDEXES = ("--index-url", "--extra-index-url", "--pypi-url", LINKS)
# They ask for what a lock does anyway (wheels, by hash), or are about the installer that reads them: whom it trusts, a person's settings say.
_HARMLESS = frozenset({"--require-hashes", "--prefer-binary", "--only-binary", "--trusted-host", "--use-feature"})
# After so many, what is given is no requirements file, and nobody reads more.
FAULTS = 100
_HASH = re.compile(r"\s--hash(?:\s*=\s*|\s+)(\S+)")
_QUOTED = re.compile(r"""(["'])([^"']*)\1,?|(["'])(.*)\3,?""", re.DOTALL)


@record
class Line:
    """A requirement of a file, with its place."""

    place: str
    requirement: Read


@record
class ReadFile:
    """One file: its requirements (or limits, in a constraints file), and what else counts in it for a digest. ``name`` is relative."""

    name: str
    constraint: bool
    lines: tuple[Line, ...]
    others: tuple[str, ...]
    projects: tuple[Local, ...] = ()


@dataclasses.dataclass
class _Found:
    """What was found in one file so far."""

    constraint: bool
    lines: list[Line] = dataclasses.field(default_factory=list)
    others: list[str] = dataclasses.field(default_factory=list)
    projects: list[Local] = dataclasses.field(default_factory=list)


def read_files(reader: Reader, folder: str, names: Sequence[str], indexes: Indexes, faults: list[str]) -> tuple[ReadFile, ...]:
    """Read files (named relative to ``folder``, which is absolute) with all that they include, each once, in the order of their names.

    Every fault goes to ``faults`` as ``requirements.in:12: …``; indexes that the declaration does not name are noted in ``indexes``.
    """
    walk = _Walk(reader, folder, indexes, faults)
    for name in names:
        walk.visit(name, constraint=False, chain=(), origin="")
    return tuple(found for _, found in sorted(walk.found.items()))


class _Walk:
    """The files that were read so far, by name and by whether they are constraints."""

    def __init__(self, reader: Reader, folder: str, indexes: Indexes, faults: list[str]) -> None:
        self.reader = reader
        self.folder = folder
        self.indexes = indexes
        self.faults = faults
        self.found: dict[tuple[str, bool], ReadFile] = {}

    def visit(self, name: str, *, constraint: bool, chain: tuple[str, ...], origin: str) -> None:
        """Read a file and what it includes; ``origin`` is the line that names it, with a colon, "" for the declaration."""
        if name in chain:
            self.faults.append(f"{origin}{name} includes itself ({' -> '.join((*chain, name))})")
            return
        if (name, constraint) in self.found:
            return
        path = posixpath.join(self.folder, name)
        try:
            text = read_limited(self.reader, path)
            text.encode()
        except InputError as error:
            self.faults.append(f"{origin}{name}: {error.message}")
            return
        except UnicodeEncodeError as error:
            self.faults.append(f"{name}:{text.count(chr(10), 0, error.start) + 1}: is not UTF-8")
            return
        self.found[name, constraint] = ReadFile(name=name, constraint=constraint, lines=(), others=())
        found = _Found(constraint=constraint)
        for number, line in logical_lines(text):
            if len(self.faults) >= FAULTS:
                self.faults.append(f"{name}:{number}: what follows was not read")
                break
            place = f"{name}:{number}"
            if line.startswith("-"):
                self._option(line, place, name, chain=(*chain, name), found=found)
            else:
                self._requirement(line, place, found)
        self.found[name, constraint] = ReadFile(
            name=name, constraint=constraint, lines=tuple(found.lines), others=tuple(found.others), projects=tuple(found.projects)
        )

    def _requirement(self, line: str, place: str, found: _Found) -> None:
        constraint = found.constraint
        bare, hashes = _unquoted(_HASH.sub("", line).strip()), _HASH.findall(line)
        if not constraint and any(not re.fullmatch(r"sha256:[0-9a-f]{64}", item) for item in hashes):
            self.faults.append(f"{place}: `{_short(bare)}` has a hash that is no SHA-256, which is what files are held against")
            return
        if re.search(r"\s--?[A-Za-z]", bare):
            self.faults.append(f"{place}: `{_short(bare)}` has an option, which a lock cannot hold")
            return
        if is_local(bare):
            self._local(bare, place, found.projects, editable=False)
            return
        try:
            requirement = read_line(self.reader, self.folder, place.rpartition(":")[0], bare)
        except NotLockableError as error:
            self.faults.append(f"{place}: `{_short(bare)}` {mask(str(error))}")
            return
        if constraint and requirement.url:
            self.faults.append(
                f"{place}: `{_short(bare)}` names an address; as a limit it has none but a version: move it to the requirements"
            )
            return
        if hashes and not constraint:
            given = tuple(sorted({item.removeprefix("sha256:") for item in hashes} | set(requirement.hashes)))
            requirement = replace(requirement, hashes=given)
        if constraint and requirement.extras:
            # pip, "Constraints Files": extras are not allowed there.
            self.faults.append(f"{place}: `{_short(bare)}` names extras, which no constraint may")
            return
        found.lines.append(Line(place=place, requirement=requirement))

    def _local(self, text: str, place: str, locals_: list[Local], *, editable: bool) -> None:
        try:
            locals_.append(read_local(text, place, posixpath.dirname(place.rpartition(":")[0]), editable=editable))
        except NotLockableError as error:
            self.faults.append(f"{place}: `{_short(text)}` {mask(str(error))}")

    def _link(self, line: str, value: str, place: str, found: _Found) -> None:
        try:
            found.others.append(take_link(self.reader, self.folder, value, place, self.indexes, name=place.rpartition(":")[0]))
        except NotLockableError as error:
            self.faults.append(f"{place}: `{_short(line)}` {mask(str(error))}")

    def _option(self, line: str, place: str, name: str, *, chain: tuple[str, ...], found: _Found) -> None:
        option, value = _split(line)
        if option in {"--requirement", "--constraint"}:
            why = _include_fault(value)
            if why:
                self.faults.append(f"{place}: `{_short(line)}` {why}")
                return
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(name), value))
            found.others.append(f"{option} {inner}")
            self.visit(inner, constraint=found.constraint or option == "--constraint", chain=chain, origin=f"{place}: ")
        elif link := link_in(line):
            self._link(line, link, place, found)
        elif take_index(line, place, self.indexes):
            return
        elif option == "--editable" and not found.constraint:
            bare = _unquoted(value)
            self._local(bare, place, found.projects, editable=True) if is_local(bare) else self._requirement(bare, place, found)
        elif option == "--editable":
            self.faults.append(f"{place}: `{_short(line)}` is editable, which no limit may be")
        elif option == "--no-index":
            why = "leaves no index that the known-good set could come from; take it out: what is in a folder of --find-links is found all the same"
            self.faults.append(f"{place}: `{_short(line)}` {why}")
        elif option not in _HARMLESS:
            self.faults.append(f"{place}: `{_short(line)}` is an option that a lock does not take over; remove it")


def take_index(line: str, place: str, indexes: Indexes) -> bool:
    """Note what a line says of indexes; false where it says nothing of them."""
    option, value = _split(line)
    if option in _INDEXES:
        indexes.take(place, _short(line), option, value)
    return option in _INDEXES


def link_in(line: str) -> str:
    """Return the folder or page of a ``--find-links``, "" for any other line; a page that stands for an index is none."""
    option, value = _split(line.strip()) if line.lstrip().startswith("-") else ("", "")
    return value if option == LINKS and not is_index_page(value) else ""


def take_link(reader: Reader, folder: str, link: str, place: str, indexes: Indexes, *, name: str = "") -> str:
    """Note what ``link_in`` gave, and return it in its one spelling; ``name`` is the list, "" for the declaration in ``folder`` (absolute).

    Raises ``NotLockableError`` for what cannot be taken over.
    """
    if "://" in link:
        found = read_page(link)
        indexes.pages.setdefault(found, place)
    else:
        found = read_link(reader, folder, name, link)
        indexes.folders.append(found)
    return f"{LINKS} {found}"


def _unquoted(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    return (quoted[2] if quoted[1] else quoted[4]).strip() if quoted else text


def _split(line: str) -> tuple[str, str]:
    """Part a line into its option, by its long name, and the value."""
    short = _SHORT.fullmatch(line) if not line.startswith("--") else None
    if short:
        return _LONG[short[1]], short[2].strip().strip("'\"")
    found = _OPTION.fullmatch(line)
    return (found[1], found[2].strip().strip("'\"")) if found else (line, "")


def _include_fault(value: str) -> str:
    if not value:
        return "names no file"
    if "://" in value or value.lower().startswith("file:"):
        return "names an address, and nothing is fetched from there; keep the file beside this one"
    if not is_for_everybody(value) or "${" in value:
        return "must name a file relative to this one, with `/` between folders, to be the same for everybody"
    return ""


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, with the number of their first line: joined at backslashes, without comments."""
    started = 0
    parts: list[str] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        if not raw and not parts:
            continue
        comment = raw.lstrip().startswith("#")
        started = started if parts else number
        if raw.endswith("\\") and not comment:
            parts.append(raw.strip("\\"))
            continue
        # A comment ends a continued line; the blank keeps it apart from what it follows.
        parts.append(f" {raw}" if comment else raw)
        yield from _said(started, "".join(parts))
        parts = []
    if parts:
        yield from _said(started, "".join(parts))


def _said(number: int, line: str) -> Iterator[tuple[int, str]]:
    # A comment begins at the start or after a blank; `#` in an address does not begin one.
    end = next((found.start() for found in re.finditer("#", line) if found.start() == 0 or line[found.start() - 1].isspace()), len(line))
    bare = line[:end].strip()
    if bare:
        yield number, bare


def _short(line: str) -> str:
    text = mask(" ".join(line.split()))
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - the width of a line
