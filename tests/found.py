"""What the long runs found (faults, agreement, projects, neighbours, compare): kept in the repository, adding up from one session to the next.

A file holds one line for each thing that was tried: the day, what became of it, and in ``faults`` what was not as it should be, in words.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

# What is as long as the run itself, and told on the screen.
_LONG = frozenset({"said", "shown", "findings", "severities", "seconds"})


class Found:
    """The results in one file, by name. Each is written when it is known: a run that is stopped goes on where it was, and two may go side by side."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, dict[str, Any]] = self._read()

    def _read(self) -> dict[str, dict[str, Any]]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def wants(self, name: str, since: str = "") -> bool:
        """True for what was not tried, not on that day (YYYY-MM-DD) or after it, or was not as it should be."""
        found = self.known.get(name)
        return found is None or bool(found["faults"]) or str(found.get("date", "")) < since

    def keep(self, name: str, found: dict[str, Any]) -> None:
        """Write one down, without its long parts where it is good; what another run has kept meanwhile stays."""
        long = frozenset() if found["faults"] else _LONG
        short = {key: value for key, value in found.items() if key == "faults" or (value not in ("", [], {}, None) and key not in long)}
        self.known = {**self._read(), name: {"date": dt.datetime.now(dt.UTC).date().isoformat(), **short}}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{json.dumps(key)}: {json.dumps(value, sort_keys=True)}" for key, value in sorted(self.known.items())]
        self.path.write_text("{\n" + ",\n".join(lines) + "\n}\n")

    @property
    def counted(self) -> str:
        """How many are good, in words."""
        return f"{sum(not found['faults'] for found in self.known.values())} of {len(self.known)} as they should be"
