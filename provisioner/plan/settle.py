"""Moves packages of a set to versions that keep what else is installed whole, within TensorFlow's own limits and what is known not to work. Pure.

The smallest change first: the version that is installed, where all are content with it; else the version nearest to the set's own among those
that the catalogue has in its other sets for this Python, each known by its hash. That very set was not run, and the plan says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provisioner.base.names import normalise
from provisioner.base.requirement import admits, applies, read_requirement
from provisioner.base.versions import contains, numbers
from provisioner.catalogue.limits import stays
from provisioner.catalogue.needs import Needs
from provisioner.environment.distributions import Installed
from provisioner.model.catalogue import LockedFile
from provisioner.model.plan import Moved
from provisioner.model.record import record
from provisioner.plan.neighbours import Around, lacking

# One package may ask for another; the chains in sets are short.
ROUNDS = 6


@record
class Room:
    """What may be put in the place of a set's package, and what limits it.

    ``needs`` tells what the packages of sets require, ``limits`` are the requirements that keep out what the catalogue knows to be bad, ``pool``
    has the wheels that this machine can take, by name. ``unfit`` are the names of what is installed and cannot stay as it is.
    """

    needs: Needs
    limits: tuple[str, ...] = ()
    pool: Mapping[str, tuple[LockedFile, ...]]
    unfit: frozenset[str] = frozenset()


@record
class Settled:
    """The files of the set, some of them exchanged: ``moved`` says which, and for whom."""

    files: tuple[LockedFile, ...]
    moved: tuple[Moved, ...] = ()


def settle(around: Around, files: Sequence[LockedFile], room: Room) -> Settled:
    """Return the set with as few packages exchanged as keep the most of the user's own distributions whole."""
    held = {file.name: file for file in files}
    pins = {file.name: file.version for file in files}
    stuck: set[str] = set()
    for _ in range(ROUNDS):
        lost = [item.name for item in lacking(around, _versions(held)) if item.name in held and item.name not in stuck]
        names = [name for name in dict.fromkeys(lost) if not stays(held[name])]
        if not names:
            break
        for name in names:
            found = _better(name, around, held, pins[name], room)
            stuck.update([name] if found is None else [])
            held[name] = found or held[name]
    return _settled(around, files, held, pins)


def _settled(around: Around, files: Sequence[LockedFile], held: Mapping[str, LockedFile], pins: Mapping[str, str]) -> Settled:
    moved = []
    for name, pin in sorted(pins.items()):
        if held[name].version != pin:
            kept = {item.distribution for item in lacking(around, {**_versions(held), name: pin}) if item.name == name}
            kept -= {item.distribution for item in lacking(around, _versions(held)) if item.name == name}
            moved.append(Moved(name=name, pin=pin, version=held[name].version, keeps=tuple(sorted(kept))))
    # What moved and now keeps nobody goes back to the set's own.
    back = {item.name for item in moved if not item.keeps}
    chosen = tuple(file if file.name in back else held[file.name] for file in files)
    return Settled(files=chosen, moved=tuple(item for item in moved if item.keeps))


def _versions(held: Mapping[str, LockedFile]) -> dict[str, str]:
    return {name: file.version for name, file in held.items()}


def _better(name: str, around: Around, held: Mapping[str, LockedFile], pin: str, room: Room) -> LockedFile | None:
    """Return the file that keeps more of the user's own distributions whole than the one that is held, None where there is none."""
    limits = _limits(name, held, around.markers, room)
    if limits is None:
        return None
    asked = [spec for item in around.own for spec in _asked(item.requires, name, around.markers)]
    best, most = None, _met(asked, held[name].version)
    for file in _candidates(name, around.installed, pin, room):
        met = _met(asked, file.version)
        if met > most and _admitted(file, limits, held, around.markers, room):
            best, most = file, met
    return best


def _candidates(name: str, installed: Sequence[Installed], pin: str, room: Room) -> list[LockedFile]:
    """Return the versions to choose from, best first: what is installed, then by the distance from the set's own."""
    pool = {file.version: file for file in room.pool.get(name, ())}
    order = sorted({*pool, pin}, key=numbers)
    place = order.index(pin)
    near = sorted(pool.values(), key=lambda file: abs(order.index(file.version) - place))
    there = next((item for item in installed if item.name == name), None)
    if there is None or name in room.unfit:
        return near
    return [pool.get(there.version, as_it_is(name, there.version)), *(file for file in near if file.version != there.version)]


def as_it_is(name: str, version: str) -> LockedFile:
    """Return a package that stays as it is installed: nobody asks for its file."""
    return LockedFile(name=name, version=version, filename="", sha256="", size=0, unpacked=0)


def _limits(name: str, held: Mapping[str, LockedFile], markers: Mapping[str, str], room: Room) -> list[str] | None:
    """Return the specifiers that the set's own packages and the catalogue put on one of them; None where not all of it is known."""
    found = _asked(room.limits, name, markers)
    for file in held.values():
        needed = room.needs.of(file.name, file.version)
        if needed is None and file.filename:
            return None
        found += _asked(needed or (), name, markers)
    return found


def _asked(requires: Sequence[str], name: str, markers: Mapping[str, str]) -> list[str]:
    """Return the specifiers of those requirements that are about a distribution."""
    found = []
    for text in requires:
        try:
            requirement = read_requirement(text)
        except ValueError:
            continue
        if normalise(requirement.name) == name and applies(requirement, {**markers, "extra": ""}):
            found.append(str(requirement.specifier))
    return found


def _met(specs: Sequence[str], version: str) -> int:
    return sum(not spec or contains(spec, version, prereleases=True) for spec in specs)


def _admitted(file: LockedFile, limits: Sequence[str], held: Mapping[str, LockedFile], markers: Mapping[str, str], room: Room) -> bool:
    """True where the set's own packages are content with a version, nothing speaks against it, and it finds what it requires itself."""
    if _met(limits, file.version) < len(limits):
        return False
    for text in room.needs.of(file.name, file.version) or ():
        try:
            requirement = read_requirement(text)
        except ValueError:
            continue
        other = held.get(normalise(requirement.name))
        if applies(requirement, {**markers, "extra": ""}) and other is not None and not admits(requirement.specifier, other.version):
            return False
    return True
