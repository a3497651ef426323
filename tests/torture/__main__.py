"""``python -m tests.torture``: strike after strike, drawn by chance from a seed, until there are as many as were asked for."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from tests.torture.run import Torture
from tests.torture.scenarios import SCENARIOS
from tests.torture.strikes import parse
from tests.torture.world import build


def main() -> int:
    """Run; return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/tmp/tfsetup-torture"), help="where wheels, bases and places are kept")
    parser.add_argument("--kills", type=int, default=0, help="how many kills")
    parser.add_argument("--faults", type=int, default=0, help="how many injected faults")
    parser.add_argument("--scenarios", default="", help="only these, separated by commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--one",
        action="append",
        default=[],
        metavar="STRIKE",
        help="exactly this one, as it is in the results",
    )
    parser.add_argument("--results", type=Path, help="a file to which each result is added as a line of JSON")
    options = parser.parse_args()
    torture = Torture(build(options.root), random.Random(options.seed))
    scenarios = [item for item in SCENARIOS if not options.scenarios or item.name in options.scenarios.split(",")]
    strikes = [parse(line) for line in options.one] or torture.draw(scenarios, options.kills, options.faults)
    counts: Counter[str] = Counter()
    for strike in strikes:
        begun = time.monotonic()
        result = torture.strike(strike)
        counts["broken" if result.faults else result.outcome] += 1
        if options.results:
            with options.results.open("a") as stream:
                line = {
                    "strike": str(strike),
                    "outcome": result.outcome,
                    "faults": result.faults,
                    "seconds": round(time.monotonic() - begun, 2),
                }
                stream.write(json.dumps({**line, "story": result.story if result.faults else ""}) + "\n")
        if result.faults:
            print(f"{strike}: BROKEN ({result.outcome})", *result.faults, sep="\n    ", flush=True)
        elif options.one:
            print(f"{strike}: {result.outcome}")
        if options.one:
            print(result.story)
    print(dict(counts))
    return int(bool(counts["broken"]))


sys.exit(main())
