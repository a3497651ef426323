"""One fault, tried: made, shown to be real, examined, mended, proved, taken back. What does not hold is said in words."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.bases import BASES, build, place_of
from tests.faults.fault import HEALTHY, Fault
from tests.faults.fingerprint import differences, fingerprint
from tests.faults.place import Place
from tests.faults.views import Asked, disagreements, independent_of

ROOT = Path(__file__).resolve().parent.parent.parent
STAGES = ("real", "doctor", "fix", "undo")
COMMAND_SECONDS = 600.0
# The command as the console script starts it: its own folder comes first on the module path, never the working folder.
SCRIPT = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom provisioner.__main__ import main\nsys.exit(main())\n"


@dataclass
class Outcome:
    """What became of one fault; ``faults`` is empty when all held."""

    name: str
    expected: str = ""
    shown: str = ""
    first: str = ""
    findings: list[str] = field(default_factory=list)
    severities: list[str] = field(default_factory=list)
    doctor: str = ""
    fix: str = ""
    verify: str = ""
    undo: str = ""
    views: str = ""
    again: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def data(self) -> dict[str, Any]:
        return asdict(self)

    def compare(self, words: str, before: dict[str, str], root: Path) -> int:
        """Say in what a place differs from what it was; return in how much."""
        found = differences(before, fingerprint(root))
        self.faults += [f"{words}: {difference}" for difference in found[:5]]
        return len(found)


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def document(self) -> dict[str, Any]:
        try:
            document = json.loads(self.out)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def words(self) -> str:
        document = self.document
        told = [
            f"{item.get('severity')} {item.get('cause')}: {item.get('title')} ({_seen(item)})" for item in document.get("findings") or ()
        ]
        return f"exit {self.code}: {' / '.join(told) or document.get('error') or (self.out + self.err).strip()[-1500:]}"


def root_of(fault: Fault, bases: Path, folder: Path) -> Path:
    """Return where a fault is made: where its base was, if that cannot be moved."""
    return folder / fault.name if not fault.base or BASES[fault.base].moves else place_of(fault.base, bases)


def make(fault: Fault, bases: Path, folder: Path) -> Place:
    """Make the place of a fault, broken."""
    root = root_of(fault, bases, folder)
    shutil.rmtree(root, ignore_errors=True)
    place = Place(root, base=fault.base, bases=bases)
    base = build(fault.base, bases) if fault.base else None
    root.mkdir(parents=True, exist_ok=True)
    place.work, place.home  # noqa: B018 - made here, so that they are there before anything is compared
    if base is not None:
        place.copy(base, place.env)
    fault.breaks(place)
    return place


def remove(place: Place) -> None:
    """Take a place away, with what it mounted."""
    for argv in reversed(place.undo):
        subprocess.run(argv, check=False, capture_output=True)
    if place.locked:
        subprocess.run(["chmod", "-R", "u+rwX", str(place.root)], check=False, capture_output=True)
    shutil.rmtree(place.root, ignore_errors=True)


def tfsetup(place: Place, *argv: str) -> Ended:
    """Run the command as a person who has this fault would, without a terminal."""
    script = place.root.parent / "tfsetup"
    if not script.exists():
        script.write_text(SCRIPT)
    where = ["--python", place.python] if place.python else ["--env", str(place.env)]
    started = time.monotonic()
    done = subprocess.run(
        [*place.prefix, sys.executable, str(script), argv[0], *where, *argv[1:]],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
        env=place.environment(),
        cwd=place.work,
        timeout=COMMAND_SECONDS,
    )
    return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - started)


def distributions(env: Path) -> dict[str, str]:
    """Return what is installed: normalised name -> version, from the names of the metadata folders."""
    found = {}
    for info in env.glob("lib/python3*/site-packages/*.dist-info"):
        name, _, version = info.name[: -len(".dist-info")].partition("-")
        found[re.sub(r"[-_.]+", "-", name).lower()] = version
    return found


def owners(env: Path) -> dict[str, str]:
    """Return the distribution of every file that a RECORD names, by its path below the environment."""
    found = {}
    for record in env.glob("lib/python3*/site-packages/*.dist-info/RECORD"):
        name = re.sub(r"[-_.]+", "-", record.parent.name.partition("-")[0]).lower()
        site = record.parent.parent.relative_to(env)
        for line in record.read_text(errors="replace").splitlines():
            path = line.rpartition(",")[0].rpartition(",")[0].strip('"')
            found.setdefault(str(site / path), name)
    return found


def changed(place: Place, before: dict[str, str], own: dict[str, str], were: dict[str, str]) -> set[str]:
    """Return the distributions of which a fix changed version or a file."""
    after, now = fingerprint(place.root), distributions(place.env)
    names = {name for name in were.keys() | now.keys() if were.get(name) != now.get(name)}
    own = {**own, **owners(place.env)}
    for path in before.keys() | after.keys():
        if before.get(path) != after.get(path) and path.startswith("env/") and path[4:] in own:
            names.add(own[path[4:]])
    return names


def try_fault(fault: Fault, bases: Path, folder: Path, *, until: str = "undo") -> Outcome:
    """Try one fault up to a stage, and take its place away again."""
    outcome = Outcome(fault.name, expected=" | ".join((fault.cause, *fault.also)))
    try:
        place = make(fault, bases, folder)
    except Exception:
        shutil.rmtree(root_of(fault, bases, folder), ignore_errors=True)
        raise
    try:
        _try(fault, place, outcome, STAGES.index(until))
    finally:
        remove(place)
    return outcome


def _try(fault: Fault, place: Place, outcome: Outcome, until: int) -> None:
    outcome.shown = place.show(fault.shown_by)
    if not re.search(fault.symptom, outcome.shown, re.MULTILINE):
        outcome.faults.append(f"the fault is not real: {fault.symptom!r} is not in what the program says: {outcome.shown[-1500:]}")
    if until < STAGES.index("doctor"):
        return
    before = fingerprint(place.root)
    _examine(fault, place, outcome)
    outcome.compare("doctor changed something", before, place.root)
    if until < STAGES.index("fix"):
        return
    _ask_others(fault, place, outcome)
    if fault.cause == HEALTHY:
        return
    own, were = owners(place.env), distributions(place.env)
    done = tfsetup(place, "fix", "--yes", "--json")
    outcome.fix, outcome.seconds["fix"] = f"{done.code}", done.seconds
    if fault.mend == "hand":
        left = {item["cause"] for item in done.document.get("remaining") or ()}
        # A warning that only a person can mend is told, and is no reason for another end than 0.
        if done.code == 0 and ("error" in outcome.severities or outcome.first not in left):
            outcome.faults.append(f"fix claims to have mended what it cannot: {done.words}")
        outcome.compare("fix changed something", before, place.root)
        return
    if done.code != 0:
        outcome.faults.append(f"fix: {done.words}")
        outcome.compare("the failed fix left", before, place.root)
        return
    said = (done.out + done.err).lower().replace("_", "-")
    outcome.faults += [f"fix changed {name} and did not say so" for name in sorted(changed(place, before, own, were)) if name not in said]
    _prove(place, outcome)
    if until < STAGES.index("undo"):
        return
    done = tfsetup(place, "undo", "--yes")
    outcome.undo = f"{done.code}"
    if done.code != 0:
        outcome.faults.append(f"undo: {done.words}")
    left = outcome.compare("undo did not bring back", before, place.root)
    outcome.undo += f", {left} differ" if left else ", same"


def _ask_others(fault: Fault, place: Place, outcome: Outcome) -> None:
    asked = Asked(
        verify=tfsetup(place, "verify", "--json").code,
        # A plan is for an environment; of an interpreter there is none.
        plan=tfsetup(place, "plan", "--exit-code", "--json").code if not place.python else -1,
        independent=independent_of(place, fault.base),
    )
    outcome.views = asked.cell
    outcome.faults += disagreements(fault, asked)


def _examine(fault: Fault, place: Place, outcome: Outcome) -> None:
    done = tfsetup(place, "doctor", "--json")
    outcome.doctor, outcome.seconds["doctor"] = f"{done.code}", done.seconds
    findings = done.document.get("findings")
    if fault.cause == HEALTHY:
        alarms = [item for item in findings or () if item["severity"] != "info"] if isinstance(findings, list) else []
        outcome.first = ", ".join(item["cause"] for item in alarms) or HEALTHY
        outcome.faults += [f"false alarm: {item['severity']} {item['cause']}: {item['title']} ({_seen(item)})" for item in alarms]
        if done.code != 0:
            outcome.faults.append(f"doctor ended with {done.code}, not with 0: {'' if alarms else done.words}")
        return
    if not isinstance(findings, list) or not findings:
        outcome.faults.append(f"doctor found nothing: {done.words}")
        return
    outcome.findings = [f"{item['cause']} {item['severity']} {item['confidence']}: {item['title']}" for item in findings]
    outcome.severities = [item["severity"] for item in findings]
    outcome.first = findings[0]["cause"]
    if done.code != 11:
        outcome.faults.append(f"doctor ended with {done.code}, not with 11")
    if outcome.first not in (fault.cause, *fault.also):
        outcome.faults.append(f"doctor says {outcome.first} first, not {outcome.expected} ({_seen(findings[0])})")
    if findings[0]["severity"] == "info":
        outcome.faults.append("the first finding is only information")


def _seen(finding: dict[str, Any]) -> str:
    return "; ".join(f"{item['where']}: {item['seen']}" for item in finding["evidence"][:4])[:600]


def _prove(place: Place, outcome: Outcome) -> None:
    done = tfsetup(place, "verify", "--json")
    outcome.verify, outcome.seconds["verify"] = f"{done.code}", done.seconds
    if done.code != 0:
        outcome.faults.append(f"verify after fix: {done.words}")
    done = tfsetup(place, "doctor", "--json")
    findings = done.document.get("findings") or []
    left = [item["cause"] for item in findings if item["severity"] != "info"] if isinstance(findings, list) else []
    if done.code != 0 or left:
        outcome.faults.append(f"doctor after fix: exit {done.code}, {left}")
    before = fingerprint(place.root)
    done = tfsetup(place, "fix", "--yes", "--json")
    outcome.again = f"{done.code} {done.document.get('outcome', '')}"
    if outcome.again != "0 healthy":
        outcome.faults.append(f"a second fix: {outcome.again}: {done.words}")
    outcome.compare("a second fix changed something", before, place.root)
