"""A cause as plain text for a terminal: everything that its page says, in the terminal's width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.causes.pages import Place
from provisioner.model import codec
from provisioner.model.cause import Cause, CauseList, Listed, ListedGroup, Measure, Order, Question, Sign, Where

SCHEMA = "tfsetup/cause/1"
LIST_SCHEMA = "tfsetup/causes/1"

MENDS = {
    "environment": "a change of the environment mends it",
    "machine": "no change of the environment mends it: the machine has to change, or the request",
    "user": "no change of the environment mends it: how it is started, or the user's own files and settings, has to change",
    "nothing": "nothing has to be repaired here",
}
# Narrower than this a text is no longer read; wider, the eye loses the line.
NARROWEST, WIDEST = 40, 100


def cause_document(cause: Cause) -> dict[str, Any]:
    """Return the document of ``explain CODE --json``: nothing was looked at, so it has no findings."""
    return {**codec.document(SCHEMA, cause), "findings": []}


def cause_text(cause: Cause, order: Order, *, place: Place, system: str = "", width: int = 80) -> str:
    """Return the text of a cause.

    ``place`` is filled into the commands. With ``system`` (``Linux``, ``macOS`` or ``Windows``) only what holds there is shown. ``width`` is
    the terminal's, in columns; commands and program output are never wrapped, so that they can be copied.
    """
    width = max(NARROWEST, min(width, WIDEST))
    parts = [
        "\n".join(_wrap(f"{cause.code}: {cause.title}", width)),
        *_paragraphs(cause.summary, width, indent=""),
        _section("What it looks like", (_sign(item, width) for item in cause.looks_like)),
        _section("Why", _paragraphs(cause.why, width)),
        _section("How to prove it", (_question(item, place, system, width) for item in cause.prove if _holds(item.on, system))),
        _section("How to mend it by hand", _measures(cause.by_hand, place, system, width)),
        _section("How to mend it with tfsetup", _measures(cause.with_tool, place, system, width)),
        _section("How to undo", _measures(cause.undo, place, system, width, numbered=False)),
        _section("Not to be confused with", ["\n".join(_entries(cause.not_this, width))]),
    ]
    roots = order.follows.get(cause.code, {})
    if roots:
        parts.append(_section("What it can follow from", ["\n".join(_entries(roots, width))]))
    parts.append("\n".join(_wrap(f"In short: {MENDS[cause.mends]}", width)))
    parts.append(_section("Sources", ["\n".join(line for item in cause.references for line in _wrap(item, width, "  ", "    "))]))
    return "\n\n".join(parts) + "\n"


def causes_document(causes: Mapping[str, Cause], order: Order) -> dict[str, Any]:
    """Return the document of ``explain --list --json``: the codes with their titles, in groups."""
    groups = (
        ListedGroup(title=group.title, causes=tuple(Listed(code=code, title=causes[code].title) for code in group.codes))
        for group in order.groups
    )
    return codec.document(LIST_SCHEMA, CauseList(groups=tuple(groups)))


def causes_text(causes: Mapping[str, Cause], order: Order) -> str:
    """Return the list of the causes by groups, each with its one line."""
    widest = max(map(len, causes))
    parts = ["\n".join([group.title, *(f"  {code:<{widest}}  {causes[code].title}" for code in group.codes)]) for group in order.groups]
    return "\n\n".join([*parts, "What one means, and what to do: tfsetup explain CODE"]) + "\n"


def _holds(on: Where, system: str) -> bool:
    return not on or not system or system in on.split(" and ")


def _section(title: str, parts: Iterable[str]) -> str:
    return f"{title.upper()}\n" + "\n\n".join(parts)


def _wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)


def _paragraphs(text: str, width: int, indent: str = "  ") -> list[str]:
    return ["\n".join(_wrap(paragraph, width, indent, indent)) for paragraph in text.split("\n") if paragraph.strip()]


def _sign(item: Sign, width: int) -> str:
    return "\n".join([*_wrap(f"{item.says}:", width, "  ", "  "), *(f"    {line}" for line in item.text.splitlines())])


def _commands(item: Question | Measure, place: Place) -> list[str]:
    return [f"    $ {place.fill(line, on=item.on)}" for line in item.run]


def _on(on: Where, system: str) -> str:
    """The word before what holds on one system only; needless where only one system is shown."""
    return f"{on}: " if on and not system else ""


def _question(item: Question, place: Place, system: str, width: int) -> str:
    return "\n".join([*_commands(item, place), *_wrap(f"{_on(item.on, system)}{item.means}", width, "  ", "  ")])


def _measures(items: Iterable[Measure], place: Place, system: str, width: int, *, numbered: bool = True) -> list[str]:
    """Things to do in their order; those that are not ``numbered`` are each for another case."""
    shown = [item for item in items if _holds(item.on, system)]
    texts = []
    for number, item in enumerate(shown, 1):
        mark = "  " if len(shown) == 1 else f"  {number}. " if numbered else "  - "
        words = f"{_on(item.on, system)}{item.do}"
        texts.append("\n".join([*_wrap(words, width, mark, " " * len(mark)), *_commands(item, place)]))
    return texts or ["  Nothing, on this system"]


def _entries(items: dict[str, str], width: int) -> list[str]:
    return [line for code, words in items.items() for line in _wrap(f"{code}: {words}", width, "  ", "    ")]
