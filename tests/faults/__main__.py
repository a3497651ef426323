"""Try faults one after the other and write down what became of each: ``python -m tests.faults [NAME ...]``.

    python -m tests.faults --list                 the faults, with their causes
    python -m tests.faults                        all of them, from making to undo
    python -m tests.faults --until real SUBJECT   only show that they are real (stages: real, doctor, fix, undo)
    python -m tests.faults --table                what the last runs found, as a table

Names, subjects and causes select. Results are kept after each fault (--results FILE, JSON; else found.json beside this file), so a run that is
stopped goes on with --missing; with --since DATE older results do not count.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults.fault import HEALTHY, Fault, all_faults, chosen
from tests.faults.trial import STAGES, Outcome, try_fault
from tests.found import Found

FOUND = Path(__file__).with_name("found.json")


def say(words: str) -> None:
    """Print at once, so that a long run can be followed."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def table(results: Found, faults: dict[str, Fault]) -> str:
    """Return the results as a table."""
    lines = ["| fault | base | expected | doctor first | doctor | fix | verify | undo | not as it should be |", "|---" * 9 + "|"]
    for fault in faults.values():
        found = results.known.get(fault.name)
        if found is not None:
            wrong = "; ".join(str(item).splitlines()[0][:120] for item in found["faults"])
            cells = [
                fault.name,
                fault.base,
                found.get("expected", ""),
                *(found.get(key, "") for key in ("first", "doctor", "fix", "verify", "undo")),
                wrong,
            ]
            lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, "", results.counted])


def main(arguments: list[str]) -> int:
    """Try what was asked for; status 1 when something did not hold."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description="Break real environments, and see what doctor and fix make of it."
    )
    parser.add_argument("words", nargs="*", metavar="NAME")
    parser.add_argument("--until", choices=STAGES, default="undo")
    parser.add_argument("--bases", type=Path, help="keep the bases here (otherwise they are made anew and removed)")
    parser.add_argument("--results", type=Path, default=FOUND)
    parser.add_argument("--missing", action="store_true", help="only those without a result, or whose last result was not good")
    parser.add_argument("--since", metavar="DATE", default="", help="with --missing: those, too, whose last result is older (YYYY-MM-DD)")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args(arguments)
    faults = all_faults()
    results = Found(options.results)
    if options.list:
        for fault in faults.values():
            say(f"{fault.name:45} {fault.base:10} {fault.cause:25} {fault.mend}")
        say(
            f"{sum(item.cause != HEALTHY for item in faults.values())} faults, {len({item.cause for item in faults.values()} - {HEALTHY})} causes"
        )
        return 0
    if options.table:
        say(table(results, faults))
        return 0
    failed = 0
    if options.bases:
        options.bases.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tfsetup-faults-", dir=options.bases.parent if options.bases else None) as folder:
        for fault in chosen(faults, options.words):
            if options.missing and not results.wants(fault.name, options.since):
                continue
            missing = [program for program in fault.needs if shutil.which(program) is None]
            if missing:
                say(f"{fault.name}: not tried, {', '.join(missing)} is missing")
                continue
            started = time.monotonic()
            try:
                outcome = try_fault(fault, options.bases or Path(folder) / "bases", Path(folder), until=options.until)
            except Exception:  # noqa: BLE001 - one fault that cannot be made must not end the run
                outcome = Outcome(fault.name, faults=[f"could not be tried: {traceback.format_exc(limit=-3)}"])
            failed += bool(outcome.faults)
            if options.until == STAGES[-1]:
                results.keep(fault.name, outcome.data)
            words = "good" if not outcome.faults else "\n    " + "\n    ".join(outcome.faults)
            say(f"{fault.name}: {outcome.first or '-'} ({time.monotonic() - started:.0f} s): {words}")
    say(f"{failed} not as they should be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
