"""One fault on Windows, tried: made, named first, mended, the mending proved and taken back byte for byte. What does not hold is said in words."""

from __future__ import annotations

import os
import re
import shutil
import time

from tests.faults.fingerprint import fingerprint
from tests.faults.trial import Ended, Outcome
from tests.faults.windows.fault import BASES, Fault
from tests.faults.windows.machine import Machine
from tests.faults.windows.place import Place

STAGES = ("doctor", "fix", "undo")


def build(machine: Machine, name: str) -> None:
    """Make a base, as ``apply`` makes it, without what tfsetup knows of it."""
    base = BASES[name]
    env = machine.drive / "bases" / name
    if env.exists():
        return
    env.parent.mkdir(exist_ok=True)
    where = f"C:\\bases\\{name}"
    asked = ("--device", base.device, "-t", base.release, "--python", base.python)
    done = machine.tfsetup("apply", "--yes", *asked, "--env", where, cwd=env.parent)
    if done.code:
        shutil.rmtree(env, ignore_errors=True)
        raise RuntimeError(f"{name}: {done.out}{done.err}")
    shutil.rmtree(env / ".tfsetup")


def make(machine: Machine, fault: Fault) -> Place:
    """Make the place of a fault, broken."""
    build(machine, fault.base)
    root = machine.drive / "faults" / fault.name
    shutil.rmtree(root, ignore_errors=True)
    place = Place(root, machine, python=BASES[fault.base].python)
    shutil.copytree(machine.drive / "bases" / fault.base, place.env, copy_function=os.link)
    place.work  # noqa: B018 - made here, so that it is there before anything is compared
    try:
        if BASES[fault.base].device == "cuda":
            place.put_driver()
        fault.breaks(place)
    except BaseException:
        remove(place)
        raise
    return place


def remove(place: Place) -> None:
    """Take a place away, and back what was done to the machine."""
    for back in reversed(place.undo):
        back()
    place.undo.clear()
    shutil.rmtree(place.root, ignore_errors=True)


def try_fault(machine: Machine, fault: Fault, *, until: str = "undo") -> Outcome:
    """Try one fault up to a stage, and take its place away again."""
    outcome = Outcome(fault.name, expected=" | ".join((fault.cause, *fault.also)))
    place = make(machine, fault)
    try:
        _try(fault, place, outcome, STAGES.index(until))
    finally:
        remove(place)
    return outcome


def _run(place: Place, outcome: Outcome, *argv: str) -> Ended:
    started = time.monotonic()
    done = place.tfsetup(*argv)
    seconds = time.monotonic() - started
    outcome.seconds[argv[0]] = round(seconds, 1)
    return Ended(done.code, done.out, done.err, seconds)


def _try(fault: Fault, place: Place, outcome: Outcome, until: int) -> None:
    before = fingerprint(place.root)
    done = _run(place, outcome, "doctor", "--json")
    findings = done.document.get("findings") or []
    outcome.doctor = str(done.code)
    outcome.findings = [f"{item['cause']} {item['severity']} {item['confidence']}: {item['title']}" for item in findings]
    if done.code != 11 or not findings:
        outcome.faults.append(f"doctor: {done.words}")
        return
    outcome.first = findings[0]["cause"]
    seen = "; ".join(f"{item['where']}: {item['seen']}" for item in findings[0]["evidence"])
    outcome.shown = seen[:1500]
    if outcome.first not in (fault.cause, *fault.also):
        outcome.faults.append(f"doctor says {outcome.first} first, not {outcome.expected} ({seen[:600]})")
    if not re.search(fault.symptom, seen):
        outcome.faults.append(f"the fault is not seen: {fault.symptom!r} is not in {seen[:900]}")
    outcome.compare("doctor changed something", before, place.root)
    if until < STAGES.index("fix") or fault.mend == "named":
        return
    place.take_driver()
    done = _run(place, outcome, "fix", "--yes", "--json")
    outcome.fix = str(done.code)
    if fault.mend == "hand":
        if done.code == 0:
            outcome.faults.append(f"fix claims to have mended what it cannot: {done.words}")
        outcome.compare("fix changed something", before, place.root)
        return
    if done.code != 0:
        outcome.faults.append(f"fix: {done.words}")
        outcome.compare("the failed fix left", before, place.root)
        return
    left = [item["cause"] for item in done.document.get("remaining") or ()]
    outcome.verify = f"{done.document.get('outcome')}" + (f", left {left}" if left else "")
    if done.document.get("outcome") != "mended" or left:
        outcome.faults.append(f"fix: {outcome.verify}")
    if until < STAGES.index("undo"):
        return
    done = _run(place, outcome, "undo", "--yes")
    outcome.undo = str(done.code)
    if done.code != 0:
        outcome.faults.append(f"undo: {done.words}")
    outcome.compare("undo did not bring back", before, place.root)
