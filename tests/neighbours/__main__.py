"""``make neighbours``: TensorFlow moved in environments with real packages of one's own, and what the tool says of them held against what is so.

For each move an environment is made, filled with the newest packages that the index has, and then: a plan names what breaks; ``--yes`` alone
ends with 15 and changes nothing; ``--keep`` ends with every package that was imported before imported after, or with the old state and the
name of the one that is not. Some gigabytes and a quarter of an hour; ``--torch`` adds PyTorch 1.12.1, the last one on PyPI that brings its
libraries itself.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MOVES = (("2.15", "2.12"), ("2.8", "2.15"))
PACKAGES = ("pandas", "transformers", "streamlit", "jupyterlab")
# What the metadata of an old release does not say, and its sets keep to.
LIMITS = {"2.8": ("protobuf<3.20", "numpy<2")}
PYTHON = "3.10"


def tool(*args: str) -> tuple[int, dict]:
    """Run the command, and return its code and its document."""
    done = subprocess.run([sys.executable, "-m", "provisioner", *args, "--json"], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def imported(env: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return for each module its error, "" for one that is imported: asked here, not by the tool."""
    found = {}
    for name in names:
        done = subprocess.run([f"{env}/bin/python", "-W", "ignore", "-c", f"import {name}"], capture_output=True, text=True, check=False)
        found[name] = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no words"])[-1]
    return found


def move(env: Path, first: str, then: str, packages: tuple[str, ...]) -> list[str]:
    """Make one move, and return what is not as it should be."""
    faults = []
    code, _ = tool("apply", "--env", str(env), "-t", first, "--python", PYTHON, "--cpu", "--yes")
    if code:
        return [f"TensorFlow {first} could not be made: {code}"]
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", f"{env}/bin/python"]
    subprocess.run([*uv, f"tensorflow-cpu=={first}.*", *LIMITS.get(first, ()), *packages], check=True)
    modules = (*(name.partition("=")[0] for name in packages), "tensorflow")
    before = imported(env, modules)
    code, plan = tool("plan", "--env", str(env), "-t", then)
    breaking = [item["name"] for item in plan["neighbours"] if item["fate"] == "breaks" and not item["by"]]
    print(f"{first} -> {then}: {len(plan['neighbours'])} of one's own; breaks {', '.join(breaking) or 'nothing'}; moved {plan['moved']}")
    code, refused = tool("apply", "--env", str(env), "-t", then, "--yes")
    faults += [] if code == 15 or not breaking else [f"--yes alone ended with {code}"]
    faults += [f"{name} is not named: {refused}" for name in breaking if name not in json.dumps(refused)]
    faults += [] if imported(env, modules) == before else ["something has changed without consent"]
    code, done = tool("apply", "--env", str(env), "-t", then, "--keep", "--yes")
    after = imported(env, modules)
    lost = [name for name in modules if not before[name] and after[name]]
    print(f"  --keep: {code}, resolved {[item['name'] for item in done.get('neighbours', ()) if item['fate'] == 'resolved']}")
    for finding in done.get("findings", ()):
        if finding["severity"] == "error":
            print(f"  {finding['title']}: {finding['remedy']['words']}")
    faults += [f"{name} is lost: {after[name]}" for name in lost]
    faults += [] if code in {0, 14} else [f"--keep ended with {code}"]
    return faults


def main() -> int:
    """Make the moves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", action="store_true", help="PyTorch, too (0.8 GB)")
    packages = (*PACKAGES, "torch==1.12.1") if parser.parse_args().torch else PACKAGES
    faults = []
    for first, then in MOVES:
        folder = Path(tempfile.mkdtemp(prefix="tfsetup-neighbours-"))
        try:
            faults += [f"{first} -> {then}: {fault}" for fault in move(folder / "env", first, then, packages)]
        finally:
            shutil.rmtree(folder)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
