"""Run locks for real and record it: make the environment, install by hash, verify in full, take it away again.

    python tools/prove.py                       every CPU lock that has no proof yet
    python tools/prove.py --device cuda         every CUDA lock that has no proof yet
    python tools/prove.py --device cuda-conda   those whose CUDA libraries come from conda, in conda environments (see below)
    python tools/prove.py 2.20.0 --python 3.12  these sets only
    python tools/prove.py --again               prove anew what has a proof
    python tools/prove.py --sample 2            two sets, other ones every day; proofs.json is checked, not written (what CI does)
    python tools/prove.py --check               run nothing: every lock must have been run, or be marked as not run
    python tools/prove.py --mark                run nothing: mark those that were not, so that everybody can see it
    python tools/prove.py --platform windows-x86_64      every set for Windows that the Pythons of the rig can run, under wine (see below)
    python tools/prove.py --platform linux-aarch64       those for Linux on aarch64 that Debian has a Python for, by qemu
    python tools/prove.py --minutes 9           begin no further set after so long
    python tools/prove.py --cache 3             let the installer's cache grow to so many GB

What was run is kept in profiles/proofs.json after every set, so a run that is stopped goes on where it was. The disk stays bounded: one
environment at a time, and the installer's cache (one of its own, .cache/prove) is emptied when it grows over the limit.

Sets for conda environments are run with the tests' own channel (tests/channel): this machine's Pythons packed for conda, and in the place of
cudatoolkit and cuDNN libraries of the same names that do nothing. So the whole set is installed and computes, and TensorFlow's own loader
opens every library that it asks for; what these would compute is not part of the proof, which says so.

Sets for Windows are run under wine (tools/prove_windows.py), which is no Windows, and those for Linux on aarch64 by qemu
(tools/prove_arm64.py): their level is "emulated". One that fails there keeps the level "resolved", with what was seen.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import proof_record  # noqa: E402 - the path is set above
from proof_record import AARCH64, DEVICES, LINUX, PLATFORMS, WINDOWS, Outcome  # noqa: E402

from provisioner.base.progress import Silent  # noqa: E402
from provisioner.base.text import size_words  # noqa: E402
from provisioner.catalogue import Catalogue, find_profiles  # noqa: E402
from provisioner.commands import plan  # noqa: E402 - the path is set above
from provisioner.commands.apply import execute_planned  # noqa: E402
from provisioner.errors import TfsetupError  # noqa: E402
from provisioner.facts import interpreters  # noqa: E402 - the path is set above
from provisioner.host.local import LocalHost  # noqa: E402
from provisioner.model.catalogue import Lock, Proof, computes_on  # noqa: E402
from provisioner.model.facts import machine_words  # noqa: E402
from provisioner.model.request import Request  # noqa: E402
from provisioner.session import Session  # noqa: E402

CACHE = ROOT / ".cache" / "prove"
CACHE_LIMIT_GB = 8.0


def sample(all_locks: Sequence[Lock], count: int, day: int) -> tuple[Lock, ...]:
    """Return ``count`` locks, other ones every day, so that all have their turn."""
    return tuple(all_locks[(day * count + number) % len(all_locks)] for number in range(min(count, len(all_locks))))


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


def make_room(lock: Lock, gigabytes: float = CACHE_LIMIT_GB) -> None:
    """Empty the installer's cache before it grows over the limit, and count the set.

    A walk over its hundred thousands of files takes minutes, so every set counts whole, as if nothing of it had been there, in a file of
    the cache itself.
    """
    limit, wanted = int(gigabytes * 1e9), sum(file.unpacked for file in lock.files)
    counted = CACHE / "counted"
    used = int(counted.read_text()) if counted.exists() else limit
    if used + wanted > limit:
        shutil.rmtree(CACHE, ignore_errors=True)
        used = 0
    CACHE.mkdir(parents=True, exist_ok=True)
    counted.write_text(str(used + wanted))


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Run locks for real and record it in profiles/proofs.json.")
    parser.add_argument("versions", nargs="*")
    parser.add_argument("--platform", default=LINUX, choices=PLATFORMS)
    parser.add_argument("--python", default="")
    parser.add_argument("--device", default="cpu", choices=DEVICES)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--cache", type=float, default=CACHE_LIMIT_GB)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--mark", action="store_true")
    return parser.parse_args(arguments)


def check(catalogue: Catalogue, proofs: dict[str, Proof]) -> int:
    """Say which locks were neither run nor marked, and how many were run where; status 1 where one is missing."""
    lacking = proof_record.missing(catalogue, proofs)
    run, emulated = (sum(proof.level == level for proof in proofs.values()) for level in ("run", "emulated"))
    marks = len(proofs) - run - emulated
    words = "\n".join(f"neither run nor marked: {lock.release} on Python {lock.python} for {lock.device}" for lock in lacking)
    print(words or f"every lock for {LINUX} was run, or is marked as not run ({run} proofs, {emulated} under an emulator, {marks} marks)")
    return 1 if lacking else 0


def chosen_of(options: argparse.Namespace, host: LocalHost, catalogue: Catalogue, proofs: dict[str, Proof]) -> Sequence[Lock]:
    """Return the locks to run, in that order."""
    asked = {"versions": options.versions, "python": options.python, "device": options.device, "platform": options.platform}
    chosen: Sequence[Lock] = tuple(proof_record.locks(catalogue, **asked))
    if options.platform != LINUX:
        chosen = elsewhere(options.platform).runnable(chosen)
    if options.sample:
        # A machine without the Python of a set cannot run it; those that it has rotate.
        here = {item.version.rsplit(".", 1)[0] for item in interpreters.probe(host, None).value or ()}
        runnable = [lock for lock in chosen if proof_record.was_run(lock, proofs) and lock.python in here]
        return sample(runnable, options.sample, dt.datetime.now(dt.timezone.utc).toordinal())
    return chosen if options.again else tuple(lock for lock in chosen if not proof_record.was_tried(lock, proofs))


def elsewhere(platform: str) -> ModuleType:
    """Return what runs sets of a platform under an emulator; it needs the tests' rig."""
    return importlib.import_module({WINDOWS: "prove_windows", AARCH64: "prove_arm64"}[platform])


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; status 1 when a set failed or a proof is missing."""
    options = options_of(arguments)
    # An installer's cache of its own can be emptied without taking anybody's downloads.
    os.environ["UV_CACHE_DIR"] = str(CACHE)
    host = LocalHost()
    catalogue = Catalogue.open(host, find_profiles())
    proofs = proof_record.read()
    if options.check:
        return check(catalogue, proofs)
    everything = proof_record.every(catalogue)
    if options.mark:
        marks = {lock.digest: Proof(lock=lock.digest, level="resolved") for lock in proof_record.missing(catalogue, proofs)}
        proof_record.write({**proofs, **marks}, everything)
        return 0
    chosen = chosen_of(options, host, catalogue, proofs)
    failed = run = 0
    with tempfile.TemporaryDirectory(prefix="tfsetup-prove-", dir=ROOT / ".cache" if (ROOT / ".cache").exists() else None) as folder:
        one = prover(options.platform, host, Path(folder)) if chosen else None
        until = time.monotonic() + options.minutes * 60
        for number, lock in enumerate(chosen, 1):
            if one is None or time.monotonic() > until:
                break
            make_room(lock, options.cache)
            outcome = one(lock)
            name = f"{lock.release} on Python {lock.python} for {lock.device}"
            print(f"[{number}/{len(chosen)}] {name}: {outcome.fault or 'verified'} ({outcome.seconds:.0f} s)", flush=True)
            run += 1
            failed += bool(outcome.fault)
            if outcome.proof is not None and not options.sample:
                # Others may have recorded theirs meanwhile.
                proof_record.write({**proof_record.read(), lock.digest: outcome.proof}, everything)
    free = shutil.disk_usage(ROOT).free
    print(f"{run - failed} passed, {failed} failed, {len(chosen) - run} left; {size_words(free)} free on the disk")
    return 1 if failed else 0


def prover(platform: str, host: LocalHost, folder: Path) -> Callable[[Lock], Outcome]:
    """Return what runs one set of the platform and takes it away again."""
    if platform == LINUX:
        return partial(prove, host, folder=folder)
    there = elsewhere(platform)
    there.ready()
    return partial(there.prove, host)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
