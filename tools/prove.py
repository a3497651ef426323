"""Run locks for real and record it: make the environment, install by hash, verify in full, take it away again.

    python tools/prove.py                       every CPU lock that has no proof yet
    python tools/prove.py --device cuda         every CUDA lock that has no proof yet
    python tools/prove.py --device cuda-conda   those whose CUDA libraries come from conda, in conda environments (see below)
    python tools/prove.py 2.20.0 --python 3.12  these sets only
    python tools/prove.py --again               prove anew what has a proof
    python tools/prove.py --sample 2            two sets, other ones every day; proofs.json is checked, not written (what CI does)
    python tools/prove.py --check               run nothing: every lock must have been run, or be marked as not run
    python tools/prove.py --mark                run nothing: mark those that were not, so that everybody can see it

What was run is kept in profiles/proofs.json after every set, so a run that is stopped goes on where it was. The disk stays bounded: one
environment at a time, and the installer's cache (one of its own, .cache/prove) is emptied when it grows over the limit.

Sets for conda environments are run with the tests' own channel (tests/channel): this machine's Pythons packed for conda, and in the place of
cudatoolkit and cuDNN libraries of the same names that do nothing. So the whole set is installed and computes, and TensorFlow's own loader
opens every library that it asks for; what these would compute is not part of the proof, which says so.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from provisioner.base.progress import Silent  # noqa: E402
from provisioner.base.text import size_words  # noqa: E402
from provisioner.catalogue import Catalogue, find_profiles  # noqa: E402
from provisioner.catalogue.tables import PROOFS_SCHEMA, read_proofs  # noqa: E402
from provisioner.commands import plan  # noqa: E402 - the path is set above
from provisioner.commands.apply import execute_planned  # noqa: E402
from provisioner.errors import TfsetupError  # noqa: E402
from provisioner.facts import interpreters  # noqa: E402 - the path is set above
from provisioner.host.local import LocalHost  # noqa: E402
from provisioner.model import codec  # noqa: E402
from provisioner.model.catalogue import Lock, LockDevice, Proof, computes_on  # noqa: E402
from provisioner.model.facts import machine_words  # noqa: E402
from provisioner.model.request import Request  # noqa: E402
from provisioner.session import Session  # noqa: E402

PROOFS = ROOT / "profiles" / "proofs.json"
CACHE = ROOT / ".cache" / "prove"
CACHE_LIMIT = 8_000_000_000
PLATFORM = "linux-x86_64"
# In the order of the proofs; sets whose CUDA libraries are conda packages are not run here, which makes virtual environments.
DEVICES: tuple[LockDevice, ...] = ("cpu", "cuda", "cuda-conda")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one set: ``proof`` when it was verified, ``fault`` in words when not."""

    proof: Proof | None
    fault: str
    seconds: float


def locks(catalogue: Catalogue, *, versions: Sequence[str], python: str, device: str) -> Iterator[Lock]:
    """Return the locks that were asked for, oldest release first."""
    for version in reversed(catalogue.versions()):
        for lock_python, lock_device in catalogue.locks(version, PLATFORM):
            wanted = (not versions or version in versions) and python in {"", lock_python} and lock_device == device
            lock = catalogue.lock(version, lock_python, PLATFORM, lock_device) if wanted else None
            if lock is not None:
                yield lock


def sample(all_locks: Sequence[Lock], count: int, day: int) -> tuple[Lock, ...]:
    """Return ``count`` locks, other ones every day, so that all have their turn."""
    return tuple(all_locks[(day * count + number) % len(all_locks)] for number in range(min(count, len(all_locks))))


def read() -> dict[str, Proof]:
    """Return the proofs that are recorded."""
    if not PROOFS.exists():
        return {}
    return read_proofs(json.loads(PROOFS.read_text(encoding="utf-8")), file=str(PROOFS))


def write(proofs: dict[str, Proof], known: Sequence[Lock]) -> None:
    """Record the proofs, one a line, those of locks that are no more left out."""
    order = {lock.digest: number for number, lock in enumerate(known)}
    kept = sorted((proof for proof in proofs.values() if proof.lock in order), key=lambda proof: order[proof.lock])
    lines = ",\n".join("  " + json.dumps(_line(proof)) for proof in kept)
    text = f'{{"schema": "{PROOFS_SCHEMA}", "proofs": [\n{lines}\n]}}\n'
    beside = PROOFS.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(PROOFS)


def _line(proof: Proof) -> dict[str, object]:
    data: dict[str, object] = codec.to_data(proof)
    return data if proof.stand_ins else {name: value for name, value in data.items() if name != "stand_ins"}


def request_of(lock: Lock, env: Path) -> Request:
    """Return the request that ``lock`` is the answer to."""
    asked = Request(tensorflow=f"=={lock.release}", python=f"=={lock.python}.*", device=computes_on(lock.device), env=str(env))
    if lock.device != "cuda-conda":
        return asked
    from tests.channel import build, cuda  # noqa: PLC0415 - only for conda environments

    channel = build.build(CACHE.with_name("prove-channel"), [*build.pythons(lock.python), *cuda.every()])
    return replace(asked, kind="conda", channels=(str(channel.folder),))


