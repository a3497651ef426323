"""Free room where the environment and the installer's cache will be, and whether files can be hard linked between the two."""

from __future__ import annotations

import posixpath
import re

from provisioner.base.paths import above
from provisioner.host import Reader, files
from provisioner.model.facts import Disk, Fact, Volume, known, unknown
from provisioner.model.record import record

MOUNTS = "/proc/self/mountinfo"
# File systems that have no hard links (Linux: vfat(5), exfat; 9p and drvfs of WSL have them).
WITHOUT_LINKS = frozenset({"vfat", "msdos", "exfat", "fat"})


@record
class Mount:
    """A mounted file system: ``number`` tells two mounts of the same one apart; ``options`` are the mount's and the file system's own (``ro``)."""

    number: str
    folder: str
    kind: str
    source: str
    options: frozenset[str] = frozenset()


def parse_mounts(text: str) -> tuple[Mount, ...]:
    r"""Read ``/proc/self/mountinfo``; lines that are no mounts are left out.

    ::

        36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue

    Source: proc_pid_mountinfo(5); blanks in names are written as ``\040``.
    """
    found = []
    for row in text.splitlines():
        left, sign, right = row.partition(" - ")
        fields, tail = left.split(), right.split()
        if sign and len(fields) >= 6 and len(tail) >= 2:  # noqa: PLR2004 - fields of the format
            options = frozenset([*fields[5].split(","), *(tail[2].split(",") if len(tail) > 2 else ())])  # noqa: PLR2004 - as above
            found.append(Mount(number=fields[0], folder=_plain(fields[4]), kind=tail[0], source=_plain(tail[1]), options=options))
    return tuple(found)


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def read_mounts(host: Reader) -> tuple[Mount, ...]:
    """Return what is mounted; nothing where the system does not tell."""
    return parse_mounts(files.read(host, MOUNTS, 1 << 20).text or "") if host.platform == "linux" else ()


def mount_of(mounts: tuple[Mount, ...], path: str) -> Mount | None:
    """The mount that ``path`` lies on: the longest folder above it; of two on one folder the later, which hides the other."""
    best = None
    for mount in mounts:
        inside = mount.folder in {"/", path} or path.startswith(mount.folder + "/")
        if inside and (best is None or len(mount.folder) >= len(best.folder)):
            best = mount
    return best


def nearest(host: Reader, path: str) -> str:
    """The nearest folder above ``path`` that exists, or ``path`` itself, with links followed."""
    path = files.real(host, path)
    if not files.there(host, path):
        path = next((folder for folder in above(path) if files.there(host, folder)), path)
    found = files.entry(host, path)
    return path if found is None or found.kind == "directory" else posixpath.dirname(path)


def probe(host: Reader, env: str, cache: str) -> Disk:
    """For both places: the nearest folder that exists, its free room by ``statvfs``, its file system by ``/proc/self/mountinfo``."""
    mounts = read_mounts(host)
    environment, first = _volume(host, env, mounts)
    installer, second = _volume(host, cache, mounts)
    return Disk(environment=environment, cache=installer, hard_links=_hard_links(environment, installer, first, second))


def _volume(host: Reader, path: str, mounts: tuple[Mount, ...]) -> tuple[Fact[Volume], Mount | None]:
    folder = nearest(host, path)
    mount = mount_of(mounts, folder)
    try:
        space = host.space(folder)
        volume = Volume(
            path=folder,
            free=space.free,
            free_inodes=space.inodes,
            writable=host.writable(folder),
            filesystem=(mount.kind if mount else "") or space.filesystem,
            device=str(space.device),
        )
    except files.FAULTS as error:
        return unknown(folder, f"cannot be asked: {files.reason(error)}"), mount
    return known(volume, f"statvfs {folder}"), mount


def _hard_links(env: Fact[Volume], cache: Fact[Volume], first: Mount | None, second: Mount | None) -> Fact[bool]:
    source = "device numbers and mounts"
    if env.value is None or cache.value is None:
        return unknown(source, env.why or cache.why)
    return known(_linkable((env.value.device, cache.value.device), env.value.filesystem, first, second), source)


def _linkable(devices: tuple[str, str], filesystem: str, first: Mount | None, second: Mount | None) -> bool:
    """link(2) needs one file system and one mount of it, and a kind of file system that has hard links."""
    same = devices[0] == devices[1] and (first is None or second is None or first.number == second.number)
    return same and filesystem not in WITHOUT_LINKS


def hard_links(host: Reader, mounts: tuple[Mount, ...], env: str, cache: str) -> bool | None:
    """Whether files can be hard linked between two places that need not be there yet; None where they cannot be asked."""
    first, second = nearest(host, env), nearest(host, cache)
    try:
        devices = str(host.space(first).device), str(host.space(second).device)
    except files.FAULTS:
        return None
    one, two = mount_of(mounts, first), mount_of(mounts, second)
    return _linkable(devices, one.kind if one else "", one, two)
