"""How much room a change takes, and where: what its packages need in the caches, in the environment, for undo and for the proof."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from provisioner.engines import uv, uv_cache
from provisioner.environment.read import Site
from provisioner.facts import disk
from provisioner.facts.disk import Mount, mount_of
from provisioner.host import Reader, files, passing
from provisioner.model.conda_package import CondaPackage
from provisioner.model.plan import Package, Plan
from provisioner.model.preflight import Need, Room
from provisioner.model.record import record

# How many files and folders a wheel unpacks to, at most (uv's cache of the wheels of TensorFlow 2.3 to 2.21, 2026-11-29); the others have fewer.
_FILES = {
    "jax": 1000, "keras": 1100, "numpy": 1170, "pandas": 1700, "pip": 560, "scipy": 2000, "setuptools": 590, "tensorboard": 350,
    "tensorflow": 15800, "tensorflow-cpu": 15800, "tensorflow-intel": 15800, "tensorflow-macos": 15800, "tf-nightly": 15800,
}  # fmt: skip
_FILES_OF_OTHERS = 150
# A small wheel has no more than these: a few, and one for each 4 kB (keras has one for each 9 kB, TensorFlow for each 75 kB).
_FEW, _BYTES_A_FILE = 12, 4000
# One in eight of those is a folder, which cannot be linked.
_FOLDERS = 8
# A wheel of that release has fewer files than the largest of its name; never refuse for the difference.
_FILES_FOR_SURE = 2
# Of a Python that is fetched (its standard library, headers, Tcl).
_PYTHON_FILES = 4000
# What a file system rounds up.
_ROUNDED = 1.05
# Of the tool's own: receipt, journals, the list of what came (3 MB for 20,000 files), RECORD files, which are written and not linked.
_RECORDS_BYTES, _RECORDS_FILES = 16_000_000, 100
# How much a conda package grows when it is unpacked (at most; ``plan.seal`` counts with the same), and its files for each 100 kB of download.
_CONDA_GROWTH, _CONDA_BYTES_A_FILE = 3, 20_000


@record
class Situation:
    """What bears on room besides the plan: ``cached`` are packages in uv's ``cache``, ``linked`` conda packages in theirs.

    ``copied`` and ``conda_copied`` say whether files are copied out of these caches (None: nobody can tell). ``old`` are the bytes of what leaves,
    where moving it takes its room again (an overlay file system copies what it moves out of a lower layer), else 0. ``passing`` is the folder of
    the proof.
    """

    cache: str
    cached: frozenset[str]
    copied: bool | None
    linked: frozenset[str] = frozenset()
    conda_copied: bool | None = None
    old: int = 0
    passing: str = ""


def read_situation(reader: Reader, plan: Plan, site: Site, mounts: tuple[Mount, ...], passing_folder: str) -> Situation:
    """Look at the caches, and at how the environment lies to them."""
    cache = uv.cache_folder(reader)
    conda = plan.conda if plan.conda is not None and plan.conda.packages else None
    here = mount_of(mounts, disk.nearest(reader, plan.env.path))
    return Situation(
        cache=cache,
        cached=uv_cache.in_cache(reader, cache, plan.packages),
        copied=uv_cache.copies(reader, hard_links=disk.hard_links(reader, mounts, plan.env.path, cache)),
        linked=_unpacked(reader, conda.cache, conda.packages) if conda is not None else frozenset(),
        conda_copied=_not(disk.hard_links(reader, mounts, plan.env.path, conda.cache)) if conda is not None else None,
        old=_old_bytes(reader, plan, site) if here is not None and here.kind == "overlay" else 0,
        passing=passing_folder,
    )


def _not(value: bool | None) -> bool | None:  # noqa: FBT001 - a value, not an option
    return None if value is None else not value


def _unpacked(reader: Reader, cache: str, packages: Iterable[CondaPackage]) -> frozenset[str]:
    """Return the identities of those conda packages that lie unpacked in the cache."""
    return frozenset(item.identity for item in packages if files.there(reader, posixpath.join(cache, item.identity)))


def _old_bytes(reader: Reader, plan: Plan, site: Site) -> int:
    """Sum what the distributions that leave have recorded."""
    from provisioner.environment.owners import read_rows  # noqa: PLC0415 - only where something leaves

    leaving = {(item.name, item.version) for item in plan.removals}
    going = [item for item in site.distributions if (item.name, item.version) in leaving]
    rows = (read_rows(reader, posixpath.join(plan.env.path, item.metadata)) or () for item in going)
    return sum(max(row.size, 0) for found in rows for row in found)


def needs_of(plan: Plan, situation: Situation) -> tuple[Need, ...]:
    """Return what the plan takes, each need at the folder where it arises. Pure."""
    env = plan.env.path
    needs = [
        *_cache_needs(plan.packages, situation),
        *_new_files(plan.packages, env, copied=situation.copied),
        *_conda_needs(plan, situation),
        Need(purpose="the tool's own records", folder=env, size=_RECORDS_BYTES, files=_RECORDS_FILES),
    ]
    fetched = plan.fetched
    if fetched is not None:
        needs.append(
            Need(
                purpose="the Python that is fetched",
                folder=fetched.folder,
                size=fetched.unpacked,
                files=_PYTHON_FILES,
                least=fetched.unpacked // _FILES_FOR_SURE,
                elsewhere="UV_PYTHON_INSTALL_DIR",
            )
        )
    if situation.old:
        needs.append(Need(purpose="old files kept for undo, copied out of a lower layer", folder=env, size=situation.old, files=0))
    if situation.passing:
        size, count = passing.NEEDED_BYTES, passing.NEEDED_FILES
        needs.append(Need(purpose="the proof", folder=situation.passing, size=size, files=count, least=1 << 20, elsewhere="TMPDIR"))
    return tuple(needs)


def _cache_needs(packages: tuple[Package, ...], situation: Situation) -> list[Need]:
    new = [item for item in packages if item.name not in situation.cached]
    if not new:
        return []
    size, count = sum(item.unpacked for item in new), _count(new)
    need = Need(
        purpose="packages that are downloaded and unpacked in uv's cache",
        folder=situation.cache,
        size=int(size * _ROUNDED),
        files=count,
        least=size,
        least_files=count // _FILES_FOR_SURE,
        elsewhere="UV_CACHE_DIR",
    )
    return [need]


def _new_files(packages: tuple[Package, ...], env: str, *, copied: bool | None) -> list[Need]:
    if not packages:
        return []
    size, count = sum(item.unpacked for item in packages), _count(packages)
    if copied is False:
        return [Need(purpose="new files (links into the cache)", folder=env, size=0, files=count // _FOLDERS)]
    sure = bool(copied)
    return [
        Need(
            purpose="new files",
            folder=env,
            size=int(size * _ROUNDED),
            files=count,
            least=size if sure else 0,
            least_files=count // _FILES_FOR_SURE if sure else 0,
        )
    ]


def _count(packages: Iterable[Package]) -> int:
    return sum(min(_FILES.get(item.name, _FILES_OF_OTHERS), _FEW + item.unpacked // _BYTES_A_FILE) for item in packages)


def _conda_needs(plan: Plan, situation: Situation) -> list[Need]:
    part = plan.conda
    if part is None or not part.packages:
        return []
    new = sum(item.size for item in part.packages if item.identity not in situation.linked)
    every = sum(item.size for item in part.packages)
    needs = []
    if new:
        size = new * (1 + _CONDA_GROWTH)
        purpose, count = "conda packages that are downloaded and unpacked", new // _CONDA_BYTES_A_FILE
        needs.append(Need(purpose=purpose, folder=part.cache, size=size, files=count, least=new, elsewhere="CONDA_PKGS_DIRS"))
    if situation.conda_copied is not False:
        least = every if situation.conda_copied else 0
        size, count = every * _CONDA_GROWTH, every // _CONDA_BYTES_A_FILE
        needs.append(Need(purpose="files of conda packages", folder=plan.env.path, size=size, files=count, least=least))
    return needs


@record
class Volume:
    """A file system where something is needed: ``folder`` is the nearest one that exists, ``free`` in bytes, ``files`` -1 where not counted."""

    folder: str
    device: str
    filesystem: str
    free: int
    files: int


def read_volumes(reader: Reader, needs: Iterable[Need], mounts: tuple[Mount, ...]) -> dict[str, Volume]:
    """Ask for the room of each need's folder; one that cannot be asked is left out."""
    found: dict[str, Volume] = {}
    for folder in dict.fromkeys(need.folder for need in needs):
        place = disk.nearest(reader, folder)
        try:
            space = reader.space(place)
        except files.FAULTS:
            continue
        mount = mount_of(mounts, place)
        kind = (mount.kind if mount else "") or space.filesystem
        found[folder] = Volume(folder=place, device=str(space.device), filesystem=kind, free=space.free, files=space.inodes)
    return found


def rooms_of(needs: Iterable[Need], volumes: dict[str, Volume]) -> tuple[Room, ...]:
    """Sum the needs by file system. Pure."""
    groups: dict[str, list[Need]] = {}
    for need in needs:
        if need.folder in volumes:
            groups.setdefault(volumes[need.folder].device, []).append(need)
    rooms = []
    for group in groups.values():
        volume = volumes[group[0].folder]
        rooms.append(
            Room(
                folder=volume.folder,
                filesystem=volume.filesystem,
                free=volume.free,
                free_files=volume.files,
                size=sum(need.size for need in group),
                files=sum(need.files for need in group),
                needs=tuple(group),
            )
        )
    return tuple(rooms)
