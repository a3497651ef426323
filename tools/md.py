"""Tables and code in Markdown, as the written documents have them."""

from __future__ import annotations

from collections.abc import Sequence


def head(names: Sequence[str]) -> list[str]:
    """Return the first two lines of a table."""
    return [row(names), "|" + "---|" * len(names)]


def row(fields: Sequence[str]) -> str:
    """Return a line of a table; an empty field is one blank."""
    return ("| " + " | ".join(field.replace("|", "\\|") for field in fields) + " |").replace("|  |", "| |").replace("|  |", "| |")


def code(text: str) -> str:
    """Return text that may stand between backticks."""
    return text.replace("`", "'")
