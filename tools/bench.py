"""Speed against the tools one would use instead, measured in one run, as ratios.

    python tools/bench.py            everything
    python tools/bench.py start      start-up and planning only (seconds)
    python tools/bench.py apply      environments made and proven (a minute or two)
    python tools/bench.py lock       a team's lock only (a minute; asks the index)
    python tools/bench.py conda      conda environments only (a minute)

Times of one machine say little; ratios of commands that ran in turns on it say something. Each row names its floor: what issue 2 asked for.
Nothing here is a test: a slow machine must not make one fail.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the tests' channel

from benches import apply, conda, lock, start

PARTS = {"start": start.bench, "apply": apply.bench, "conda": conda.bench, "lock": lock.bench}


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks and print a table of ratios."""
    unknown = sorted(set(arguments) - set(PARTS))
    if unknown:
        sys.stderr.write(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="tfsetup-bench-") as folder:
        env = {**os.environ, "BENCH": folder, "UV_PYTHON_DOWNLOADS": "never"}
        print(f"{'what':<78} {'ours':>11} {'theirs':>11} {'ratio':>7}   floor")
        for name, bench in PARTS.items():
            if not arguments or name in arguments:
                bench(env)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
