"""Try the faults of Windows one after the other: ``python -m tests.faults.windows [NAME ...]``.

--list              the faults, with their causes
--until doctor      only whether they are named (stages: doctor, fix, undo)
--missing           only those without a good result up to that stage
--machine FOLDER    where the machine is kept (1 GB, and 2 GB of bases), made where it is not; removed at the end without this
--table             what the last runs found
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults.trial import Outcome
from tests.faults.windows import cases, machine
from tests.faults.windows.fault import FAULTS
from tests.faults.windows.trial import STAGES, try_fault
from tests.found import Found
from tests.windows import machine as rig

assert cases
FOUND = Path(__file__).with_name("found.json")


def say(words: str) -> None:
    """Print at once, so that a long run can be followed."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def table(results: Found) -> str:
    """Return the results as a table."""
    lines = ["| fault | expected | first | fix | after | undo | not as it should be |", "|---" * 7 + "|"]
    for name in FAULTS:
        found = results.known.get(name)
        if found is not None:
            wrong = "; ".join(str(item).splitlines()[0][:120] for item in found["faults"])
            cells = [name, *(found.get(key, "") for key in ("expected", "first", "fix", "verify", "undo")), wrong]
            lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, "", results.counted])


def main(arguments: list[str]) -> int:
    """Try what was asked for; status 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.windows", description="Break environments on Windows, as wine is one.")
    parser.add_argument("words", nargs="*", metavar="NAME")
    parser.add_argument("--until", choices=STAGES, default="undo")
    parser.add_argument("--machine", type=Path)
    parser.add_argument("--results", type=Path, default=FOUND)
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args(arguments)
    results = Found(options.results)
    if options.list or options.table:
        listed = [f"{item.name:45} {item.base:6} {item.cause:25} {item.mend}" for item in FAULTS.values()]
        say(table(results) if options.table else "\n".join(listed))
        return 0
    if rig.lacking():
        say(f"not tried: {rig.lacking()}")
        return 0
    wrong = [word for word in options.words if word not in FAULTS]
    if wrong:
        raise SystemExit(f"no fault is called {', '.join(wrong)}")
    kept = options.machine or Path(tempfile.mkdtemp(prefix="tfsetup-windows-", dir=rig.ROOT)) / "prefix"
    failed = 0
    try:
        place = machine.make(kept)
        for name in options.words or FAULTS:
            until = results.known.get(name, {}).get("until", STAGES[0])
            if options.missing and not results.wants(name) and STAGES.index(until) >= STAGES.index(options.until):
                continue
            started = time.monotonic()
            try:
                outcome = try_fault(place, FAULTS[name], until=options.until)
            except Exception:  # noqa: BLE001 - one fault that cannot be made must not end the run
                outcome = Outcome(name, faults=[f"could not be tried: {traceback.format_exc(limit=-3)}"])
            failed += bool(outcome.faults)
            results.keep(name, {**outcome.data, "until": options.until})
            words = "good" if not outcome.faults else "\n    " + "\n    ".join(outcome.faults)
            say(f"{name}: {outcome.first or '-'} ({time.monotonic() - started:.0f} s): {words}")
    finally:
        if options.machine is None:
            shutil.rmtree(kept.parent, ignore_errors=True)
    say(f"{failed} not as they should be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
