"""``--keep``: all that is installed is resolved anew around TensorFlow, with as little moved as may be.

First with the set's packages as they are, which were run; where that cannot be, within TensorFlow's own limits and what the catalogue knows. What
came from no index (PEP 610), or is a build of its own (``2.1.0+cpu``), cannot be had again by its hash: it stays, and what it requires is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial

from provisioner.base.names import RELEASED, is_rival, normalise
from provisioner.base.requirement import applies, name_of, read_requirement
from provisioner.catalogue.limits import stays
from provisioner.engines import uv
from provisioner.engines.wheels import Wheel, major_minor, pick, read_pylock, supported_tags
from provisioner.environment.distributions import Installed
from provisioner.errors import OperationError
from provisioner.host import Host
from provisioner.model.catalogue import NO_ADDON, Lock
from provisioner.model.plan import Moved
from provisioner.model.record import record
from provisioner.plan.extras import check_requirements, locked
from provisioner.plan.neighbours import Around
from provisioner.plan.settle import Room


@record
class Kept:
    """The set with all that is resolved around it, and which of the set's own packages come in another version."""

    lock: Lock
    moved: tuple[Moved, ...]


@record
class _Question:
    """What does not change from try to try; ``staying`` are the distributions that cannot be had again."""

    around: Around
    lock: Lock
    room: Room
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
    asked = _Question(around=around, lock=lock, room=room, extra=extra, staying=staying, floor=floor, folder=folder, offline=offline)
    names = sorted(item.name for item in around.own if item not in staying and item.name not in leaving)
    wheels = _most(partial(_fits, host, asked), names)
    if not wheels and extra:
        # What is asked for does not go with TensorFlow whatever else is kept: said by the resolver.
        _resolve(host, asked, [], exact=False)
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
    """Return those of the names that clash which are only there because something needed them that comes in another version. Pure.

    Whether that still needs them, the next resolution tells: it is made without them.
    """
    coming = {file.name: file.version for file in found.files}
    moves = {item.name for item in around.installed if coming.get(item.name, item.version) != item.version}
    own = {item.name for item in around.own}
    needed_by = {
        name: {item.name for item in around.installed if any(name_of(text) == name for text in item.requires)}
        for name in set(clashing) & own
    }
    return frozenset(name for name, others in needed_by.items() if others and others <= moves)


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


def _fits(host: Host, asked: _Question, names: Sequence[str]) -> dict[str, Wheel] | None:
    """Return the wheels for TensorFlow with these, None where they do not go together."""
    for exact in (True, False):
        try:
            return _resolve(host, asked, names, exact=exact)
        except OperationError as error:  # noqa: PERF203 - twice
            if error.cause not in {"resolver-conflict", "platform-unsupported"}:
                raise
    return None


def _resolve(host: Host, asked: _Question, names: Sequence[str], *, exact: bool) -> dict[str, Wheel]:
    lock, around = asked.lock, asked.around
    own = next(file for file in lock.files if is_rival(file.name))
    pins = {file.name: file.version for file in lock.files}
    held = [f"{file.name}=={file.version}" for file in lock.files if exact or stays(file)]
    limits = held if exact else [*held, *asked.room.limits]
    limits += [f"{name}=={lock.release}" for name in sorted(RELEASED)]
    limits += [f"{name}{'<0' if limit == NO_ADDON else limit}" for name, limit in lock.addons.items() if name not in pins]
    there = {item.name: item.version for item in around.own if item not in asked.staying}
    wanted = [f"{own.name}=={lock.release}", *names, *asked.extra, *_needs(asked)]
    # Under whatever name TensorFlow is asked for, it is there.
    others = [name for name in sorted(RELEASED) if name != own.name]
    text = uv.resolve(
        host,
        requirements="\n".join([*wanted, *(name for name in pins if not is_rival(name))]) + "\n",
        constraints="\n".join(dict.fromkeys(limits)) + "\n",
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
