"""What a project says must work (``verify:``), as it is written: an item with a blank in it is a command, any other something to import."""

from __future__ import annotations

import shlex


def is_command(item: str) -> bool:
    """True for an item that is a command."""
    return len(item.split()) > 1


def fault(item: str) -> str:
    """Say what is wrong with an item, "" for nothing."""
    if is_command(item):
        try:
            shlex.split(item)
        except ValueError as error:
            return f"expected a command, found `{item}`: {error}"
        return ""
    return "" if all(part.isidentifier() for part in item.split(".")) else f"expected a module to import, or a command, found `{item}`"
