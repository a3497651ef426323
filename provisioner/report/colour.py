"""Colour for what a person should see first: severities, marks and changes. Each stands on a word that says the same."""

from __future__ import annotations

import re

# Of the eight colours that every terminal has, those that can be read on light and on dark (yellow and white cannot on light, blue not on dark).
RED, GREEN, MAGENTA, CYAN, BOLD = "31", "32", "35", "36", "1"
_RULES = tuple(
    (re.compile(pattern, re.MULTILINE), colour)
    for pattern, colour in (
        (r"^(?:error:|in the way:|ERROR(?= )|Result: failed|x (?:failed|crashed|timed out))", RED),
        (r"(?<= )BREAKS(?=:)|^  (?:damaged|interrupted)(?=:)", RED),
        (r"^ *(?:warning:|WARNING(?= ))|^  changed since(?=:)|^\? could not tell|^- not proven", MAGENTA),
        (r"^(?:Verified|Done|Mended)(?=:)|^Result: nothing is wrong|^\+ passed|^  verified(?=:)", GREEN),
        (r"^(?:hint:|Next:|Mend it:|Take it back:|To take it back:|Use it:|To do it:|Add packages around it:)", CYAN),
        (r"^TensorFlow \S+ (?:-> \S+ )?\(\w+\)(?=:)", BOLD),
        (r"(?<= -> )[^\s,]+(?: \d[^\s,]*)?", GREEN),
    )
)


def coloured(text: str) -> str:
    """Return text for a terminal with its colours; without them it says the same."""
    for pattern, colour in _RULES:
        text = pattern.sub(lambda found, colour=colour: f"\x1b[{colour}m{found[0]}\x1b[0m", text)  # type: ignore[misc]
    return text
