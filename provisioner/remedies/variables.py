"""Lines of a shell that set a variable or take it away, in the shell of the system that they are for.

Windows' lines are cmd's; ``base.called`` shows them as PowerShell's to a person who works in that.
"""

from __future__ import annotations


def assigned(name: str, value: str, *, windows: bool) -> str:
    """Return the line that sets a variable for this shell and what it starts."""
    return f"set {name}={value}" if windows else f"export {name}={value}"


def unset(name: str, *, windows: bool) -> str:
    """Return the line that takes a variable away (cmd: by setting it to nothing)."""
    return f"set {name}=" if windows else f"unset {name}"
