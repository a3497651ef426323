"""Which folders a change will touch, and which of them this user may not change."""

from __future__ import annotations

import posixpath
import shlex
import stat
from collections.abc import Iterable, Iterator

from provisioner.engines import uv, uv_cache
from provisioner.environment.layout import layout
from provisioner.environment.read import Site
from provisioner.environment.workspace import Workspace
from provisioner.errors import OperationError
from provisioner.facts import disk
from provisioner.facts.disk import Mount, mount_of
from provisioner.host import Reader, files
from provisioner.model.plan import Plan
from provisioner.model.preflight import Obstacle

# Entries of a folder with this mode are renamed by their owners alone (inode(7), the sticky bit).
_STICKY = 0o1000
_INIT = "__init__.py"


def obstacles(reader: Reader, plan: Plan, site: Site, mounts: tuple[Mount, ...]) -> tuple[Obstacle, ...]:
    """Return what this user may not do, a folder each; one in another that is named is not named again."""
    found: dict[str, Obstacle] = {}
    for path in sorted({*_touched(reader, plan, site), *_caches(reader, plan)}):
        if any(path.startswith(f"{above}/") for above in found):
            continue
        if obstacle := _obstacle(reader, path, mounts):
            found[path] = obstacle
    return (*found.values(), *_sticky(reader, plan, site), *_noexec(reader, plan, mounts))


def check_moves(reader: Reader, place: str, moving: Iterable[str]) -> None:
    """Raise ``OperationError`` about the environment ``place`` where this user may not move all that lies at these paths (absolute).

    A folder that goes into another one must be one that this user may write, too (rename(2)).
    """
    folders: set[str] = set()
    for path in moving:
        entry = files.entry(reader, path)
        folders |= {disk.nearest(reader, posixpath.dirname(path))} | ({path} if entry is not None and entry.kind == "directory" else set())
    mounts = disk.read_mounts(reader)
    found = [obstacle for folder in sorted(folders) if (obstacle := _obstacle(reader, folder, mounts)) is not None]
    if found:
        told = tuple(f"{item.place}: {item.message}; {item.hint}" for item in found)
        again = "see to each of these, then run the same command again"
        raise OperationError(
            "not all that is to move may be moved by this user, so nothing was changed", place=place, hint=again, faults=told
        )


def way_in(reader: Reader, path: str) -> str:
    """Return what gives this user back what a mode of its own folder keeps from it at ``path`` (absolute), as a hint; "" where that is not why."""
    for folder in (path, posixpath.dirname(path)):
        entry = files.entry(reader, folder)
        if entry is not None and entry.kind == "directory" and entry.owner == reader.user and entry.mode & stat.S_IRWXU != stat.S_IRWXU:
            return f"`chmod u+rwx {shlex.quote(folder)}` gives that back to you; then run the same command again"
    return ""


def _touched(reader: Reader, plan: Plan, site: Site) -> Iterator[str]:
    """Yield the folders of an environment that something is moved into or out of, and those that are moved."""
    root = plan.env.path
    if not plan.env.exists:
        yield disk.nearest(reader, root)
        return
    shape = layout(reader.platform)
    places = [Workspace(root=root).state, site.state.site_packages, shape.scripts]
    places += [posixpath.dirname(edit.path) for edit in plan.edits]
    places += [posixpath.dirname(posixpath.join(site.state.site_packages, link.path)) for link in plan.links]
    places += [path for removal in plan.removals for path in removal.paths]
    places += shape.made if plan.kind == "rebuild" else ()
    places += ["conda-meta"] if plan.conda is not None and plan.conda.changes else []
    yield root
    leaving = {(item.name, item.version) for item in plan.removals}
    for item in site.distributions:
        if (item.name, item.version) in leaving:
            places += [item.metadata, *folders_of(reader, root, item.metadata)]
    for move in plan.moves:
        yield posixpath.dirname(move.path)
    for place in dict.fromkeys(posixpath.join(root, place) for place in places):
        entry = files.entry(reader, place)
        if entry is not None and entry.kind == "directory":
            yield place


