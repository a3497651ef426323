"""What was run for each lock: the record in profiles/proofs.json, the locks that it is about, and what became of one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioner.catalogue import Catalogue
from provisioner.catalogue.tables import PROOFS_SCHEMA, read_proofs
from provisioner.model import codec
from provisioner.model.catalogue import Lock, LockDevice, Proof

PROOFS = Path(__file__).resolve().parent.parent / "profiles" / "proofs.json"
# In the order of the proofs; on the first of the platforms every lock must have been run.
LINUX, AARCH64, WINDOWS = "linux-x86_64", "linux-aarch64", "windows-x86_64"
PLATFORMS = (LINUX, AARCH64, WINDOWS)
DEVICES: tuple[LockDevice, ...] = ("cpu", "cuda", "cuda-conda")
# What a proof has only where there is something to say.
_RARE = ("stand_ins", "emulator", "fault")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one set: ``proof`` when it was verified or failed to be, ``fault`` in words when it was not."""

    proof: Proof | None
    fault: str
    seconds: float


def locks(catalogue: Catalogue, *, versions: Sequence[str], python: str, device: str, platform: str = LINUX) -> Iterator[Lock]:
    """Return the locks that were asked for, oldest release first."""
    for version in reversed(catalogue.versions()):
        for lock_python, lock_device in catalogue.locks(version, platform):
            wanted = (not versions or version in versions) and python in {"", lock_python} and lock_device == device
            lock = catalogue.lock(version, lock_python, platform, lock_device) if wanted else None
            if lock is not None:
                yield lock


def every(catalogue: Catalogue, platforms: Sequence[str] = PLATFORMS) -> list[Lock]:
    """Return the locks of some platforms in the order of their proofs."""
    return [
        lock
        for platform in platforms
        for device in DEVICES
        for lock in locks(catalogue, versions=(), python="", device=device, platform=platform)
    ]


def missing(catalogue: Catalogue, proofs: dict[str, Proof]) -> list[Lock]:
    """Return the locks for Linux on x86-64 that were neither run nor marked as not run."""
    return [lock for lock in every(catalogue, (LINUX,)) if lock.digest not in proofs]


def was_run(lock: Lock, proofs: dict[str, Proof]) -> bool:
    """True when the lock has a proof, and not only the mark that it has none."""
    return lock.digest in proofs and proofs[lock.digest].computed


def was_tried(lock: Lock, proofs: dict[str, Proof]) -> bool:
    """True when the lock was run, or it is known how it fails."""
    return was_run(lock, proofs) or (lock.digest in proofs and bool(proofs[lock.digest].fault))


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
    return {name: value for name, value in data.items() if value or name not in _RARE}
