"""Indexes that a list names beside the one that everything comes from: what the declaration names of them, and would have to say of the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from provisioner.base.text import mask
from provisioner.choose.obstacles import listed
from provisioner.declared.proposal import Proposal
from provisioner.declared.requirement import Read
from provisioner.engines.index import is_built_in
from provisioner.errors import InputError
from provisioner.model.record import record
from provisioner.model.team import Index

# What PyTorch's own index serves (PyTorch's documentation, "Start Locally"); its pages of links are older forms of the same index.
_TORCH_HOST = "download.pytorch.org"
_TORCH = ("torch", "torchaudio", "torchvision")
_TORCH_LINKS = re.compile(r"(/whl(?:/nightly)?)(/[a-z0-9.]+)?/torch[a-z_]*\.html")
_TORCH_BUILD = re.compile(r"\+(cpu|cu\d{2,3}|rocm[\d.]*\d)(?![\w.])")
LINKS, ALL, BESIDE = "--find-links", "--index-url", "--extra-index-url"
_VARIABLES = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}(?::\$\{[A-Za-z_][A-Za-z0-9_]*\})?")


@record
class Elsewhere:
    """An index that a line of a list names and the declaration does not; ``place`` and ``line`` say where, without secrets.

    ``index`` is what the declaration may say of it, None where nothing does. Without ``packages`` somebody has to say which come from there, but
    where the list takes all from it (``every``). ``said``: the list itself says which packages. ``names`` are the packages of the lists.
    """

    place: str
    line: str
    index: Index | None
    every: bool = False
    links: bool = False
    said: bool = False
    names: tuple[str, ...] = ()

    @property
    def proposed(self) -> bool:
        """True where it is known what the declaration may say."""
        return self.index is not None and (self.every or bool(self.index.packages))

    @property
    def words(self) -> str:
        """The fault: what is there, and what to write."""
        return f"{self.place}: `{self.line}` {self._why()}"

    def _why(self) -> str:
        if self.index is None and self.links:
            return "names links that are no index: write the packages that come from there as `NAME @ ADDRESS-OF-THE-FILE`, and take this line out"
        if self.index is None:
            return "names an index that a lock cannot hold: name its address in the declaration, under `indexes:`, and take this line out"
        name = f", name: {self.index.name}" if self.index.name else ""
        if self.every:
            return f"names an index: write `indexes: [{{url: '{self.index.url}'{name}}}]` in the declaration"
        way = f"indexes: [{{url: '{self.index.url}'{name}, packages: [{', '.join(self.index.packages) or 'NAME'}]}}]"
        if self.links:
            return f"is a page of links; PyTorch has an index (for CUDA 12.1 /whl/cu121): write `{way}` in the declaration"
        which = "" if self.index.packages else " with the packages that come from there,"
        return f"names a second index; so that no stranger's package takes a name, write `{way}`{which} in the declaration"


@record
class _Line:
    """What a list says of an index: ``option`` as pip's options have it, ``packages`` as far as the list says which come from there."""

    place: str
    line: str
    option: str
    url: str
    packages: tuple[str, ...] = ()


class IndexesError(InputError):
    """Lists that name indexes of which the declaration says nothing (code 2), and nothing else is wrong."""

    def __init__(self, asked: Sequence[Elsewhere], place: str) -> None:
        """Keep what was asked for, with what would do where that is known."""
        self.asked = tuple(asked)
        self.why = f"{listed(list(dict.fromkeys(item.place for item in asked)))} names it"
        self.proposal = Proposal(indexes=together(item.index for item in asked if item.index is not None and item.proposed))
        hint = ""
        if not self.proposal.empty:
            what = "that" if all(item.proposed for item in asked) else f"what is known of {listed([x.url for x in self.proposal.indexes])}"
            hint = f"`tfsetup lock --accept` writes {what} into tfsetup.yaml; the lists stay as they are"
        super().__init__("what is to be locked holds faults", place=place, hint=hint, faults=tuple(item.words for item in asked))


@dataclass
class Indexes:
    """The indexes that a declaration ``named``, and those beside them that are found in its lists, one after another.

    ``folders`` are those of ``--find-links``, relative to the declaration's; ``pages`` the addresses of its pages, with the places that name them.
    """

    named: tuple[Index, ...] = ()
    found: list[_Line] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)

    def take(self, place: str, line: str, option: str, url: str, packages: tuple[str, ...] = ()) -> None:
        """Note a line of a list, with the packages that it says come from there; one that says what is so anyway is passed over."""
        if not (_is_covered(url, self.named) or (option != LINKS and is_built_in(url))):
            self.found.append(_Line(place=place, line=line, option=option, url=url, packages=packages))

    def unnamed(self, wanted: Iterable[Read]) -> tuple[Elsewhere, ...]:
        """Return what nothing is declared of, beside the requirements of all lists."""
        wanted = tuple(wanted)
        taken = {name for index in self.named for name in index.packages}
        default = any(not index.packages for index in self.named)
        asked: list[Elsewhere] = []
        for line in self.found:
            asked.append(_elsewhere(line, wanted, taken, default=default))
            default = default or asked[-1].every
        return tuple(asked)


