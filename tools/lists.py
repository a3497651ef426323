"""Lock the lists of real projects as a person would, and say beside each what `uv pip compile` makes of it.

    python tools/lists.py LISTS [--only NAME]... [--results FILE] [--install]

LISTS is a folder of requirements files. Each becomes a project of its own in a folder that is removed again: `tfsetup init`, `tfsetup lock`, the
one question on source builds answered with yes; with --install also `tfsetup apply --locked`, and an import of what the list names.
A line of JSON is written for each list, and a table at the end. A list says the Python that its project had in a comment (`# Python 3.10`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from provisioner.base.names import normalise  # noqa: E402
from provisioner.base.progress import SILENT  # noqa: E402
from provisioner.host.local import LocalHost  # noqa: E402
from provisioner.verify.neighbours import importable  # noqa: E402

TFSETUP = str(ROOT / ".venv" / "bin" / "tfsetup")
UV = str(ROOT / ".venv" / "bin" / "uv")
# Seconds that one program may take: some lists bring a hundred packages that are built from source.
LIMIT = 900
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)
_ASKED = re.compile(r"policy: \{source_builds: (\[[^\]]*\])\}")


def run(argv: list[str], folder: Path) -> tuple[int, float, str]:
    """Return a program's exit code, its seconds, and what it said."""
    started = time.perf_counter()
    try:
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return 124, time.perf_counter() - started, f"took more than {LIMIT} s"
    return done.returncode, time.perf_counter() - started, done.stderr + done.stdout


def by_uv(text: str, folder: Path) -> dict[str, Any]:
    """Ask uv for the list as it stands, for the Python that the project had."""
    python = next(iter(re.findall(r"^# Python (3\.\d+)", text, re.MULTILINE)), "3.11")
    argv = [UV, "pip", "compile", "--quiet", "--no-python-downloads", "--python-version", python, "requirements.txt", "-o", "uv.txt"]
    code, seconds, said = run(argv, folder)
    return {"python": python, "ok": code == 0, "seconds": round(seconds, 1), "said": "" if code == 0 else said[-1500:]}


def by_tfsetup(folder: Path) -> dict[str, Any]:
    """Declare and lock it; the question on source builds is answered once."""
    code, seconds, said = run([TFSETUP, "init", "--project", ".", "--env", "tf-env", "--yes"], folder)
    found: dict[str, Any] = {"init": said.strip(), "questions": [], "seconds": [round(seconds, 1)]}
    for _ in range(2) if code == 0 else ():
        code, seconds, said = run([TFSETUP, "lock"], folder)
        found["seconds"].append(round(seconds, 1))
        asked = _ASKED.search(" ".join(said.split()))
        if code == 0 or asked is None or found["questions"]:
            break
        found["questions"].append(asked[1])
        with (folder / "tfsetup.yaml").open("a") as file:
            file.write(f"\npolicy: {{source_builds: {asked[1]}}}\n")
    return {**found, "code": code, "said": said[-6000:]}


def installed(folder: Path) -> dict[str, Any]:
    """Install the lock and import what the list asks for: each distribution's own top folders, as its record names them."""
    argv = [TFSETUP, "apply", "--locked", "--env", "tf-env", "--yes", "--device", "cpu"]
    code, seconds, said = run(argv, folder)
    found: dict[str, Any] = {"code": code, "seconds": round(seconds, 1), "said": said[-3000:]}
    if code == 0:
        env = str(folder / "tf-env")
        names = {normalise(name) for name in _NAME.findall((folder / "requirements.txt").read_text(encoding="utf-8"))}
        imported = importable(LocalHost(), env, f"{env}/bin/python", names, SILENT)
        errors = {module: error for modules in imported.values() for module, error in modules.items() if error}
        found |= {"imported": bool(imported) and not errors, "modules": sum(map(len, imported.values())), "errors": errors}
    return found


def one(path: Path, *, install: bool) -> dict[str, Any]:
    """Lock one list in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix=f"{path.stem}-"))
    try:
        text = path.read_text(encoding="utf-8")
        (folder / "requirements.txt").write_text(text, encoding="utf-8")
        row: dict[str, Any] = {"name": path.stem, "uv": by_uv(text, folder), "ours": by_tfsetup(folder)}
        if install and row["ours"]["code"] == 0:
            row["installed"] = installed(folder)
        return row
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def outcome(row: dict[str, Any]) -> str:
    """Say in a word what became of a list."""
    if row["ours"]["code"] == 0:
        return "locked, asked once" if row["ours"]["questions"] else "locked"
    return "refused" if row["ours"]["code"] in {1, 12} else f"code {row['ours']['code']}"


def main() -> int:
    """Run the lists that were named; 1 where one that uv resolves was not locked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--results", type=Path, default=Path(os.devnull))
    parser.add_argument("--install", action="store_true")
    given = parser.parse_args()
    lost = 0
    for path in sorted(given.lists.glob("*.txt")):
        if given.only and path.stem not in given.only:
            continue
        row = one(path, install=given.install)
        with given.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        lost += row["uv"]["ok"] and row["ours"]["code"] != 0
        uv = f"uv {'resolves' if row['uv']['ok'] else 'does not'} ({row['uv']['python']}, {row['uv']['seconds']} s)"
        there = row.get("installed", {})
        proof = f"; installed {'and imported' if there.get('imported') else there.get('code')}" if there else ""
        print(f"{path.stem:<20} {outcome(row):<20} {row['ours']['seconds']} s; {uv}{proof}", flush=True)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
