"""Scripts that run inside other interpreters: standard library only, read by Python 3.6, imported by nobody. ``script`` says where one lies.

Their names begin with an underscore: a script's own folder stands first on its module path, where ``inspect.py`` would hide the real one.
"""

from __future__ import annotations

import os


def script(name: str) -> str:
    """Return the absolute path of one of these scripts."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), name).replace(os.sep, "/")
