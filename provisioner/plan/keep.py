"""``--keep``: all that is installed is resolved anew around TensorFlow, with as little moved as may be.

First with the set's packages as a plan without it has them: as they were run, but for those that gave way to keep one's own whole (``settle``);
else as they were run; where that cannot be, within TensorFlow's own limits and what the catalogue knows. What came from no index (PEP 610), or is
a build of its own (``2.1.0+cpu``), cannot be had again by its hash: it stays, and what it requires is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from provisioner.base.names import RELEASED, is_rival, normalise
from provisioner.base.requirement import applies, name_of, read_requirement
from provisioner.base.versions import numbers
from provisioner.engines import uv
from provisioner.engines.wheels import Wheel, major_minor, pick, read_pylock, supported_tags
from provisioner.environment.distributions import Installed
from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.model.catalogue import NO_ADDON, Lock
from provisioner.model.plan import Moved
from provisioner.model.record import record
from provisioner.plan.extras import check_requirements, constraints_of, locked
from provisioner.plan.neighbours import Around
from provisioner.plan.settle import Room, settle


@record
class Kept:
    """The set with all that is resolved around it, and which of the set's own packages come in another version."""

    lock: Lock
    moved: tuple[Moved, ...]


@record
class _Question:
    """What does not change from try to try; ``staying`` are the distributions that cannot be had again.

    ``sets`` are the versions that the set's packages may have, by name, the best first.
    """

    around: Around
    lock: Lock
    room: Room
    sets: tuple[Mapping[str, str], ...]
    extra: tuple[str, ...]
    staying: tuple[Installed, ...]
    floor: str
    folder: str
    offline: bool


def resolve_all(  # noqa: PLR0913 - each is one part of the same question
    host: Host,
    around: Around,
    lock: Lock,
    room: Room,
    *,
    extra: tuple[str, ...],
    floor: str,
    folder: str,
    offline: bool,
    leaving: Collection[str] = (),
    fixed: Collection[str] = (),
) -> Kept:
    """Return the set with all of the user's own distributions that go with it; of the others nothing comes, and they stay as they are.

    ``leaving`` are names that are not asked for, ``fixed`` are those that others than uv take care of. ``extra`` are requirements of ``--with``;
    ``floor`` is the glibc or macOS of the machine, ``folder`` one of the tool's own that is there. Raises ``OperationError`` where the index
    cannot be reached.
    """
    check_requirements(extra)
    staying = tuple(item for item in around.own if item.direct or "+" in item.version or item.name in fixed)
    asked = _Question(
        around=around, lock=lock, room=room, sets=_sets(around, lock, room), extra=extra, staying=staying, floor=floor, folder=folder,
        offline=offline,
    )  # fmt: skip
    # What has no release for this TensorFlow is not looked for among halves of halves.
    without = {*leaving, *(name for name, limit in lock.addons.items() if limit == NO_ADDON)}
    names = sorted(item.name for item in around.own if item not in staying and item.name not in without)
    wheels = _most(partial(_fits, host, asked), names)
    if not wheels and extra:
        # What is asked for does not go with TensorFlow whatever else is kept: said by the resolver.
        _resolve(host, asked, [], None)
    own = {file.name: file for file in lock.files}
    found = {name: locked(wheel) for name, wheel in wheels.items()}
    files = {name: own[name] if name in own and own[name].version == file.version else file for name, file in found.items()}
    everything = {**own, **files}
    moved = tuple(
        Moved(name=name, pin=file.version, version=everything[name].version, keeps=_who(around, name))
        for name, file in own.items()
        if everything[name].version != file.version
    )
    return Kept(lock=replace(lock, files=tuple(sorted(everything.values(), key=lambda file: file.name))), moved=moved)


