"""Ask everybody about many environments, and count who disagrees: ``python -m tests.agreement``.

    python -m tests.agreement --env DIR --release 2.21.0       300 single mutations of an environment that tfsetup has made there
    python -m tests.agreement --sets 20                        20 sets with random packages of PyPI's most used
    python -m tests.agreement --importing 15                   every 15th also by the commands themselves, which import TensorFlow

    python -m tests.agreement --table                          what was found so far

Without --env an environment is made, and removed. Results are kept as they come (--results FILE, JSON; else found.json beside this file), and a
run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import cast

from tests.agreement import sets
from tests.agreement.mutations import Mutator
from tests.agreement.views import Subject, Views, run
from tests.found import Found

RELEASE, PYTHON = "2.21.0", "3.12"


def say(words: str) -> None:
    """Print at once, so that a long run can be followed."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def made(env: Path, release: str, python: str) -> Subject:
    """Return the environment, made by the command where it is not there."""
    if not env.exists():
        code, said = run("apply", "--env", str(env), "--tensorflow", f"=={release}", "--python", python, "--device", "cpu", "--yes")
        if code:
            raise SystemExit(f"apply ended with {code}: {said}")
    receipt = json.loads((env / ".tfsetup/receipt.json").read_text())
    plan = receipt["plan"]
    names = {**plan["unchanged"], **{item["name"]: "" for item in plan["packages"]}}
    config = (env / "pyvenv.cfg").read_text()
    version = next(line.partition("=")[2].strip() for line in config.splitlines() if line.startswith("version"))
    return Subject(env=env, python=version, release=release, expected=tuple(names))


def ask(subject: Subject, words: str, *, importing: bool) -> dict[str, object]:
    """Ask everybody, and return what they say and whether all agree."""
    views, began = Views(subject), time.monotonic()
    verdicts = views.all(importing=importing)
    agree = len(set(verdicts.values())) == 1
    whole = ", ".join(f"{name} {'whole' if verdict else 'NOT'}" for name, verdict in verdicts.items())
    say(f"{'agree' if agree else 'DISAGREE'} ({time.monotonic() - began:.1f} s) {words}: {whole}")
    if not agree:
        for name, said in views.said.items():
            say(f"    {name}: {said}")
    return {"what": words, "verdicts": verdicts, "faults": [] if agree else [f"{name}: {said}" for name, said in views.said.items()]}


def table(results: Found) -> str:
    """Count by kind: the first word of what was done, and who was asked."""
    counts: dict[tuple[str, str], list[int]] = {}
    for key, found in results.known.items():
        verdicts = cast("dict[str, bool]", found["verdicts"])
        kind = str(found["what"]).partition(" ")[0] if key.startswith("mutation") else key.partition(" ")[0]
        row = counts.setdefault((kind, "all, importing" if "verify" in verdicts else ", ".join(verdicts)), [0, 0, 0])
        row[0], row[1], row[2] = row[0] + 1, row[1] + (not found["faults"]), row[2] + all(verdicts.values())
    lines = ["| what | asked | agree | of | whole for all |", "|---" * 5 + "|"]
    lines += [f"| {kind} | {asked} | {agree} | {count} | {good} |" for (kind, asked), (count, agree, good) in sorted(counts.items())]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Ask, and return 1 where somebody disagrees."""
    parser = argparse.ArgumentParser(prog="python -m tests.agreement")
    parser.add_argument("--env", type=Path)
    parser.add_argument("--release", default=RELEASE)
    parser.add_argument("--python", default=PYTHON)
    parser.add_argument("--mutations", type=int, default=300)
    parser.add_argument("--sets", type=int, default=0)
    parser.add_argument("--importing", type=int, default=25, metavar="N", help="every Nth by the commands themselves, too; 0 for none")
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("found.json"))
    parser.add_argument("--table", action="store_true", help="only count what was found")
    options = parser.parse_args(arguments)
    results = Found(options.results)
    if not options.table:
        with tempfile.TemporaryDirectory(prefix="tfsetup-agreement-", dir=options.env.parent if options.env else None) as folder:
            # A run that is ended takes its last mutation back.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
            ask_all(made(options.env or Path(folder) / "env", options.release, options.python), Path(folder), options, results)
    say(table(results))
    return 1 if any(found["faults"] for found in results.known.values()) else 0


def ask_all(subject: Subject, folder: Path, options: argparse.Namespace, results: Found) -> None:
    """Ask about the environment as it is, about its mutations, and about copies of it with packages of one's own."""
    here = f"{subject.release} {options.seed}"

    def importing(number: int) -> bool:
        return bool(options.importing) and number % options.importing == 0

    if results.wants(f"made {here}"):
        results.keep(f"made {here}", ask(subject, "as it was made", importing=importing(0)))
    mutator = Mutator(subject.env, folder / "aside", options.seed)
    for number in range(options.mutations):
        if not results.wants(f"mutation {here} {number}"):
            continue
        mutation = mutator.made(number)
        try:
            results.keep(f"mutation {here} {number}", ask(subject, mutation.words, importing=importing(number)))
        finally:
            mutation.undo()
    for number in range(options.sets):
        if results.wants(f"set {here} {number}"):
            words, chosen = sets.with_packages(subject, folder / "set", options.seed + number)
            results.keep(f"set {here} {number}", ask(chosen, words, importing=importing(number)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
