"""Let doctor look at healthy environments: make each set of the catalogue, examine it, take it away. A finding is a false alarm.

    python tools/examine.py                       every CPU lock that was not examined yet
    python tools/examine.py --without-bodies      by the wheels' lists of files and their metadata alone (tools/skeleton.py): doctor's checks of
                                                  packages and files, and whether plan has nothing to do
    python tools/examine.py --device cuda         every CUDA lock that was not examined yet
    python tools/examine.py 2.20.0 --python 3.12  these sets only
    python tools/examine.py --again               anew, what was examined too
    python tools/examine.py --newest              the newest patch of each minor release, on its newest Python

What was found is kept in tools/examined.json after every set, so a run that is stopped goes on where it was, in whichever checkout. Disk and cache
are those of tools/prove.py, which proves that the same sets compute; here nothing is computed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from proof_record import locks
from prove import CACHE, ROOT, make_room
from skeleton import Bodies, Once, build, fetch

from provisioner.base.progress import SILENT, Silent
from provisioner.base.versions import minor_of
from provisioner.catalogue import Catalogue, find_profiles
from provisioner.change.execute import execute
from provisioner.commands import plan
from provisioner.commands.doctor import doctor as examined_by_doctor
from provisioner.diagnose.gather import Options
from provisioner.errors import TfsetupError
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import Lock, computes_on
from provisioner.model.finding import Check, Verification
from provisioner.model.request import Request
from provisioner.session import Session
from tests.found import Found

EXAMINED = Path(__file__).with_name("examined.json")
DOCTOR_SECONDS = 600.0
# The checks of doctor that rest on metadata, lists of files and recorded hashes; where the loader finds CUDA, only the libraries themselves tell.
CHECKS = (
    "installed",
    "pip",
    "records",
    "writers",
    "metadata",
    "wheels",
    "rivals",
    "set",
    "requirements",
    "misfits",
    "addons",
    "deprecated",
)


def doctor(env: str) -> tuple[str, ...]:
    """Run the command, and return what should not be there: findings that are more than information, checks that crashed, another end."""
    argv = [sys.executable, "-m", "provisioner", "doctor", "--env", env, "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT, timeout=DOCTOR_SECONDS)
    if done.returncode not in {0, 11}:
        return (f"exit {done.returncode}: {done.stderr.strip()[-800:]}",)
    document = json.loads(done.stdout)
    alarms = [item for item in document["findings"] if item["severity"] != "info"]
    said = [
        f"{item['severity']} {item['cause']}: {item['title']} ({'; '.join(seen['seen'] for seen in item['evidence'][:3])})"
        for item in alarms
    ]
    said += [f"{check['name']}: {check['result']} ({check['detail']})" for check in document["checks"] if check["result"] == "crashed"]
    return tuple(said)


def examine(host: LocalHost, lock: Lock, folder: Path) -> tuple[str, ...]:
    """Make the environment of ``lock``, let doctor look at it in the place of the proof, and take it away."""
    env = folder / f"tf-{lock.release}-{lock.python}-{lock.device}"
    request = Request(tensorflow=f"=={lock.release}", python=f"=={lock.python}.*", device=computes_on(lock.device), env=str(env))
    found: list[str] = []

    def look(root: str) -> Verification:
        found.extend(doctor(root))
        check = Check(name="doctor", status="failed" if found else "passed")
        return Verification(env=root, python="", tensorflow="", device=lock.device, checks=(check,), libraries=(), findings=())

    try:
        planned = plan.plan(Session(host), request)
        if planned.lock.digest != lock.digest:
            return ("the plan chose another lock",)
        execute(planned.plan, host, prove=look, progress=Silent(), wait=0)
    except TfsetupError as error:
        return (*found, str(error))
    finally:
        shutil.rmtree(env, ignore_errors=True)
    return tuple(found)


def without_bodies(lock: Lock, folder: Path, catalogue: Catalogue) -> tuple[str, ...]:
    """Ask doctor and plan about the environment of ``lock`` as its wheels' metadata and lists of files make it."""
    env = folder / f"tf-{lock.release}-{lock.python}-{lock.device}"
    host = Bodies(os.path.realpath(env))
    failed = fetch(lock, folder)
    if failed:
        return tuple(failed)
    try:
        build(host, lock, catalogue)
        options = Options(cwd=host.root, importing=False, static=True)
        session = Once(host)
        seen = examined_by_doctor(session, env=host.root, options=options, only=CHECKS, progress=SILENT).examination
        found = [
            f"doctor: {item.severity} {item.cause}: {'; '.join(f'{it.where}: {it.seen}' for it in item.evidence[:3])}"
            for item in seen.findings
            if item.severity != "info"
        ]
        found += [
            f"doctor: {item.name} {item.result}: {item.detail}" for item in seen.checks if item.result in {"crashed", "could not tell"}
        ]
        planned = plan.plan(session, Request(tensorflow=f"=={lock.release}", device=computes_on(lock.device), env=host.root))
        made = planned.plan
        found += ["plan: another lock"] if planned.lock.digest != lock.digest else []
        found += [f"plan: {item.name} {item.version} comes" for item in made.packages]
        found += [f"plan: {item.name} {item.version} goes: {item.reason}" for item in made.removals]
        found += [f"plan: {mark.where} {mark.words}" for mark in made.unmended]
        found += ["plan: something is to be done"] if planned.pending and not found else []
        return tuple(found)
    except TfsetupError as error:
        return (f"{error}",)
    finally:
        shutil.rmtree(env, ignore_errors=True)


def newest(chosen: Sequence[Lock]) -> tuple[Lock, ...]:
    """Return one lock for each minor release: ``chosen`` comes oldest first, Pythons in order."""
    return tuple({minor_of(lock.release): lock for lock in chosen}.values())


def main(arguments: Sequence[str]) -> int:
    """Examine what was asked for; status 1 when there was a false alarm."""
    parser = argparse.ArgumentParser(description="Let doctor look at healthy environments.")
    parser.add_argument("versions", nargs="*")
    parser.add_argument("--python", default="")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--newest", action="store_true")
    parser.add_argument("--without-bodies", action="store_true")
    options = parser.parse_args(arguments)
    if not options.without_bodies:
        os.environ.setdefault("UV_CACHE_DIR", str(CACHE))
    host = LocalHost()
    catalogue = Catalogue.open(host, find_profiles())
    chosen = tuple(locks(catalogue, versions=options.versions, python=options.python, device=options.device))
    chosen = newest(chosen) if options.newest else chosen
    found, failed = Found(EXAMINED), 0
    (ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tfsetup-examine-", dir=ROOT / ".cache") as folder:
        if options.without_bodies:
            os.environ["TFSETUP_CACHE_DIR"] = f"{folder}/cache"
        for lock in chosen:
            name = f"{lock.release} on Python {lock.python} for {lock.device}"
            key = f"{name}, without bodies" if options.without_bodies else name
            # A set with an alarm is looked at again: what was wrong may have been mended. So is one whose lock was resolved anew.
            if not options.again and not found.wants(key) and found.known[key]["lock"] == lock.digest:
                continue
            started = time.monotonic()
            if options.without_bodies:
                alarms = without_bodies(lock, Path(folder), catalogue)
            else:
                if os.environ["UV_CACHE_DIR"] == str(CACHE):
                    make_room(lock)
                alarms = examine(host, lock, Path(folder))
            failed += bool(alarms)
            print(f"{name}: {'; '.join(alarms) or 'healthy'} ({time.monotonic() - started:.0f} s)", flush=True)
            found.keep(key, {"lock": lock.digest, "faults": list(alarms)})
    print(f"{failed} with a false alarm")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
