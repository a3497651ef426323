"""Before anybody is asked: whether there is room for a change and whether this user may make it. ``look`` gathers, ``judge`` judges."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from provisioner.base.paths import is_on_drive
from provisioner.base.text import size_words
from provisioner.change import rights
from provisioner.change.room import Situation, Volume, needs_of, read_situation, read_volumes, rooms_of
from provisioner.environment.read import Site
from provisioner.errors import OperationError
from provisioner.facts import disk
from provisioner.host import Reader, passing
from provisioner.host.passing import Passing
from provisioner.model.facts import Facts
from provisioner.model.plan import Plan
from provisioner.model.preflight import Obstacle, Preflight, Room

# What these hold may take less room than it is long (compression), so what is free there says too little to refuse.
_COMPRESSING = frozenset({"bcachefs", "btrfs", "erofs", "f2fs", "zfs"})


def look(reader: Reader, plan: Plan, site: Site) -> Preflight:
    """Look at all that the plan will need; nothing where it changes nothing."""
    if not plan.changes:
        return Preflight()
    mounts, passed = disk.read_mounts(reader), passing.look(reader)
    needs = needs_of(plan, read_situation(reader, plan, site, mounts, passed.folder))
    rooms = rooms_of(needs, read_volumes(reader, needs, mounts))
    met, told = _links(reader, plan, site)
    told = (*told, *_put_back(reader, plan))
    obstacles = (*rights.obstacles(reader, plan, site, mounts), *_in_use(reader, plan, site), *met, *_passing(passed))
    return judge(rooms, obstacles, over=passed.passed_over, told=told)


def _in_use(reader: Reader, plan: Plan, site: Site) -> tuple[Obstacle, ...]:
    if reader.platform != "win32":
        return ()
    from provisioner.change import in_use  # noqa: PLC0415 - other systems let go of any file

    return tuple(in_use.obstacles(reader, plan, site))


def _links(reader: Reader, plan: Plan, site: Site) -> tuple[tuple[Obstacle, ...], tuple[str, ...]]:
    if not plan.env.exists:
        return (), ()
    from provisioner.change import links  # noqa: PLC0415 - a new environment has none

    return links.look(reader, plan, site)


def _put_back(reader: Reader, plan: Plan) -> tuple[str, ...]:
    if not plan.env.exists:
        return ()
    from provisioner.change import put_back  # noqa: PLC0415 - a new environment is no project's yet

    return put_back.look(reader, plan)


def look_elsewhere(plan: Plan, facts: Facts) -> Preflight:
    """Judge the room of another machine, by its facts; what is in its caches and who owns its folders cannot be told from here."""
    env, cache, links = facts.disk.environment.value, facts.disk.cache.value, facts.disk.hard_links.value
    if not plan.changes:
        return Preflight()
    where = cache.path if cache is not None else "uv's cache"
    needs = needs_of(plan, Situation(cache=where, cached=frozenset(), copied=None if links is None else not links))
    found = {plan.env.path: env, where: cache}
    volumes = {
        folder: Volume(folder=item.path, device=item.device, filesystem=item.filesystem, free=item.free, files=item.free_inodes)
        for folder, item in found.items()
        if item is not None
    }
    return judge(rooms_of(needs, volumes), ())


def judge(rooms: tuple[Room, ...], obstacles: Iterable[Obstacle], *, over: tuple[str, ...] = (), told: tuple[str, ...] = ()) -> Preflight:
    """Say what would end the change for sure, and what may. ``over`` are folders for what is passing that will not do; ``told`` is to be known."""
    full, short = [], []
    for room in rooms:
        least, files = sum(need.least for need in room.needs), sum(need.least_files for need in room.needs)
        counted = room.free_files >= 0
        if (least > room.free and room.filesystem not in _COMPRESSING) or (counted and files > room.free_files):
            message = f"there is not enough room: {room_words(room)}"
            full.append(Obstacle(cause="disk-full", place=room.folder, message=message, hint=_frees(room)))
        elif room.size > room.free or (counted and room.files > room.free_files):
            short.append(f"there may not be enough room on the file system of {room.folder}: {room_words(room)}; {_frees(room)}")
    passed = [f"{why}; another folder is used for what is passing" for why in over]
    return Preflight(rooms=rooms, obstacles=(*full, *obstacles), warnings=(*short, *told, *(passed if not obstacles else ())))


def _passing(passed: Passing) -> list[Obstacle]:
    if passed.folder:
        return []
    error = passing.none_will_do(passed)
    return [Obstacle(cause=error.cause, place="TMPDIR", message=error.message, hint=error.hint)]


def room_words(room: Room) -> str:
    """Say what is needed and what is free, as part of a sentence."""
    said = []
    if room.size > room.free:
        parts = [f"{size_words(need.size)} for {need.purpose}" for need in room.needs if need.size]
        said.append(f"at most {size_words(room.size)} are needed ({', '.join(parts)}), and {size_words(room.free)} are free")
    if 0 <= room.free_files < room.files:
        parts = [f"{need.files} for {need.purpose}" for need in room.needs if need.files]
        said.append(f"about {room.files} files (inodes) are needed ({', '.join(parts)}), and {room.free_files} are free")
    return "; ".join(said)


def _frees(room: Room) -> str:
    """Say what frees the room that lacks."""
    other = " or ".join(dict.fromkeys(need.elsewhere for need in room.needs if need.size > room.size // 20))
    place = shlex.quote(room.folder)
    if room.free < room.size:
        lacks = size_words(room.size - room.free)
        look = "Settings, System, Storage shows" if is_on_drive(room.folder) else f"`du -xhd1 {place} | sort -h` shows"
        return f"free {lacks} there ({look} what is large), or name another place with {other}"
    return f"remove files there (`du --inodes -xd1 {place} | sort -n` shows where they are many), or name another place with {other}"


def check(found: Preflight) -> None:
    """Raise ``OperationError`` with all that is in the way."""
    if not found.obstacles:
        return
    first, *others = found.obstacles
    more = tuple(f"{item.place}: {item.message}; {item.hint}" for item in others)
    message = f"{first.message}; nothing was downloaded or changed"
    raise OperationError(message, place=first.place, hint=first.hint, cause=first.cause, faults=more)
