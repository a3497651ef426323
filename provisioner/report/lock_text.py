"""What `tfsetup lock` did, as text and as a document."""

from __future__ import annotations

from provisioner.base.text import mask
from provisioner.lock.needs import spec_words
from provisioner.model.record import record
from provisioner.model.request import Kind
from provisioner.model.team import LockedTarget, Needs, TeamLock

SCHEMA = "tfsetup/lock/1"


@record
class TargetReport:
    """One target as it was locked: ``files`` counts all wheels, ``own`` those beside the known-good set, ``conda`` the conda packages.

    ``virtual`` are the virtual packages that the machines of a conda target were taken to have.
    """

    name: str
    release: str
    platform: str
    python: str
    device: str
    files: int
    own: int
    proof: str
    needs: Needs
    kind: Kind = "venv"
    conda: int = 0
    virtual: tuple[str, ...] = ()
    own_proof: str = ""


@record
class LockReport:
    """What `tfsetup lock` did: ``changed`` names the files that were written or removed in ``folder``."""

    folder: str
    engine: str
    cutoff: str
    changed: tuple[str, ...]
    warnings: tuple[str, ...]
    targets: tuple[TargetReport, ...]


def lock_report(folder: str, lock: TeamLock, changed: tuple[str, ...], warnings: tuple[str, ...]) -> LockReport:
    """Return the report that `--json` prints."""
    targets = tuple(
        TargetReport(
            name=locked.target.name,
            release=locked.release,
            platform=locked.target.platform,
            python=locked.target.python,
            device=locked.target.device,
            files=len(locked.files),
            own=_own(locked),
            proof=locked.proof,
            needs=locked.needs,
            kind=locked.target.kind,
            conda=len(locked.conda.packages) if locked.conda else 0,
            virtual=locked.conda.virtual if locked.conda else (),
            own_proof=locked.own_proof,
        )
        for locked in lock.targets
    )
    return LockReport(folder=folder, engine=lock.engine, cutoff=lock.cutoff, changed=changed, warnings=warnings, targets=targets)


def _own(locked: LockedTarget) -> int:
    return sum(not file.profile for file in locked.files)


def lock_text(folder: str, lock: TeamLock, changed: tuple[str, ...], warnings: tuple[str, ...]) -> str:
    """Return what a person is told."""
    lines = [f"Locked in {folder}, with files uploaded before {lock.cutoff} ({lock.engine})"]
    for locked in lock.targets:
        lines.append(f"  {locked.target.name}: {_target_words(locked)}")
        lines.append(f"      proof: {locked.proof}")
        lines += [f"      your own: {locked.own_proof}"] if locked.own_proof else []
        lines.append(f"      needs: {needs_words(locked.needs)}")
        places = [f"{file.name} {file.version} (from {file.path or mask(file.url)})" for file in locked.files if file.direct or file.path]
        places += [f"{item.name} ({mask(item.place)})" for item in locked.checkouts]
        lines += [f"      not from an index: {', '.join(places)}"] if places else []
        built = [f"{file.name} {file.version}" for file in locked.files if file.source and not file.profile]
        lines += [f"      will be built where it is installed: {', '.join(built)}"] if built else []
        if locked.conda is not None:
            lines.append(f"      solved for: {', '.join(locked.conda.virtual)}; from {', '.join(locked.conda.channels)}")
    lines.append("")
    lines += [f"wrote    {name}" for name in changed] or ["Nothing has changed: every file is as it was"]
    lines += [f"warning: {text}" for text in warnings]
    return "\n".join(lines)


def _target_words(locked: LockedTarget) -> str:
    target = locked.target
    what = f"TensorFlow {locked.release}, {target.platform}, Python {target.python}, {target.device}"
    if locked.conda is None:
        return f"{what}: {len(locked.files)} packages, {_own(locked)} of them beside the known-good set"
    by_conda = f"{what}: a conda environment of {len(locked.conda.packages)} conda packages"
    if target.source == "conda":
        return by_conda
    return f"{by_conda} and {len(locked.files)} wheels, {_own(locked)} of them beside the known-good set"


def needs_words(needs: Needs) -> str:
    """Say what a machine must have."""
    parts = [f"{needs.platform}, Python {needs.python}"]
    parts += [f"glibc {needs.glibc} or newer"] if needs.glibc else []
    parts += [f"macOS {needs.macos} or newer"] if needs.macos else []
    parts += [f"a processor with {', '.join(needs.cpu_features)}"] if needs.cpu_features else []
    parts += [f"NVIDIA driver {needs.driver} or newer"] if needs.driver else []
    parts += [f"conda's {', '.join(map(spec_words, needs.virtual))}"] if needs.virtual else []
    return "; ".join(parts)
