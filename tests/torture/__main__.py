"""``python -m tests.torture``: strikes drawn by chance from a seed, then the other tortures; ``--table`` writes the results as a table."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from tests.torture import at_once, indexes, powercut, since
from tests.torture.run import BY_NAME, Result, Torture
from tests.torture.scenarios import SCENARIOS
from tests.torture.strikes import SIGNALS, parse
from tests.torture.world import build

CUTS = ("change", "new", "upgrade", "undo")


def main() -> int:
    """Run; return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/tmp/tfsetup-torture"), help="where wheels, bases and places are kept")
    parser.add_argument("--kills", type=int, default=0, help="how many kills")
    parser.add_argument("--faults", type=int, default=0, help="how many injected faults")
    parser.add_argument("--cuts", type=int, default=0, help="how many power cuts")
    parser.add_argument("--others", action="store_true", help="bad indexes, several at once, and pip between apply and undo")
    parser.add_argument("--scenarios", default="", help="only these, separated by commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", action="append", default=[], metavar="STRIKE", help="exactly this one, as it is in the results")
    parser.add_argument("--results", type=Path, help="a file to which each result is added as a line of JSON")
    parser.add_argument("--table", type=Path, nargs="+", metavar="RESULTS", help="only print the table of these files of results")
    options = parser.parse_args()
    if options.table:
        print(table(options.table))
        return 0
    broken = 0
    for kind, name, result, seconds in everything(options):
        broken += bool(result.faults)
        if options.results:
            line = {"kind": kind, "name": name, "outcome": result.outcome, "faults": result.faults, "seconds": round(seconds, 2)}
            with options.results.open("a") as stream:
                stream.write(json.dumps({**line, "story": result.story if result.faults else ""}) + "\n")
        if result.faults:
            print(f"{name}: BROKEN ({result.outcome})", *result.faults, sep="\n    ", flush=True)
        if options.one:
            print(f"{name}: {result.outcome}\n{result.story}")
    print(f"{broken} broken")
    return int(broken > 0)


def everything(options: argparse.Namespace) -> Iterator[tuple[str, str, Result, float]]:
    """Give each torture that was asked for: its kind, its name, the verdict, the seconds that it took."""
    torture = Torture(build(options.root), random.Random(options.seed))
    scenarios = [item for item in SCENARIOS if not options.scenarios or item.name in options.scenarios.split(",")]
    strikes = [parse(line) for line in options.one] or torture.draw(scenarios, options.kills, options.faults)
    begun = time.monotonic()
    for strike in strikes:
        result = torture.strike(strike)
        yield ("kill" if strike.what in SIGNALS else "fault"), str(strike), result, time.monotonic() - begun
        begun = time.monotonic()
    rest = [*_cuts(torture, options.cuts), *(_others(torture) if options.others else [])]
    for kind, name, call in rest:
        begun = time.monotonic()
        yield kind, name, call(), time.monotonic() - begun


def _cuts(torture: Torture, count: int):  # a list of (kind, name, what gives the verdict)
    if count and (why := powercut.possible()):
        print(f"no power cuts: {why}")
        return
    for number in range(count):
        name, option = CUTS[number % len(CUTS)], powercut.OPTIONS[number // len(CUTS) % 2]
        torture.learn(BY_NAME[name])
        calls = len(torture.calls[name])
        # The first round of each is right behind the end, and the others are at any call.
        cut = powercut.Cut(name, torture.chance.randint(1, calls) if number >= 2 * len(CUTS) else None, option)
        yield "power cut", str(cut), lambda cut=cut: powercut.cut(torture, cut)


def _others(torture: Torture):  # as ``_cuts``
    for name in ("new", "upgrade"):
        for kind in indexes.KINDS:
            yield "index", f"{name}:{kind}", lambda name=name, kind=kind: indexes.bad_index(torture, name, kind)
    for name, count, killed in at_once.CASES:
        torture.learn(BY_NAME[name])
        at = torture.chance.randint(1, len(torture.calls[name]))
        words = f"{name}:{count} at once{f', one killed at {at}' if killed else ''}"
        yield (
            "at once",
            words,
            lambda name=name, count=count, killed=killed, at=at: at_once.at_once(torture, name, count, killed=killed, at=at),
        )
    for base in since.BASES:
        for action in since.ACTIONS:
            for way in since.WAYS:
                yield (
                    "pip since",
                    f"{base}:{action}:{way[0] if way else 'undo'}",
                    lambda base=base, action=action, way=way: since.since(torture, base, action, way),
                )


def table(files: list[Path]) -> str:
    """Return the results as Markdown: of each kind how many there were, and how they ended."""
    results = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    outcomes: dict[str, Counter[str]] = {}
    for item in results:
        outcomes.setdefault(_row(item), Counter())["broken" if item["faults"] else _column(item["outcome"])] += 1
    columns = ("old exactly", "new exactly", "named, one command brought old or new", "broken")
    lines = [f"| {datetime.now(timezone.utc).date().isoformat()} | runs | {' | '.join(columns)} |", f"|---|{'---|' * (len(columns) + 1)}"]
    for row, counts in sorted(outcomes.items()):
        lines.append(f"| {row} | {counts.total()} | {' | '.join(str(counts[column]) for column in columns)} |")
    return "\n".join(lines)


def _row(item: dict[str, str]) -> str:
    if item["kind"] not in {"kill", "fault"}:
        return item["kind"]
    return f"{item['kind']}: {item['name'].split(':')[1]}"


def _column(outcome: str) -> str:
    if outcome.startswith("named") or outcome == "stops, and names it":
        return "named, one command brought old or new"
    return "old exactly" if outcome.startswith("old") else "new exactly"


sys.exit(main())
