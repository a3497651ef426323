"""Whether an environment can be made at a place."""

from __future__ import annotations

from provisioner.base.paths import parent
from provisioner.errors import InputError
from provisioner.facts import disk
from provisioner.host import Host, Reader, files
from provisioner.model.plan import EnvState

# Of a folder in which only owners rename entries (inode(7), the sticky bit).
_STICKY = 0o1000


def check_place(host: Host, state: EnvState) -> tuple[str, ...]:
    """Return the folders that must be made above the environment; raises ``InputError`` when files cannot be put there."""
    missing: list[str] = []
    folder = parent(state.path)
    while not host.exists(folder):
        missing.append(folder)
        folder = parent(folder)
    if host.entry(host.real(folder)).kind != "directory":
        raise InputError("it is a file, so no environment can be made in it", place=folder, hint="choose another folder with --env")
    inside = state.path if state.exists or stays(host, state) else folder
    if not host.writable(inside):
        raise InputError("this user may not write there", place=inside, hint="choose another folder with --env")
    return tuple(reversed(missing))


def stays(reader: Reader, state: EnvState) -> bool:
    """Whether an empty folder must stay the one it is, so that a new environment is built in it, not beside it.

    That is so where something is mounted on it (a volume of a container), and where this user may not put another one in its place.
    """
    if state.kind != "empty":
        return False
    if reader.list(state.path):
        # A lock, or what is left of a run that had not begun: no other folder takes the place of one that is not empty.
        return True
    above, entry = parent(state.path), files.entry(reader, state.path)
    outer = files.entry(reader, above)
    if entry is None or outer is None or not reader.writable(above):
        return True
    owners = {entry.owner, outer.owner}
    if outer.mode & _STICKY and reader.user > 0 and reader.user not in owners:
        return True
    return entry.device != outer.device or any(mount.folder == state.path for mount in disk.read_mounts(reader))