def folders_of(reader: Reader, root: str, metadata: str) -> Iterable[str]:
    """Return the folders, relative to the environment, that a distribution's files are in, down to those that go as a whole.

    A package goes as a whole, so that what is below it is not touched; a namespace (PEP 420, without ``__init__.py``) may hold others' files.
    """
    from provisioner.environment.owners import read_rows  # noqa: PLC0415 - only where something leaves

    rows = read_rows(reader, posixpath.join(root, metadata)) or ()
    site = posixpath.dirname(metadata)
    paths = [posixpath.normpath(f"{site}/{row.path}") for row in rows]
    folders = {posixpath.dirname(path) for path in paths}
    packages = {posixpath.dirname(path) for path in paths if path.endswith(f"/{_INIT}")}
    found: set[str] = set()
    for folder in folders:
        parts = folder.split("/")
        for depth in range(len(parts)):
            above = "/".join(parts[: depth + 1])
            found.add(above)
            if above in packages:
                break
    # The byte code of single modules.
    if any(posixpath.dirname(path) == site and path.endswith(".py") for path in paths):
        found.add(f"{site}/__pycache__")
    return (path for path in found if path and not path.startswith(".."))


def _caches(reader: Reader, plan: Plan) -> Iterator[str]:
    if plan.packages:
        cache = uv.cache_folder(reader)
        yield disk.nearest(reader, cache)
        yield from uv_cache.foreign(reader, cache)
    if plan.fetched is not None:
        yield disk.nearest(reader, plan.fetched.folder)
    for item in plan.kernels:
        yield disk.nearest(reader, posixpath.dirname(item.path))
    if plan.conda is not None and plan.conda.packages:
        yield disk.nearest(reader, plan.conda.cache)


def _obstacle(reader: Reader, path: str, mounts: tuple[Mount, ...]) -> Obstacle | None:
    if reader.writable(path):
        return None
    mount = mount_of(mounts, path)
    if mount is not None and "ro" in mount.options:
        hint = f"mount it so that it can be written (`findmnt -T {path}` shows it), or choose another place"
        return _refused(path, f"it is on {mount.folder}, which is mounted read-only", hint)
    entry = files.entry(reader, path)
    if entry is not None and reader.user > 0 and entry.owner != reader.user:
        owner = "root" if entry.owner == 0 else f"user {entry.owner}"
        hint = f"make it yours: `sudo chown -R {reader.user} {path}`, or choose another place"
        return _refused(path, f"it belongs to {owner}, and this user may not change it", hint)
    if entry is not None and entry.owner == reader.user and not entry.mode & stat.S_IWUSR:
        return _refused(path, "its mode lets nobody change it", f"`chmod u+w {shlex.quote(path)}` gives that back to you")
    hint = f"`ls -ld {path}` shows its mode, `lsattr -d {path}` whether it is immutable"
    return _refused(path, "it may not be changed", hint)


def _refused(path: str, message: str, hint: str) -> Obstacle:
    return Obstacle(cause="permission-denied", place=path, message=message, hint=hint)


def _sticky(reader: Reader, plan: Plan, site: Site) -> Iterator[Obstacle]:
    """Yield entries that others own in folders where only owners rename."""
    if not plan.env.exists or reader.user <= 0:
        return
    for path in _touched(reader, plan, site):
        entry, above = files.entry(reader, path), files.entry(reader, posixpath.dirname(path))
        if path == plan.env.path or entry is None or above is None or not above.mode & _STICKY:
            continue
        if reader.user not in {entry.owner, above.owner}:
            hint = f"make it yours: `sudo chown -R {reader.user} {path}`"
            yield _refused(path, "it belongs to another user, and its folder lets only owners move things", hint)


def _noexec(reader: Reader, plan: Plan, mounts: tuple[Mount, ...]) -> Iterator[Obstacle]:
    """Libraries cannot be loaded from a file system that is mounted so (mount(8)); a proof would say so, after the download."""
    mount = mount_of(mounts, disk.nearest(reader, plan.env.path))
    if mount is not None and "noexec" in mount.options:
        hint = f"choose another folder with --env, or mount {mount.folder} without noexec"
        yield _refused(plan.env.path, f"it is on {mount.folder}, which is mounted noexec: no library loads from it", hint)