Answer = Callable[[Elsewhere, Index], tuple[str, ...] | None]


def answered(asked: Iterable[Elsewhere], answer: Answer) -> tuple[Index, ...]:
    """Return what a person says of the indexes, each address asked about once: the packages that come from it, None for no answer."""
    found: list[Index] = []
    for item in {item.index.url: item for item in asked if item.index is not None}.values():
        if item.index is not None and not _is_covered(item.index.url, found):
            packages = answer(item, item.index)
            found += [replace(item.index, packages=packages)] if packages is not None else []
    return together(found)


def unanswered(asked: Iterable[Elsewhere], indexes: Sequence[Index]) -> tuple[Elsewhere, ...]:
    """Return what is still to be said beside what is declared of ``indexes``."""
    return tuple(item for item in asked if item.index is None or not _is_covered(item.index.url, indexes))


def together(indexes: Iterable[Index]) -> tuple[Index, ...]:
    """Return the indexes, each address once, with all the packages that come from it, and each package from the first that it is said of."""
    found: dict[str, Index] = {}
    taken: set[str] = set()
    for index in indexes:
        own = tuple(name for name in index.packages if name not in taken)
        before = found.get(index.url)
        if own or not index.packages:
            found[index.url] = replace(index, packages=tuple(sorted({*(before.packages if before else ()), *own})))
        taken |= set(own)
    return tuple(found.values())


def _elsewhere(line: _Line, wanted: Sequence[Read], taken: set[str], *, default: bool) -> Elsewhere:
    """Say of one address what a declaration may say of it."""
    links = line.option == LINKS
    torch = _host(line.url) == _TORCH_HOST
    every = line.option != BESIDE and not links and not torch
    names = {item.name for item in wanted}
    index = _writable(_of_links(line.url, wanted) if links else line.url)
    # What is built on torch needs the build of it that is there.
    known = tuple(name for name in _TORCH if name in names or name == _TORCH[0]) if torch else ()
    if index is not None and not every:
        index = replace(index, packages=tuple(name for name in line.packages or known if name not in taken))
    return Elsewhere(
        place=line.place,
        line=line.line,
        index=None if every and default else index,
        every=every,
        links=links,
        said=bool(line.packages),
        names=tuple(sorted(names - taken)),
    )


def _of_links(url: str, wanted: Sequence[Read]) -> str:
    """Return the index that serves what a page of links of PyTorch's links to: of the build that it, or the list, names; "" for other pages."""
    page = _TORCH_LINKS.fullmatch(urlsplit(url).path) if _host(url) == _TORCH_HOST else None
    if page is None:
        return ""
    builds = [found[1] for item in wanted if item.name in _TORCH and (found := _TORCH_BUILD.search(item.text))]
    return f"https://{_TORCH_HOST}{page[1]}{page[2] or '/' + (builds or ['cpu'])[0]}"


def _writable(url: str) -> Index | None:
    """Return an address as a declaration may hold it: without a login, for which variables stand; None where that cannot be."""
    found = re.fullmatch(r"(https?|file)://(?:([^/?#@\s]*)@)?([^/?#@\s'\"`{}]*)(/[^\s'\"`{}]*)?", url)
    if found is None or (found[1] != "file" and not found[3]):
        return None
    scheme, login, host, path = found.groups()
    bare = f"{scheme}://{host}{path or ''}"
    if mask(bare) != bare:
        return None
    if login is None or _VARIABLES.fullmatch(login):
        return Index(url=url)
    name = re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-")
    stem = f"TFSETUP_INDEX_{name.upper().replace('-', '_')}"
    password = f":${{{stem}_PASSWORD}}" if ":" in login else ""
    return Index(url=f"{scheme}://${{{stem}_USERNAME}}{password}@{host}{path or ''}", name=name)


def _is_covered(url: str, indexes: Iterable[Index]) -> bool:
    """True for an address that is declared, whoever logs in there; of PyTorch's builds whichever is declared counts."""
    torch = _host(url) == _TORCH_HOST
    return any(_bare(url) == _bare(index.url) or (torch and index.packages and _host(index.url) == _TORCH_HOST) for index in indexes)


def _bare(url: str) -> str:
    scheme, mark, rest = url.strip().partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2].lower()}{slash}{path}".rstrip("/")


def is_index_page(url: str) -> bool:
    """True for a page of links that stands for an index: PyTorch's."""
    return _host(url) == _TORCH_HOST


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
