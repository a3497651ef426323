"""What changed from one lock to another: targets, releases, needs, and packages, each change once for all targets that share it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from provisioner.lock.needs import need_words
from provisioner.model.record import record
from provisioner.model.team import LockedTarget, TeamFile, TeamLock


@record
class Change:
    """One change: ``old`` is "" for what is new, ``new`` is "" for what is gone; ``targets`` are those that it holds for."""

    name: str
    old: str
    new: str
    targets: tuple[str, ...]
    why: str = ""


@record
class LockDiff:
    """All changes. ``targets`` are those that came or went; ``releases`` are TensorFlow's; ``settings`` are engine, cut-off and inputs."""

    targets: tuple[Change, ...] = ()
    releases: tuple[Change, ...] = ()
    needs: tuple[Change, ...] = ()
    packages: tuple[Change, ...] = ()
    settings: tuple[Change, ...] = ()

    @property
    def empty(self) -> bool:
        """True when the two locks say the same."""
        return not any(getattr(self, item.name) for item in dataclasses.fields(self))


def compare(old: TeamLock | None, new: TeamLock) -> LockDiff:
    """Return what changed; with ``old`` None all is new."""
    before = {item.target.name: item for item in old.targets} if old else {}
    after = {item.target.name: item for item in new.targets}
    both = [(before[name], after[name]) for name in after if name in before]
    targets = [Change(name=name, old="", new=_target(item), targets=(name,)) for name, item in after.items() if name not in before]
    targets += [Change(name=name, old=_target(item), new="", targets=(name,)) for name, item in before.items() if name not in after]
    targets += [
        Change(name=one.target.name, old=_target(one), new=_target(two), targets=(one.target.name,))
        for one, two in both
        if _target(one) != _target(two)
    ]
    return LockDiff(
        targets=tuple(targets),
        releases=_merged(
            Change(name="tensorflow", old=one.release, new=two.release, targets=(two.target.name,), why=two.proof)
            for one, two in both
            if one.release != two.release
        ),
        needs=_merged(change for one, two in both for change in _needs(one, two)),
        packages=_merged(change for one, two in both for change in _packages(one, two)),
        settings=tuple(_settings(old, new)) if old else (),
    )


def _target(locked: LockedTarget) -> str:
    target = locked.target
    kind = "" if target.kind == "venv" else ", conda" if target.source == "wheels" else ", conda, all from the channel"
    return f"{target.platform}, Python {target.python}, {target.device}{kind}"


def _merged(changes: Iterator[Change]) -> tuple[Change, ...]:
    """Join changes that differ in their target alone; by name."""
    found: dict[Change, list[str]] = {}
    for change in changes:
        found.setdefault(dataclasses.replace(change, targets=()), []).extend(change.targets)
    merged = [dataclasses.replace(change, targets=tuple(targets)) for change, targets in found.items()]
    return tuple(sorted(merged, key=lambda change: (change.name, change.targets)))


def _needs(old: LockedTarget, new: LockedTarget) -> Iterator[Change]:
    before, after = need_words(old.needs), need_words(new.needs)
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield Change(name=name, old=before.get(name, ""), new=after.get(name, ""), targets=(new.target.name,))
    asked = [" ".join(half.virtual) if half else "" for half in (old.conda, new.conda)]
    if asked[0] != asked[1]:
        yield Change(name="conda packages solved for", old=asked[0], new=asked[1], targets=(new.target.name,))


def _packages(old: LockedTarget, new: LockedTarget) -> Iterator[Change]:
    before, after = {file.name: file for file in old.files}, {file.name: file for file in new.files}
    for name in sorted({*before, *after}):
        one, two = before.get(name), after.get(name)
        if one is None or two is None or (one.version, one.sha256) != (two.version, two.sha256):
            yield Change(
                name=name, old=one.version if one else "", new=two.version if two else "", targets=(new.target.name,), why=_why(one, two)
            )
    yield from _checkouts(old, new)
    yield from _conda_packages(old, new)


def _checkouts(old: LockedTarget, new: LockedTarget) -> Iterator[Change]:
    """Yield the changes of commits, and of projects by their folders."""
    before, after = ({item.name: item.place for item in locked.checkouts} for locked in (old, new))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Change(name=name, old=before.get(name, ""), new=after.get(name, ""), targets=(new.target.name,), why="not from an index")


def _conda_packages(old: LockedTarget, new: LockedTarget) -> Iterator[Change]:
    """Yield the changes of conda packages; a name may be that of a wheel, too, so it says what it is. Builds tell where versions are the same."""
    before, after = ({item.name: item for item in half.packages} if half else {} for half in (old.conda, new.conda))
    for name in sorted({*before, *after}):
        one, two = before.get(name), after.get(name)
        if one is not None and two is not None and (one.identity, one.sha256) == (two.identity, two.sha256):
            continue
        same = one is not None and two is not None and one.version == two.version
        texts = [f"{item.version} {item.build}" if item and same else item.version if item else "" for item in (one, two)]
        why = "ANOTHER HASH under the same file name" if one and two and one.filename == two.filename else ""
        yield Change(name=f"{name} (conda)", old=texts[0], new=texts[1], targets=(new.target.name,), why=why)


def _why(old: TeamFile | None, new: TeamFile | None) -> str:
    if old is not None and new is not None and old.version == new.version:
        same = f"another file at {new.path}" if new.path else "ANOTHER HASH under the same file name"
        return f"another file: {new.filename}" if old.filename != new.filename else same
    if new is None:
        return ""
    return "part of the known-good set" if new.profile else f"via {', '.join(new.via)}" if new.via else ""


def _settings(old: TeamLock, new: TeamLock) -> Iterator[Change]:
    if old.engine != new.engine:
        yield Change(name="engine", old=old.engine, new=new.engine, targets=())
    if old.cutoff != new.cutoff:
        yield Change(name="uploaded before", old=old.cutoff, new=new.cutoff, targets=())
    for name in sorted({*old.cutoffs, *new.cutoffs}):
        one, two = old.cutoffs.get(name), new.cutoffs.get(name)
        if one != two:
            yield Change(name=f"{name} uploaded before", old=one or old.cutoff, new=two or new.cutoff, targets=())
    before, after = {item.name: item.sha256 for item in old.inputs}, {item.name: item.sha256 for item in new.inputs}
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            state = "changed" if name in before and name in after else ""
            yield Change(
                name=name, old=state or ("there" if name in before else ""), new=state or ("there" if name in after else ""), targets=()
            )
