"""Lines for a terminal of some width: broken between words, never within a command that is to be typed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

# What a terminal has at least; plans are laid out for it.
COLUMNS = 80
# In place of a space at which no line is broken.
_HELD = "\0"
# A command that is copied as it stands: of a shell, or ours after its label.
_COMMAND = re.compile(r"\s*(?:\$ |[A-Z][\w ]*: (?:[^\s`]+ -m )?[^\s`]*tfsetup [a-z]|hint: (?:[^\s`]+ -m )?[^\s`]*tfsetup [a-z])")
# A label and its column, as in a table: what follows is broken below itself.
_LABEL = re.compile(r" *\S(?:\S| \S){0,22} {2,}(?=\S)")


def wrapped(lines: Iterable[str], columns: int = COLUMNS) -> list[str]:
    """Break lines as a terminal of so many columns would, but between words, each part further in than the first."""
    found: list[str] = []
    for line in lines:
        if len(line) < columns or _COMMAND.match(line) or any(len(word) > columns // 2 for word in line.split()):
            # A path as long as a row is broken by the terminal, and no word alone stands before it.
            found.append(line)
            continue
        label = _LABEL.match(line)
        inner = len(label[0]) if label else len(line) - len(line.lstrip()) + 2
        # A command stays on one line, so that it can be typed as it is printed; what lays a line out stays as it is.
        held = re.sub(r"`[^`]*`", lambda command: command[0].replace(" ", _HELD), line)
        parts = textwrap.wrap(held, columns - 1, subsequent_indent=" " * inner, break_long_words=False, break_on_hyphens=False)
        found += [part.replace(_HELD, " ") for part in parts] or [""]
    return found
