"""``make compare``: the faults of ``make faults`` given to other programs and to this one: ``python -m tests.compare [NAME ...]``.

    python -m tests.compare --bases DIR          keep the environments that are broken there
    python -m tests.compare --missing            what has no result yet: a run that is stopped goes on
    python -m tests.compare --no-repairs         only who says what
    python -m tests.compare --write              what the last runs found, into docs/compare.md

Names, subjects, bases and causes select. Results are kept after each fault, in the repository (--results FILE). A program has the cause first where
its first complaint names what was broken: a distribution of which a file or the version changed, an entry that was put there, or a variable that
was set.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.agreement import independent
from tests.compare import others
from tests.compare.table import written
from tests.faults.bases import BASES, build
from tests.faults.fault import HEALTHY, Fault, all_faults, chosen
from tests.faults.place import Place
from tests.faults.trial import distributions, make, owners, remove, tfsetup
from tests.found import Found
from tests.projects import working

ROOT = Path(__file__).resolve().parent.parent.parent
# A copy of a set for the GPU takes minutes, and conda's faults are made in one place.
LEFT_OUT = ("cuda", "conda")
FEW = 20


def culprits(place: Place, base: Path) -> set[str]:
    """Return the words by which what was broken can be named."""
    was, now = distributions(base), distributions(place.env)
    names = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    own = {**owners(base), **owners(place.env)}
    before, after = _entries(base), _entries(place.env)
    touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path) and not path.endswith(".pyc")}
    names |= {own[path] for path in touched if path in own}
    # One file may be named by itself; of hundreds no name is the answer.
    names |= {Path(path).name.partition(".")[0] for path in touched if len(touched) <= FEW or path not in own}
    names |= {"tensorflow"} if any(working.BUILDS.fullmatch(name) for name in names) else set()
    names |= {path.stem for folder in (place.work, place.home) for path in folder.rglob("*")}
    names |= set(place.variables)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names if len(name) > 1}


def _entries(env: Path) -> dict[str, tuple[int, ...]]:
    """Return what tells two files apart that are copies by hard links: another file, another size, other rights."""
    found = {}
    for folder, _, names in os.walk(env):
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            found[os.path.relpath(os.path.join(folder, name), env)] = (
                status.st_ino if status.st_nlink > 1 else 0,
                status.st_size,
                status.st_mode,
            )
    return found


def named(first: str, words: set[str]) -> bool:
    """True where a complaint names one of the words."""
    said = re.sub(r"[-_.]+", "-", first).lower()
    return any(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", said) for word in words)


def checked(fault: Fault, bases: Path, folder: Path, programs: others.Programs) -> dict[str, Any]:
    """Give a fault to every program that looks."""
    found: dict[str, Any] = {}
    place = make(fault, bases, folder)
    try:
        words = culprits(place, build(fault.base, bases)) if fault.cause != HEALTHY else set()
        for name, check in others.CHECKS.items():
            answer = check(programs, place)
            names = answer.complains and named(answer.first, words)
            found[name] = {"able": answer.able, "complains": answer.complains, "names": names, "first": answer.first[-400:]}
    finally:
        remove(place)
    return found


def mended(fault: Fault, bases: Path, folder: Path, programs: others.Programs) -> dict[str, Any]:
    """Give a fault to every program that mends, and look at what it leaves."""
    found: dict[str, Any] = {}
    mends = {
        others.REPAIRS[0]: lambda place: others.reinstall(place, BASES[fault.base].release),
        others.REPAIRS[1]: lambda place: others.env_repair_fix(programs, place),
        others.REPAIRS[2]: lambda place: tfsetup(place, "fix", "--yes", "--json"),
    }
    for name, mend in mends.items():
        place = make(fault, bases, folder)
        try:
            mend(place)
            found[name] = {"computes": place.show(working.COMPUTES).endswith("exit 0"), "left": _left(place, fault.base)}
        finally:
            remove(place)
    return found


def mendable(fault: Fault) -> bool:
    """True for what a program may mend."""
    return fault.mend != "hand" and fault.cause != HEALTHY


def told(found: dict[str, Any]) -> str:
    """Return a result in one line."""
    said = [
        f"{name}: {'-' if not item['able'] else 'named' if item['names'] else 'complains' if item['complains'] else 'silent'}"
        for name, item in found["checks"].items()
    ]
    held = [f"{name}: {'computes' if item['computes'] else 'NOT'}" for name, item in found.get("repairs", {}).items()]
    return f"{', '.join(said)}; {', '.join(held)}"


def _left(place: Place, base: str) -> list[str]:
    """Return what an independent check finds in the environment afterwards."""
    try:
        return independent.check(place.env, f"{BASES[base].python}.0")[:3]
    except Exception as error:  # noqa: BLE001 - whatever a broken environment makes of it is the answer
        return [f"{type(error).__name__}: {error}"]


def main(arguments: list[str]) -> int:
    """Compare what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.compare")
    parser.add_argument("words", nargs="*", metavar="NAME")
    parser.add_argument("--bases", type=Path, help="keep the environments that are broken here")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("found.json"))
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--no-repairs", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    results = Found(options.results)
    faults = [item for item in chosen(all_faults(), options.words) if item.base and not item.base.endswith(LEFT_OUT)]
    if options.write:
        page = ROOT / "docs/compare.md"
        page.write_text(written(page.read_text(encoding="utf-8"), results.known, len(faults), dt.datetime.now(dt.timezone.utc).date()))
        return 0
    if options.bases:
        options.bases.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tfsetup-compare-", dir=options.bases.parent if options.bases else None) as folder:
        bases = options.bases or Path(folder) / "bases"
        programs = others.Programs(bases / "programs")
        for fault in faults:
            before = results.known.get(fault.name, {}) if options.missing else {}
            repairs = mendable(fault) and not options.no_repairs and "repairs" not in before
            if before and not repairs:
                continue
            began = time.monotonic()
            found = {**before, "faults": [], "cause": fault.cause, "mend": fault.mend}
            try:
                found |= {} if before else {"checks": checked(fault, bases, Path(folder), programs)}
                found |= {"repairs": mended(fault, bases, Path(folder), programs)} if repairs else {}
            except Exception as error:  # noqa: BLE001 - one that cannot be made here must not end the run
                print(f"{fault.name}: not compared: {type(error).__name__}: {error}", flush=True)
                continue
            results.keep(fault.name, found)
            print(f"{fault.name} ({time.monotonic() - began:.0f} s): {told(found)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
