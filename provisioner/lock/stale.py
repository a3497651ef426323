"""Whether a written lock still says what its inputs, the catalogue and its own files say; nobody is asked and nothing is changed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Literal

from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.lock import sidecar, store
from provisioner.lock.choosing import ChosenSet
from provisioner.lock.formats import pins, requirements
from provisioner.model.record import record
from provisioner.model.team import Inputs, TeamLock

Kind = Literal["lock", "input", "catalogue", "target", "file", "index"]

MISSING = "is missing"


@record
class Difference:
    """One reason why a lock is stale: ``name`` is the input, target or file, ``why`` a sentence that goes on after it."""

    kind: Kind
    name: str
    why: str


def differences(reader: Reader, folder: str, before: TeamLock, inputs: Inputs, sets: Sequence[ChosenSet]) -> tuple[Difference, ...]:
    """Return everything that is not as it was when the lock in ``folder`` was written: inputs, known-good sets, targets, files."""
    found = (*changed_inputs(before, inputs), *changed_sets(before, sets))
    return (*found, *changed_files(reader, folder, before))


def changed_inputs(before: TeamLock, inputs: Inputs) -> Iterator[Difference]:
    """Compare the digests of the inputs."""
    old = {item.name: item.sha256 for item in before.inputs}
    new = {item.name: item.sha256 for item in inputs.digests}
    for name in sorted({*old, *new}):
        if name not in old:
            yield Difference(kind="input", name=name, why="is new since the lock was made")
        elif name not in new:
            yield Difference(kind="input", name=name, why="was there when the lock was made, and is not any more")
        elif old[name] != new[name]:
            yield Difference(kind="input", name=name, why="has changed since the lock was made")


def changed_sets(before: TeamLock, sets: Sequence[ChosenSet]) -> Iterator[Difference]:
    """Compare targets and their known-good sets."""
    locked = {item.target.name: item for item in before.targets}
    wanted = {target.name for target, _, _ in sets}
    for name in locked:
        if name not in wanted:
            yield Difference(kind="target", name=name, why="is locked, and not declared any more")
    for target, lock, _ in sets:
        old = locked.get(target.name)
        if old is None:
            yield Difference(kind="target", name=target.name, why="is declared, and not locked yet")
        elif old.target != target:
            yield Difference(kind="target", name=target.name, why="is declared otherwise than it was locked")
        elif lock.release and old.release != lock.release:
            why = f"is locked with TensorFlow {old.release}, which will not do any more; {lock.release} would be taken"
            yield Difference(kind="catalogue", name=target.name, why=why)
        elif old.profile != lock.digest:
            why = f"has another known-good set for TensorFlow {lock.release} in the catalogue of this tfsetup than when the lock was made"
            yield Difference(kind="catalogue", name=target.name, why=why)
    if set(locked) == wanted and list(locked) != [target.name for target, _, _ in sets]:
        yield Difference(kind="target", name=", ".join(target.name for target, _, _ in sets), why="are declared in another order")


def changed_files(reader: Reader, folder: str, lock: TeamLock) -> Iterator[Difference]:
    """Compare the written files with their digests; line ends that git made Windows' own on checking out count as unchanged."""
    if any(reader.exists(posixpath.join(folder, name)) for name in (store.PREPARED, store.PENDING)):
        yield Difference(kind="lock", name=folder, why="holds what an interrupted run left; `tfsetup lock` brings it to its end")
    held = {requirements.file_name(locked.target.name): pins(locked, as_asked=True) for locked in lock.targets}
    for item in lock.written:
        path = posixpath.join(folder, item.name)
        if not reader.exists(path):
            yield Difference(kind="file", name=item.name, why=MISSING)
            continue
        try:
            text = store.read_file(reader, path)
        except InputError as error:
            yield Difference(kind="file", name=item.name, why=error.message)
            continue
        if sidecar.digest(text.replace("\r\n", "\n")) != item.sha256:
            yield Difference(kind="file", name=item.name, why="was changed by something else than `tfsetup lock`")
        elif item.name in held and requirements.read(text.replace("\r\n", "\n"), file=item.name) != held[item.name]:
            yield Difference(kind="lock", name=sidecar.NAME, why=f"holds other packages than {item.name}")
