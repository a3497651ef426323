"""What came into an environment since a change, and whether it is in the way of undoing that: decided from what was seen, without a look."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Literal, NamedTuple

from provisioner.base.paths import is_below
from provisioner.change.brought import as_it_came
from provisioner.change.moves import CACHE
from provisioner.host import Mark
from provisioner.model.record import record


class Dist(NamedTuple):
    """A distribution with the files that it has recorded and that are there; ``metadata`` stands for all in it."""

    name: str
    version: str
    metadata: str
    files: frozenset[str]

    @property
    def words(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    def owns(self, path: str) -> bool:
        """True for a file of its own, and for the byte code of one."""
        return path in self.files or is_below(path, {self.metadata}) or module_of(path) in self.files


@record
class Seen:
    """What was seen, all paths relative to the environment.

    ``whole``: it is a new environment, which goes as one. ``brought`` is what the change brought, ``marks`` what lies now where it brought or took
    something, ``stayed`` the metadata folders of the distributions that it left alone. ``now`` are the distributions there, ``old`` the files that
    would come back and ``before`` the distributions among them. ``blocked`` are places that are neither brought nor free, which only a person can
    clear.
    """

    whole: bool
    brought: Mapping[str, Mark]
    marks: Mapping[str, Mark]
    stayed: frozenset[str]
    now: tuple[Dist, ...]
    old: Mapping[str, Mark]
    before: tuple[Dist, ...]
    blocked: tuple[str, ...] = ()


@record
class Obstacle:
    """Something that came since and is in the way: ``what`` names it, ``why`` says what would become of it, ``paths`` are its files.

    ``kind``: ``distribution``, ``edited`` (brought, and changed since), ``file``, ``place`` (outside of what undo may move).
    """

    kind: Literal["distribution", "edited", "file", "place"]
    what: str
    why: str
    paths: tuple[str, ...] = ()


@record
class Verdict:
    """What undo does: ``out`` goes, of ``old`` all but ``left`` comes back; ``obstacles`` must be away before.

    ``kept`` names what stays (distributions, and files of a person's own); ``unreturned`` the old distributions and files that do not come back.
    """

    out: frozenset[str]
    obstacles: tuple[Obstacle, ...] = ()
    kept: tuple[str, ...] = ()
    left: frozenset[str] = frozenset()
    unreturned: tuple[str, ...] = ()


def module_of(path: str) -> str:
    """Return the module whose byte code (or other cache of that name) lies at ``path``; "" where it is none."""
    folder, base = posixpath.split(path)
    above, cache = posixpath.split(folder)
    return posixpath.join(above, base.split(".", maxsplit=1)[0] + ".py") if cache == CACHE else ""


def judge(seen: Seen, *, leave: bool) -> Verdict:
    """Say what undo does; with ``leave``, what is in the way stays, and the old of it does not come back."""
    sorting = _Sorting(seen)
    if seen.whole:
        return Verdict(out=frozenset(), obstacles=tuple(sorting.all_of_it()), kept=())
    if leave:
        return _left_in_place(sorting)
    return Verdict(
        out=frozenset(sorting.going),
        obstacles=tuple(sorting.in_the_way(sorting.going, seen.old)),
        kept=sorting.staying(frozenset(sorting.going)),
    )


class _Sorting:
    """What was seen, sorted by whose it is; nothing is looked at twice."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.unchanged = {path for path, mark in seen.brought.items() if as_it_came(mark, seen.marks.get(path))}

    @cached_property
    def since(self) -> tuple[Dist, ...]:
        """The distributions that came since, those that were installed anew among them."""
        return tuple(item for item in self.seen.now if item.metadata not in self.seen.stayed and not self._came(item))

    @cached_property
    def ours(self) -> tuple[Dist, ...]:
        """The distributions that the change brought and that are as they came, but for files that were edited."""
        return tuple(item for item in self.seen.now if item not in self.since and item.metadata not in self.seen.stayed)

    def _came(self, item: Dist) -> bool:
        """True where the list of its files is the one that came: an installer writes that anew."""
        brought = self.seen.brought
        lists = [path for path in (item.metadata, f"{item.metadata}/RECORD", f"{item.metadata}/installed-files.txt") if path in brought]
        lists = lists or [path for path in brought if path.startswith(item.metadata + "/")]
        return bool(lists) and all(path in self.unchanged for path in lists)

    def owner(self, path: str, among: Iterable[Dist]) -> Dist | None:
        """The first of those distributions that has recorded the path."""
        return next((item for item in among if item.owns(path)), None)

    @cached_property
    def _since_files(self) -> frozenset[str]:
        """With the metadata folders, which stand for all in them."""
        return frozenset().union(*({*item.files, item.metadata} for item in self.since))

    def is_since(self, path: str) -> bool:
        """True for a file of a distribution that came since."""
        return module_of(path) in self._since_files or is_below(path, self._since_files)

    @cached_property
    def going(self) -> set[str]:
        """What was brought and nobody changed; a file that a later distribution has recorded as well stays, unless an old one returns to it."""
        return self.with_bytecode({path for path in self.unchanged if path in self.seen.old or not self.is_since(path)})

    def with_bytecode(self, going: set[str]) -> set[str]:
        """Return ``going`` with the byte code of its modules, and of those that were brought and are gone."""
        seen, found = self.seen, set(going)
        for path in seen.marks:
            module = module_of(path)
            if module in seen.brought and (module in going or module not in seen.marks):
                found.add(path)
        return found

    @cached_property
    def edited(self) -> tuple[str, ...]:
        """What was brought and changed since, and is no later distribution's."""
        changed = (path for path in self.seen.brought if path in self.seen.marks and path not in self.unchanged)
        return tuple(sorted(path for path in changed if not module_of(path) and not self.is_since(path)))

    @cached_property
    def own(self) -> tuple[str, ...]:
        """A person's own: neither brought nor recorded by any distribution; byte code and empty folders are nobody's."""
        recorded = frozenset().union(*(item.files for item in self.seen.now))
        metadata = {item.metadata for item in self.seen.now}
        return tuple(
            sorted(
                path
                for path, mark in self.seen.marks.items()
                if path not in self.seen.brought
                and path not in recorded
                and mark.kind != "directory"
                and not module_of(path)
                and not is_below(path, metadata)
            )
        )

    def staying(self, out: frozenset[str]) -> tuple[str, ...]:
        """Name what came since and stays."""
        own = topmost([path for path in (*self.own, *self.edited) if path not in out], self.seen.marks)
        return (*(item.words for item in self.since), *own)

    def all_of_it(self) -> Iterable[Obstacle]:
        """Give everything that would be lost with a whole environment."""
        for item in self.since:
            files = {*item.files, *(path for path in self.seen.marks if item.owns(path))} & set(self.seen.marks)
            yield Obstacle(kind="distribution", what=item.words, why="was installed since", paths=tuple(sorted(files)))
        for path in self.edited:
            yield Obstacle(kind="edited", what=path, why="was changed since", paths=(path,))
        for name, paths in grouped(self.own, self.seen.marks).items():
            yield Obstacle(kind="file", what=name, why="is not of tfsetup's", paths=paths)

    def in_the_way(self, out: Collection[str], old: Mapping[str, Mark]) -> Iterable[Obstacle]:
        """Give what is in the way when ``out`` goes and ``old`` comes back."""
        told: set[str] = set()
        for item, newer in self.twice(self.seen.before):
            files = {*newer.files, *(path for path in self.seen.marks if newer.owns(path))}
            # What a distribution that goes has recorded as well is by now this one's.
            others = frozenset().union(*(other.files for other in self.seen.now if other is not newer and other not in self.ours))
            told |= files - others
            why = f"is there now, and {item.words} would come back beside it"
            yield Obstacle(kind="distribution", what=newer.words, why=why, paths=tuple(sorted(files - others)))
        for path in self.edited:
            told.add(path)
            yield Obstacle(kind="edited", what=path, why="came with the change, and was changed since", paths=(path,))
        remaining = self.remaining(out)
        for path in sorted(old):
            there = remaining(path)
            if there and there not in told:
                told.add(there)
                whose = self.owner(there, self.since)
                why = f"is there now{f', of {whose.words},' if whose else ''} where an old one would come back"
                yield Obstacle(
                    kind="file", what=there, why=why, paths=tuple(sorted(name for name in self.seen.marks if is_below(name, {there})))
                )
        for path in self.seen.blocked:
            yield Obstacle(kind="place", what=path, why="is there now, where what was renamed would get its name back")

    def twice(self, before: Iterable[Dist]) -> list[tuple[Dist, Dist]]:
        """Old distributions with what came since under the same name."""
        return [(item, newer) for item in before for newer in self.since if newer.name == item.name]

    def remaining(self, out: Collection[str]) -> Callable[[str], str]:
        """Return what says which path, that stays when ``out`` goes, is where an old file would come back; "" where the way is free."""
        stays = {path for path, mark in self.seen.marks.items() if path not in out and mark.kind != "directory"}
        folders = {above for path in stays for above in above_of(path)}

        def there(path: str) -> str:
            if path in folders and self.seen.old[path].kind == "directory":
                return ""
            return path if path in stays or path in folders else next((above for above in above_of(path) if above in stays), "")

        return there


def _left_in_place(sorting: _Sorting) -> Verdict:
    """Leave what is in the way: of each distribution the new version stays whole, or the old one comes back whole."""
    seen = sorting.seen
    places = tuple(item for item in sorting.in_the_way(sorting.going, {}) if item.kind == "place")
    held = {item for path in sorting.edited if (item := sorting.owner(path, sorting.ours)) is not None}
    absent = {item for item, _ in sorting.twice(seen.before)}
    loose: set[str] = set()
    while True:
        absent |= {item for item in seen.before if item.name in {keeper.name for keeper in held}}
        back = [item for item in seen.before if item not in absent]
        going = {path for path in sorting.going if not module_of(path) and not sorting.is_since(path)}
        out = sorting.with_bytecode({path for path in going if sorting.owner(path, held) is None})
        shared = frozenset().union(*(item.files for item in back))
        left = {path for path in seen.old if path not in shared and sorting.owner(path, absent)} | loose
        remaining = sorting.remaining(out)
        blocked = {path for path in seen.old if path not in left and remaining(path)}
        if not blocked:
            names = (*(item.words for item in sorted(absent)), *topmost(loose, seen.old))
            return Verdict(
                out=frozenset(out), obstacles=places, kept=sorting.staying(frozenset(out)), left=frozenset(left), unreturned=names
            )
        losing = {item for item in back if any(item.owns(path) for path in blocked)}
        held |= {item for item in sorting.ours if item.name in {lost.name for lost in losing}}
        absent |= losing
        loose |= {path for path in blocked if not any(item.owns(path) for item in losing)}


def above_of(path: str) -> list[str]:
    """The folders above a relative path, the nearest first."""
    found = []
    while path := posixpath.dirname(path):
        found.append(path)
    return found


def grouped(paths: Iterable[str], everything: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return ``paths`` by the highest folder, a path's own or one above it, of whose files all are among them."""
    chosen = set(paths)
    mixed = {above for path in everything if path not in chosen for above in above_of(path)}
    found: dict[str, list[str]] = {}
    for path in sorted(chosen):
        name = path
        for above in above_of(path):
            if above in mixed or "/" not in above:
                break
            name = above
        found.setdefault(name, []).append(path)
    return {name: tuple(inner) for name, inner in found.items()}


def topmost(paths: Iterable[str], everything: Iterable[str]) -> tuple[str, ...]:
    """Return the names by which ``grouped`` groups."""
    return tuple(grouped(paths, everything))
