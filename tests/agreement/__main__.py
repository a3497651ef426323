"""Ask everybody about many environments, and count who disagrees: ``python -m tests.agreement``.

    python -m tests.agreement --env DIR --release 2.21.0       300 single mutations of an environment that tfsetup has made there
    python -m tests.agreement --sets 20                        20 sets with random packages of PyPI's most used
    python -m tests.agreement --importing 15                   every 15th also by the commands themselves, which import TensorFlow

Without --env an environment is made, and removed. Results are kept as they come (--results FILE, JSON).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.agreement import sets
from tests.agreement.mutations import Mutator
from tests.agreement.views import Subject, Views, run

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


def ask(subject: Subject, words: str, *, importing: bool, results: list[dict[str, object]]) -> bool:
    """Ask everybody, write it down, and return whether all agree."""
    views, began = Views(subject), time.monotonic()
    verdicts = views.all(importing=importing)
    agree = len(set(verdicts.values())) == 1
    results.append({"what": words, "verdicts": verdicts, "agree": agree, "said": {} if agree else views.said})
    whole = ", ".join(f"{name} {'whole' if verdict else 'NOT'}" for name, verdict in verdicts.items())
    say(f"{'agree' if agree else 'DISAGREE'} ({time.monotonic() - began:.1f} s) {words}: {whole}")
    if not agree:
        for name, said in views.said.items():
            say(f"    {name}: {said}")
    return agree


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
    parser.add_argument("--results", type=Path, default=Path(".cache/agreement.json"))
    options = parser.parse_args(arguments)
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="tfsetup-agreement-", dir=options.env.parent if options.env else None) as folder:
        subject = made(options.env or Path(folder) / "env", options.release, options.python)
        # A run that is ended takes its last mutation back.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        ask(subject, "as it was made", importing=bool(options.importing), results=results)
        mutator = Mutator(subject.env, Path(folder) / "aside", options.seed)
        for number, mutation in enumerate(mutator.each(options.mutations), 1):
            try:
                ask(subject, mutation.words, importing=bool(options.importing) and number % options.importing == 0, results=results)
            finally:
                mutation.undo()
        for number in range(options.sets):
            words, chosen = sets.with_packages(subject, Path(folder) / "set", options.seed + number)
            ask(chosen, words, importing=bool(options.importing), results=results)
        options.results.parent.mkdir(parents=True, exist_ok=True)
        options.results.write_text(json.dumps(results, indent=1))
    wrong = sum(not item["agree"] for item in results)
    say(f"{len(results) - wrong} of {len(results)} agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