def prove(host: LocalHost, lock: Lock, folder: Path) -> Outcome:
    """Make the environment of ``lock`` in ``folder``, verify it, and take it away."""
    env = folder / f"tf-{lock.release}-{lock.python}-{lock.device}"
    started = host.now()
    request = request_of(lock, env)
    try:
        session = Session(host)
        planned = plan.plan(session, request)
        if planned.lock.digest != lock.digest:
            return Outcome(proof=None, fault="the plan chose another lock", seconds=0.0)
        executed, _ = execute_planned(session, planned, progress=Silent(), wait=0)
        seconds = (host.now() - started).total_seconds()
        if not executed.kept:
            faults = [f"{finding.cause}: {finding.title}" for finding in executed.verification.findings if finding.severity == "error"]
            faults += [f"{check.name}: {check.detail}" for check in executed.verification.checks if check.status in {"failed", "crashed"}]
            return Outcome(proof=None, fault="; ".join(faults) or "not verified", seconds=seconds)
        passed = sum(check.status == "passed" for check in executed.verification.checks)
        gpus = planned.facts.gpus.value or ()
        proof = Proof(
            lock=lock.digest,
            level="run",
            date=started.date().isoformat(),
            machine=machine_words(planned.facts),
            checks=passed,
            gpu=", ".join(sorted({gpu.name for gpu in gpus})) if lock.device == "cuda" else "",
            stand_ins="CUDA's libraries" if lock.device == "cuda-conda" else "",
        )
        return Outcome(proof=proof, fault="", seconds=seconds)
    except TfsetupError as error:
        return Outcome(proof=None, fault=str(error), seconds=(host.now() - started).total_seconds())
    finally:
        shutil.rmtree(env, ignore_errors=True)


def make_room(lock: Lock) -> None:
    """Empty the installer's cache before it grows over the limit, and count the set.

    A walk over its hundred thousands of files takes minutes, so every set counts whole, as if nothing of it had been there, in a file of
    the cache itself.
    """
    counted, wanted = CACHE / "counted", sum(file.unpacked for file in lock.files)
    used = int(counted.read_text()) if counted.exists() else CACHE_LIMIT
    if used + wanted > CACHE_LIMIT:
        shutil.rmtree(CACHE, ignore_errors=True)
        used = 0
    CACHE.mkdir(parents=True, exist_ok=True)
    counted.write_text(str(used + wanted))


def missing(catalogue: Catalogue, proofs: dict[str, Proof]) -> list[Lock]:
    """Return the locks for Linux on x86-64 that were neither run nor marked as not run."""
    return [lock for device in DEVICES for lock in locks(catalogue, versions=(), python="", device=device) if lock.digest not in proofs]


def was_run(lock: Lock, proofs: dict[str, Proof]) -> bool:
    """True when the lock has a proof, and not only the mark that it has none."""
    return lock.digest in proofs and proofs[lock.digest].level == "run"


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; status 1 when a set failed or a proof is missing."""
    parser = argparse.ArgumentParser(description="Run locks for real and record it in profiles/proofs.json.")
    parser.add_argument("versions", nargs="*")
    parser.add_argument("--python", default="")
    parser.add_argument("--device", default="cpu", choices=DEVICES)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--mark", action="store_true")
    options = parser.parse_args(arguments)
    # An installer's cache of its own can be emptied without taking anybody's downloads.
    os.environ["UV_CACHE_DIR"] = str(CACHE)
    host = LocalHost()
    catalogue = Catalogue.open(host, find_profiles())
    proofs = read()
    if options.check:
        lacking = missing(catalogue, proofs)
        run = sum(proof.level == "run" for proof in proofs.values())
        words = "\n".join(f"neither run nor marked: {lock.release} on Python {lock.python} for {lock.device}" for lock in lacking)
        print(words or f"every lock for {PLATFORM} was run, or is marked as not run ({run} proofs, {len(proofs) - run} marks)")
        return 1 if lacking else 0
    everything = [lock for device in DEVICES for lock in locks(catalogue, versions=(), python="", device=device)]
    if options.mark:
        write({**proofs, **{lock.digest: Proof(lock=lock.digest, level="resolved") for lock in missing(catalogue, proofs)}}, everything)
        return 0
    chosen = tuple(locks(catalogue, versions=options.versions, python=options.python, device=options.device))
    if options.sample:
        # A machine without the Python of a set cannot run it; those that it has rotate.
        here = {item.version.rsplit(".", 1)[0] for item in interpreters.probe(host, None).value or ()}
        runnable = [lock for lock in chosen if was_run(lock, proofs) and lock.python in here]
        chosen = sample(runnable, options.sample, dt.datetime.now(dt.timezone.utc).toordinal())
    elif not options.again:
        chosen = tuple(lock for lock in chosen if not was_run(lock, proofs))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="tfsetup-prove-", dir=ROOT / ".cache" if (ROOT / ".cache").exists() else None) as folder:
        for number, lock in enumerate(chosen, 1):
            make_room(lock)
            outcome = prove(host, lock, Path(folder))
            name = f"{lock.release} on Python {lock.python} for {lock.device}"
            print(f"[{number}/{len(chosen)}] {name}: {outcome.fault or 'verified'} ({outcome.seconds:.0f} s)", flush=True)
            failed += outcome.proof is None
            if outcome.proof is not None and not options.sample:
                proofs[lock.digest] = outcome.proof
                write(proofs, everything)
    free = shutil.disk_usage(ROOT).free
    print(f"{len(chosen) - failed} passed, {failed} failed; {size_words(free)} free on the disk")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