def orphans(around: Around, found: Lock, clashing: Iterable[str]) -> frozenset[str]:
    """Return those that are only there because something needed them that comes in another version, and that cannot stay as they are. Pure.

    Those are names that clash, and those for which nothing was found but a version of another series (pydantic-core 0.42 for 2.50); what a person
    named to pip is not there for something else alone. Whether what comes still needs them, the next resolution tells: it is made without them.
    """
    coming = {file.name: file.version for file in found.files}
    moves = {item.name for item in around.installed if coming.get(item.name, item.version) != item.version}
    far = {item.name for item in around.own if item.name in coming and series(coming[item.name]) != series(item.version)}
    needed_by = {
        name: {item.name for item in around.installed if any(name_of(text) == name for text in item.requires)}
        for name in {*clashing, *far} & {item.name for item in around.own if not item.requested}
    }
    return frozenset(name for name, others in needed_by.items() if others and others <= moves)


def series(version: str) -> tuple[int, ...]:
    """Return what versions have in common that are meant to go with the same code: the first number, and below 1 the second (``0.42``)."""
    first = numbers(version)[:2]
    return first if first[:1] == (0,) else first[:1]


def _who(around: Around, name: str) -> tuple[str, ...]:
    return tuple(item.name for item in around.own if any(name_of(text) == name for text in item.requires))


def _most(fits: object, names: list[str]) -> dict[str, Wheel]:
    """Return the answer for as many names as go together: all at once where that works; else halves, down to the single one."""
    taken: list[str] = []
    answer: dict[str, Wheel] | None = None

    def add(more: list[str]) -> None:
        nonlocal answer
        found = fits([*taken, *more])  # type: ignore[operator]
        if found is not None:
            taken.extend(more)
            answer = found
        elif len(more) > 1:
            add(more[: len(more) // 2])
            add(more[len(more) // 2 :])

    add(names)
    return answer or {}


def _sets(around: Around, lock: Lock, room: Room) -> tuple[Mapping[str, str], ...]:
    """Return the versions of the set's packages that are tried, as they keep the most of what is there and as they were run, each once."""
    settled, run = ({file.name: file.version for file in files} for files in (settle(around, lock.files, room).files, lock.files))
    return (run,) if settled == run else (settled, run)


def _fits(host: Host, asked: _Question, names: Sequence[str]) -> dict[str, Wheel] | None:
    """Return the wheels for TensorFlow with these, None where they do not go together."""
    for held in (*asked.sets, None):
        try:
            return _resolve(host, asked, names, held)
        except OperationError as error:  # noqa: PERF203 - twice
            if error.cause not in {"resolver-conflict", "platform-unsupported"}:
                raise
    return None


def _resolve(host: Host, asked: _Question, names: Sequence[str], held: Mapping[str, str] | None) -> dict[str, Wheel]:
    """Resolve with the set's packages in the versions ``held``, None for any within the limits; the best are preferred."""
    lock, around = asked.lock, asked.around
    own = next(file for file in lock.files if is_rival(file.name))
    pins = asked.sets[0] if held is None else held
    there = {item.name: item.version for item in around.own if item not in asked.staying}
    wanted = [f"{own.name}=={lock.release}", *names, *asked.extra, *_needs(asked)]
    # Under whatever name TensorFlow is asked for, it is there.
    others = [name for name in sorted(RELEASED) if name != own.name]
    text = uv.resolve(
        host,
        requirements="\n".join([*wanted, *(name for name in pins if not is_rival(name))]) + "\n",
        constraints=constraints_of(lock, pins, asked.room.limits if held is None else None, names=sorted(RELEASED)),
        folder=asked.folder,
        python=lock.python,
        platform=uv.platform_name(lock.platform, asked.floor),
        offline=asked.offline,
        without=[*(file.name for file in lock.files if file.source), *(item.name for item in asked.staying), *others],
        preferred={**there, **pins},
    )
    tags = supported_tags(lock.python, lock.platform, major_minor(asked.floor))
    return {name: pick(offered, tags) for name, offered in read_pylock(text).items()}


def _needs(asked: _Question) -> list[str]:
    """Return what those require that stay as they are."""
    staying = {item.name for item in asked.staying}
    found = []
    for item in asked.staying:
        for text in item.requires:
            try:
                requirement = read_requirement(text)
            except ValueError:
                continue
            own = normalise(requirement.name) in staying or requirement.url
            if not own and applies(requirement, {**asked.around.markers, "extra": ""}):
                found.append(text)
    return found
