"""``make neighbours``: TensorFlow moved in environments with real packages of one's own, and what the tool says of them held against what is so.

    python -m tests.neighbours "notebooks down"    only these (a part of the name does)
    python -m tests.neighbours --missing           what has no result, or no good one
    python -m tests.neighbours --table             what the last runs found

For each move an environment is made, filled with the newest packages that the index has, and then: a plan names what breaks; ``--yes`` alone
ends with 15 and changes nothing; every way that the plan offers can be planned; ``--keep`` ends with every package that was imported before imported
after, or with the old state and the name of the one that is not. Results are kept after each (--results FILE).
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uv
import yaml

from tests.agreement.views import CLEAN, ROOT
from tests.found import Found
from tests.projects import working

MOVES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "moves.yaml").read_text(encoding="utf-8"))["moves"]
PYTHON = "3.10"


def tool(*args: str) -> tuple[int, dict[str, Any]]:
    """Run the command, and return its code and its document."""
    argv = [sys.executable, "-m", "provisioner", *args, "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={**CLEAN, "PYTHONPATH": str(ROOT)}, cwd="/")
    return done.returncode, json.loads(done.stdout)


def filled(env: Path, move: dict[str, Any]) -> str:
    """Make the environment that a move begins with; return what could not be."""
    first = move["from"]
    code, said = tool("apply", "--env", str(env), "-t", first, "--python", move.get("python", PYTHON), "--cpu", "--yes")
    if code:
        return f"TensorFlow {first} could not be made: {said}"
    argv = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", f"{env}/bin/python", f"tensorflow-cpu=={first}.*"]
    done = subprocess.run([*argv, *move.get("beside", ()), *move["packages"]], capture_output=True, text=True, check=False, cwd="/")
    return f"its packages could not be installed: {done.stderr[-600:]}" if done.returncode else ""


def moved(env: Path, move: dict[str, Any]) -> dict[str, Any]:
    """Make one move, and return what was seen, and what is not as it should be (``faults``)."""
    undone, answer = filled(env, move), env.parent / "answer.json"
    if undone:
        return {"faults": [undone]}
    before = working.imported(env, working.modules(env), answer)
    code, plan = tool("plan", "--env", str(env), "-t", move["to"])
    if code:
        return {"faults": [f"plan ended with {code}: {plan}"]}
    breaking = {item["name"]: item["why"] for item in plan["neighbours"] if item["fate"] == "breaks" and not item["by"]}
    code, refused = tool("apply", "--env", str(env), "-t", move["to"], "--yes")
    faults = [] if code == 15 or not breaking else [f"--yes alone ended with {code}"]
    faults += [f"{name} is not named: {refused}" for name in breaking if name not in json.dumps(refused)]
    seen = {"own": len(plan["neighbours"]), "breaking": breaking, "moved": plan["moved"], "alone": code}
    if code:
        faults += [] if working.imported(env, sorted(before), answer) == before else ["something has changed without consent"]
        faults += [fault for way in plan["ways"] for fault in refused_way(way)]
        code, done = tool("apply", "--env", str(env), "-t", move["to"], "--keep", "--yes")
        resolved = {item["name"]: item["becomes"] for item in done.get("neighbours", ()) if item["fate"] == "resolved"}
        left = {item["name"]: item["why"] for item in done.get("neighbours", ()) if item["fate"] == "breaks"}
        errors = [f"{item['title']}: {item['remedy']['words']}" for item in done.get("findings", ()) if item["severity"] == "error"]
        seen = {**seen, "keep": code, "resolved": resolved, "left": left, "errors": errors or done.get("error", "")}
    after = working.imported(env, sorted(before), answer)
    # The modules of a package that comes in another version may be others.
    there = set(working.modules(env))
    faults += [f"{name} is lost: {after[name]}" for name in before if not before[name] and after[name] and name in there]
    error = working.computes(env)
    faults += [f"TensorFlow does not compute: {error}"] if error else []
    faults += [] if code == 0 else [f"ended with {code}"]
    if code == 0:
        after_code, found = tool("doctor", "--env", str(env), "--cwd", str(env))
        told = [f"{item['title']} {item['evidence']}" for item in found.get("findings", ()) if item["severity"] != "info"]
        faults += [] if after_code == 0 else [f"doctor ends with {after_code} afterwards: {told}"]
    return {**seen, "faults": faults}


def refused_way(way: dict[str, str]) -> list[str]:
    """Say what is wrong with a way that a plan offers: that it cannot be planned, or breaks something itself."""
    argv = shlex.split(way["command"])[2:]
    code, found = tool("plan", *argv)
    if code:
        return [f"`{way['command']}` is offered, and ends with {code}: {found}"]
    breaks = [item["name"] for item in found["neighbours"] if item["fate"] == "breaks"]
    return [f"`{way['command']}` is offered, and breaks {', '.join(breaks)}"] if breaks and "--keep" not in argv else []


def told(name: str, found: dict[str, Any]) -> str:
    """Return a result in lines."""
    codes = f"--yes alone {found.get('alone')}, --keep {found.get('keep')}"
    lines = [f"{'bad ' if found['faults'] else 'good'} {name}: {found.get('own')} of one's own; {codes}"]
    for key in ("breaking", "moved", "resolved", "left", "errors"):
        lines += [f"     {key}: {found[key]}"] if found.get(key) else []
    return "\n".join([*lines, *(f"     FAULT {fault}" for fault in found["faults"])])


def main() -> int:
    """Make the moves."""
    parser = argparse.ArgumentParser(prog="python -m tests.neighbours")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("found.json"))
    options = parser.parse_args()
    results = Found(options.results)
    if options.table:
        print("\n".join(told(name, found) for name, found in results.known.items()))
        return 0
    bad = 0
    for name, move in MOVES.items():
        if options.names and not any(part in name for part in options.names):
            continue
        if options.missing and not results.wants(name):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="tfsetup-neighbours-") as folder:
            found = moved(Path(folder) / "env", move)
        results.keep(name, found)
        bad += bool(found["faults"])
        print(f"{told(name, found)}\n     ({time.monotonic() - began:.0f} s)", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
