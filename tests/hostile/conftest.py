"""What hostile cases share: the command line's small catalogue."""

from __future__ import annotations

from tests.cli.conftest import inside, shared, tiny, tool, variables, work

__all__ = ["inside", "shared", "tiny", "tool", "variables", "work"]
