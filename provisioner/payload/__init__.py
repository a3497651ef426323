"""Files that are handed out as they stand here: activation scripts, what shows XLA its tools, and what shells read.

``text`` reads one; none of them is imported by the tool.
"""

from __future__ import annotations

import os


def text(name: str) -> str:
    """Return the content of one of these files."""
    with open(path(name), encoding="utf-8") as file:
        return file.read()


def path(name: str) -> str:
    """Return where one of these files lies (absolute)."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), name).replace(os.sep, "/")
