"""Searches on from the corpus with atheris: ``python -m tests.fuzz [--seconds N] [NAME ...]``, all readers by default, N seconds in all.

Ends with 1 where a reader raised what it must not; the input is left in ``.cache/fuzz``. What was executed is printed, a line a harness.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
WORK = HERE.parents[1] / ".cache" / "fuzz"
LONGEST = 8_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=float, default=600.0, help="for all harnesses together (default: 600)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    from tests.fuzz.harnesses import HARNESSES

    names = options.names or sorted(HARNESSES)
    share = max(2, round(options.seconds * options.jobs / len(names)))
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda name: _search(name, share), names))
    print(f"{sum(count for count, _ in results):,} executions of {len(names)} harnesses")
    return int(any(failed for _, failed in results))


def _search(name: str, seconds: int) -> tuple[int, bool]:
    found = WORK / name
    found.mkdir(parents=True, exist_ok=True)
    argv = [
        sys.executable,
        "-m",
        "tests.fuzz.search",
        name,
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        "-timeout=20",
        "-rss_limit_mb=2000",
    ]
    argv += ["-print_final_stats=1", f"-artifact_prefix={WORK}/{name}-", str(found), str(CORPUS / name)]
    done = subprocess.run(argv, cwd=HERE.parents[1], capture_output=True, text=True, errors="replace", check=False)
    told = re.findall(r"number_of_executed_units: *(\d+)", done.stderr) or re.findall(r"^#(\d+)", done.stderr, re.MULTILINE)
    count = int(told[-1]) if told else 0
    print(f"{name}: {count:,} executions{'' if done.returncode == 0 else ', FAILED'}", flush=True)
    if done.returncode:
        print(done.stdout[-3000:], done.stderr[-3000:], flush=True)
    return count, done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
