"""What works in an environment, asked by a check that shares no code with the tool: every top-level module of every distribution, and TensorFlow."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

SECONDS = 900
MODULE = re.compile(r"([A-Za-z]\w*)(?:/__init__\.py|\.py|(?:\.[\w-]+)?\.so)")
NOBODYS = {"test", "tests", "testing", "doc", "docs", "example", "examples", "benchmarks", "setup", "conftest", "scripts"}
# The builds of TensorFlow take each other's place.
BUILDS = re.compile(r"tensorflow([_-](cpu|gpu|intel|macos))?")
IMPORTS = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
found = {}
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
        found[name] = ""
    except BaseException as error:
        found[name] = "%s: %s" % (type(error).__name__, str(error)[:300])
    with open(sys.argv[1], "w") as handle:
        json.dump(found, handle)
import os; os._exit(0)
"""
COMPUTES = """
import tensorflow as tf
if tf.__version__.startswith("1."):
    with tf.Session() as session:
        value = session.run(tf.matmul([[1.0, 2.0]], [[3.0], [4.0]]))
else:
    value = tf.function(tf.matmul)([[1.0, 2.0]], [[3.0], [4.0]]).numpy()
assert value.tolist() == [[11.0]], value
"""


def modules(env: Path) -> list[str]:
    """Return the top-level modules of all distributions, TensorFlow's builds as ``tensorflow``."""
    (site,) = env.glob("lib/python3*/site-packages")
    found = set()
    for record in site.glob("*.dist-info/RECORD"):
        if BUILDS.fullmatch(record.parent.name.partition("-")[0]):
            continue
        with record.open(encoding="utf-8", newline="") as handle:
            names = {match[1] for row in csv.reader(handle) if row for match in [MODULE.fullmatch(row[0])] if match}
        found |= {name for name in names if not name.startswith("_") and name not in NOBODYS}
    return sorted(found)


def python(env: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run the environment's Python, with nothing of this shell's."""
    return subprocess.run(
        [f"{env}/bin/python", "-I", *argv], capture_output=True, text=True, check=False, cwd="/", timeout=SECONDS, errors="replace"
    )


def imported(env: Path, names: Sequence[str], aside: Path) -> dict[str, str]:
    """Return what becomes of each module: "" for one that is imported; one that fails, or ends the process, is asked by itself."""
    found: dict[str, str] = {}
    left = list(names)
    while left:
        aside.unlink(missing_ok=True)
        done = python(env, "-c", IMPORTS, str(aside), *left)
        answers = json.loads(aside.read_text()) if aside.exists() else {}
        found.update(answers)
        left = [name for name in left if name not in answers]
        if left and done.returncode:
            found[left.pop(0)] = f"ended with {done.returncode}"
    for name in [name for name, error in found.items() if error]:
        aside.unlink(missing_ok=True)
        done = python(env, "-c", IMPORTS, str(aside), name)
        found[name] = json.loads(aside.read_text())[name] if aside.exists() else f"ended with {done.returncode}"
    return found


def computes(env: Path) -> str:
    """Return "" where TensorFlow computes, else the last words."""
    done = python(env, "-c", COMPUTES)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
