"""Files that are handed out as they stand here: activation scripts, what shows XLA its tools, and what shells complete commands with.

``text`` reads one; none of them is imported by the tool.
"""

from __future__ import annotations

import os


def text(name: str) -> str:
    """Return the content of one of these files."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), encoding="utf-8") as file:
        return file.read()
