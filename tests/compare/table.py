"""What was compared, as tables of docs/compare.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tests.compare.others import CHECKS, REPAIRS
from tests.faults.fault import HEALTHY

BEGIN, END = "<!-- written by make compare -->", "<!-- to here -->"


def written(page: str, results: Mapping[str, Any], known: int, today: dt.date) -> str:
    """Return the page with the tables between its two marks."""
    head, _, rest = page.partition(BEGIN)
    tail = rest.partition(END)[2]
    return f"{head}{BEGIN}\n\n{tables(results, known, today)}\n\n{END}{tail}"


def tables(results: Mapping[str, Any], known: int, today: dt.date) -> str:
    """Return both tables: who sees and names what, and whose repair holds."""
    broken = {name: item for name, item in results.items() if item["cause"] != HEALTHY}
    healthy = {name: item for name, item in results.items() if item["cause"] == HEALTHY}
    lines = [
        f"{today.isoformat()}: {len(broken)} faults and {len(healthy)} healthy, of the {known} environments that can be compared.",
        "",
        "| | runs on | says that something is wrong | its first complaint names what was broken | false alarms |",
        "|---|---|---|---|---|",
    ]
    for name in CHECKS:
        able = [item["checks"][name] for item in broken.values() if item["checks"][name]["able"]]
        well = [item["checks"][name] for item in healthy.values() if item["checks"][name]["able"]]
        seen, told, false = (sum(item[key] for item in group) for key, group in (("complains", able), ("names", able), ("complains", well)))
        lines.append(f"| `{name}` | {len(able)} of {len(broken)} | {seen} | {told} | {false} of {len(well)} |")
    mended = {name: item["repairs"] for name, item in broken.items() if item.get("repairs")}
    if not mended:
        return "\n".join([*lines, "", "No repairs were compared yet."])
    lines += [
        "",
        f"Repairs of {len(mended)} of these faults ({', '.join(sorted(mended))}):",
        "",
        "| | TensorFlow computes afterwards | and every file and requirement is met |",
        "|---|---|---|",
    ]
    for name in REPAIRS:
        done = [item[name] for item in mended.values()]
        lines.append(
            f"| `{name}` | {sum(item['computes'] for item in done)} | {sum(item['computes'] and not item['left'] for item in done)} |"
        )
    return "\n".join(lines)
