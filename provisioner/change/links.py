"""Links to folders, and mount points, inside an environment, where a change meets them: told before anybody is asked. Reads only.

A link is moved as a link, and what it leads to is nobody's to move; so one through which something that stays is found cannot be moved at all.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Iterator

from provisioner.base.paths import is_below
from provisioner.change.apart import mount_point, mounts_below
from provisioner.change.rights import folders_of
from provisioner.environment.distributions import Installed
from provisioner.environment.owners import read_rows
from provisioner.environment.read import Site
from provisioner.environment.workspace import STATE
from provisioner.errors import OperationError
from provisioner.host import Reader, files
from provisioner.model.plan import Plan
from provisioner.model.preflight import Obstacle


def look(reader: Reader, plan: Plan, site: Site) -> tuple[tuple[Obstacle, ...], tuple[str, ...]]:
    """Return what cannot be moved, and what a person should know of that which is."""
    if not plan.env.exists:
        return (), ()
    root = plan.env.path
    removed = {(item.name, item.version) for item in plan.removals}
    leaving = [item for item in site.distributions if (item.name, item.version) in removed]
    staying = [item for item in site.distributions if item not in leaving]
    places = {site.state.site_packages, *(folder for item in leaving for folder in folders_of(reader, root, item.metadata))}
    errors: list[OperationError] = []
    told: list[str] = []
    for link in sorted(_links(reader, root, places)):
        place = posixpath.join(root, link)
        others = _users(reader, root, link, staying)
        if others or is_below(site.state.site_packages, {link}):
            errors.append(_shared(place, reader.read_link(place), others))
        else:
            told.append(f"{place} is a link to {reader.read_link(place)}: the link is moved out, and what it leads to stays as it is")
    for mount in mounts_below(reader, root):
        words = _mounted(reader, root, mount, leaving, places)
        errors += [mount_point(posixpath.join(root, mount))] if words is None else []
        told += [words] if words else []
    found = (Obstacle(cause="", place=error.place, message=error.message, hint=error.hint) for error in errors)
    return tuple(found), tuple(told)


def _links(reader: Reader, root: str, places: Iterable[str]) -> Iterator[str]:
    """Give the links among those folders."""
    for name in places:
        entry = files.entry(reader, posixpath.join(root, name)) if name else None
        if entry is not None and entry.kind == "link":
            yield name


def _mounted(reader: Reader, root: str, mount: str, leaving: Iterable[Installed], places: Iterable[str]) -> str | None:
    """Say what becomes of a mount point: "" where nothing moves there, None where something would have to move it."""
    entry = files.entry(reader, posixpath.join(root, mount))
    if is_below(mount, {STATE}):
        return None
    if entry is not None and entry.kind != "directory":
        return None if any(mount in _recorded(reader, root, item) for item in leaving) else ""
    if not any(is_below(place, {mount}) or (is_below(mount, {place}) and _is_package(reader, root, place)) for place in places):
        return ""
    return f"{posixpath.join(root, mount)} is a file system of its own: what lies on it is moved on it, and it stays where it is"


def _is_package(reader: Reader, root: str, place: str) -> bool:
    return reader.exists(posixpath.join(root, place, "__init__.py"))


def _recorded(reader: Reader, root: str, item: Installed) -> set[str]:
    """Return what a distribution has recorded, relative to the environment; it may lead out of it."""
    rows = read_rows(reader, posixpath.join(root, item.metadata)) or ()
    return {posixpath.normpath(posixpath.join(posixpath.dirname(item.metadata), row.path)) for row in rows}


def _users(reader: Reader, root: str, link: str, distributions: Iterable[Installed]) -> tuple[str, ...]:
    """Name the distributions that have recorded files which are found through a link."""
    return tuple(item.name for item in distributions if any(is_below(path, {link}) for path in _recorded(reader, root, item)))


def check_links(reader: Reader, root: str, names: Iterable[str], staying: Iterable[Installed]) -> None:
    """Raise ``OperationError`` where one of ``names``, which are about to move, is a link through which something that stays is found."""
    stay = tuple(staying)
    for link in _links(reader, root, names):
        if others := _users(reader, root, link, stay):
            place = posixpath.join(root, link)
            raise _shared(place, reader.read_link(place), others)


def _shared(place: str, target: str, others: Iterable[str]) -> OperationError:
    what = f"files of {', '.join(sorted(others))} are" if others else "the environment's packages are"
    link = shlex.quote(place)
    return OperationError(
        f"is a link to {target}, in which {what}: it cannot be moved without them, and what a link leads to is not changed",
        place=place,
        hint=f"put the folder in its place: `cp -a {link}/ {link}.copy && rm {link} && mv {link}.copy {link}`, then run the same command again",
    )
