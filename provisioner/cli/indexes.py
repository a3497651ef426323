"""The question on an index that only a list names: which packages come from there."""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches

from provisioner.base.names import normalise
from provisioner.base.text import mask, shown
from provisioner.choose.obstacles import listed
from provisioner.cli.output import say
from provisioner.declared.elsewhere import Answer, Elsewhere
from provisioner.errors import DeclinedError
from provisioner.model.team import Index

# Slips of the one who types.
TRIES = 3
# `our` for `ours`, and not `torch` for `torchvision`.
SLIP = 0.8
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NO = frozenset({"n", "no", "none", "-"})


def asking(*, agreed: bool) -> Answer | None:
    """Return what asks at the terminal; None where there is none, or where nobody wants to be asked anything (--yes)."""
    return None if agreed or not (sys.stdin.isatty() and sys.stderr.isatty()) else _packages


def _packages(item: Elsewhere, index: Index) -> tuple[str, ...] | None:
    """Return the packages (normalised) that come from an index, () for all of them, and None where nobody says so."""
    where = mask(index.url)
    say(f"{item.place}: `{item.line}`")
    if item.every:
        from provisioner.cli.consent import ask  # noqa: PLC0415 - brings what takes changes back, which a lock does without

        try:
            ask(f"Do all packages come from {where}?", agreed=False)
        except DeclinedError:
            return None
        return ()
    told = ""
    for _ in range(TRIES):
        typed = _typed(f"Which packages come from {where}, and from nowhere else? [{', '.join(index.packages) or 'none'}] ")
        names = tuple(dict.fromkeys(filter(None, re.split(r"[\s,;]+", typed or ""))))
        if typed is None or (len(names) == 1 and names[0].lower() in _NO):
            return None
        if not names:
            return index.packages or None
        wrong = _fault(names, item)
        # Who types a name again means it: what a package needs is in no list.
        if not wrong or (wrong == told and all(map(_NAME.fullmatch, names))):
            return tuple(sorted(map(normalise, names)))
        say(wrong)
        told = wrong
    return None


def _typed(question: str) -> str | None:
    """Return the line that a person types, None where the terminal ends."""
    sys.stderr.write(shown(question))
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        # Ctrl-D leaves the cursor behind the question.
        sys.stderr.write("\n")
        return None
    return answer.strip()


def _fault(names: tuple[str, ...], item: Elsewhere) -> str:
    """Say what is no name of a package, or looks like a slip in one of the lists' own."""
    strange = [name for name in names if not _NAME.fullmatch(name)]
    if strange:
        return f"{listed([f'`{name}`' for name in strange])}: no name of a package; write names with commas between them, or `none`"
    slips = {name: get_close_matches(normalise(name), item.names, n=1, cutoff=SLIP) for name in names if normalise(name) not in item.names}
    return "; ".join(f"no list asks for {name}: did you mean {close[0]}?" for name, close in slips.items() if close)
