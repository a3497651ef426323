"""The second strength of known good: where the team's requirements clash with the set as it was run, its packages make room for them.

TensorFlow itself and the CUDA libraries stay; of all others the versions of the set are kept wherever the requirements let them, and none
leaves what TensorFlow's metadata asks for, nor what the catalogue knows to be bad.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from provisioner.base.requirement import name_of
from provisioner.catalogue.limits import stays
from provisioner.engines.resolving import Job, Resolved
from provisioner.model.catalogue import Lock
from provisioner.model.team import Moved


def loosened(job: Job, lock: Lock, limits: Sequence[str]) -> Job:
    """Return the job in which the packages of the set are preferred and no longer required; ``limits`` are how far they may go."""
    pins = {f"{file.name}=={file.version}": file for file in lock.files}
    asked = tuple(text if text not in pins or stays(pins[text]) else pins[text].name for text in job.requirements)
    return replace(
        job,
        requirements=asked,
        constraints=tuple(dict.fromkeys([*job.constraints, *limits])),
        preferred=tuple(pins),
        exempt=tuple(file.name for file in lock.files if stays(file)),
    )


def moved_by(lock: Lock, answer: Resolved, requirements: Sequence[str]) -> tuple[Moved, ...]:
    """Return the packages of a set that an answer has in another version, each with what asked for that."""
    named = {name_of(text): text for text in requirements}
    known = {file.name for file in lock.files}
    found = []
    for file in lock.files:
        offered = answer.offered.get(file.name)
        if offered and offered[0].version != file.version:
            found.append(Moved(name=file.name, was=file.version, now=offered[0].version, why=_why(file.name, named, known, answer)))
    return tuple(found)


def _why(name: str, named: Mapping[str, str], known: set[str], answer: Resolved) -> str:
    """Say who wants another version: the requirement on it, else those of the team's that need it, else what moved with it."""
    if name in named:
        return f"`{named[name]}`"
    origins = [origin for origin in answer.via.get(name, ()) if origin not in known]
    return f"needed by {', '.join(origins[:3])}" if origins else "goes with the others"


def unmoved(lock: Lock, moved: Sequence[Moved]) -> Lock:
    """Return the set without what was moved: what of it is known by its hash."""
    gone = {item.name for item in moved}
    return replace(lock, files=tuple(file for file in lock.files if file.name not in gone))
