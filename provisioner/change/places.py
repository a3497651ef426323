"""Where an entry that a change moves lies while it is not in the environment: on the same mount, so that each move is a rename.

That is the tool's own folder there: the environment's ``.tfsetup``; of what lies on a file system that is mounted inside the environment, a folder
of that name there, with one folder in it for each change. A mount point itself is never moved.
"""

from __future__ import annotations

import contextlib
import hashlib
import posixpath
from dataclasses import replace

from provisioner.base.paths import is_below
from provisioner.change.apart import Where, check_folders, mount_point, mounts_below
from provisioner.change.journal import Journal
from provisioner.environment.trust import check
from provisioner.environment.workspace import STATE, STATE_MODE, TRIAL, Workspace
from provisioner.errors import OperationError
from provisioner.host import Host, Reader, files
from provisioner.host.files import make_folders


class Places:
    """The places of one change; every name is relative to the environment."""

    def __init__(self, workspace: Workspace, journal: Journal) -> None:
        self.workspace = workspace
        self.journal = journal
        # Another environment may have the same file system mounted, and numbers its changes alike.
        self._key = hashlib.sha256(f"{journal.seal}\n{journal.started}".encode("utf-8", "surrogateescape")).hexdigest()[:16]

    def mount(self, name: str) -> str:
        """The mount point, of those that the change knows, on which an entry lies; "" where it is on the environment's own."""
        above = posixpath.dirname(name)
        return next((mount for mount in self.journal.mounts if is_below(above, {mount})), "")

    def own(self, mount: str) -> str:
        """The folder of this change on a mount."""
        return posixpath.join(self.workspace.root, mount, STATE, self._key)

    def current(self, name: str) -> str:
        """Where it lies in the environment."""
        return posixpath.join(self.workspace.root, name)

    def staged(self, name: str) -> str:
        """Where it lies before it comes."""
        mount = self.mount(name)
        return posixpath.join(self.own(mount), "stage", name) if mount else posixpath.join(self.workspace.stage, name)

    def kept(self, name: str) -> str:
        """Where it lies after it went."""
        mount = self.mount(name)
        folder = posixpath.join(self.own(mount), "files") if mount else self.workspace.undo_files(self.journal.number)
        return posixpath.join(folder, name)

    def returned(self, name: str) -> str:
        """Where it lies after it was taken out again."""
        mount = self.mount(name)
        return posixpath.join(self.own(mount), "returned", name) if mount else posixpath.join(self.workspace.returned, name)

    def state(self, name: str) -> str:
        """The tool's own folder on the mount of an entry."""
        return posixpath.join(self.workspace.root, self.mount(name), STATE)

    @property
    def states(self) -> frozenset[str]:
        """The tool's own folders on mounts, relative to the environment."""
        return frozenset(posixpath.join(mount, STATE) for mount in self.journal.mounts)

    def here(self, reader: Reader) -> Where:
        """What is in the environment."""
        return Where(at=self.current, state=self.state, mounted=mounts_inside(reader, self.workspace))

    @property
    def away(self) -> Where:
        """What went."""
        return Where(at=self.kept, state=self.state)

    @property
    def kept_folders(self) -> dict[str, str]:
        """The folders of what went, by mount point."""
        found = {mount: posixpath.join(self.own(mount), "files") for mount in self.journal.mounts}
        return {"": self.workspace.undo_files(self.journal.number), **found}

    def replaced(self, mount: str, number: int) -> str:
        """Where what went on a mount stays when it does not come back."""
        return posixpath.join(self.workspace.root, mount, STATE, "replaced", str(number))

    def check(self, reader: Reader, *, begun: bool) -> None:
        """Raise ``InputError`` where a folder on a mount is not to be trusted, ``OperationError`` where one that a change had ``begun`` is gone."""
        for mount in self.journal.mounts:
            place = posixpath.join(self.workspace.root, mount)
            if begun and not reader.exists(self.own(mount)):
                hint = "mount it again, then run the same command again"
                raise OperationError(
                    "what was mounted there when the environment was changed holds old files, and is gone", place=place, hint=hint
                )
            check_folders(reader, self.workspace.root, self.own(mount))
            check(reader, self.own(mount), top=place)

    def prepare(self, host: Host) -> None:
        """Make the folders on mounts, and bring there what is staged for them: by copies, so that nothing is left to copy when files move."""
        for mount in self.journal.mounts:
            self.check(host, begun=False)
            make_folders(host, self.own(mount), mode=STATE_MODE)
        for name in self.journal.incoming:
            if self.mount(name):
                source = posixpath.join(self.workspace.stage, name)
                make_folders(host, posixpath.dirname(self.staged(name)), mode=STATE_MODE)
                host.copy(source, self.staged(name))
                host.remove_tree(source) if host.entry(source).kind == "directory" else host.remove(source)

    def clear_stage(self, host: Host) -> None:
        """Remove what was staged on mounts, and has come."""
        for mount in self.journal.mounts:
            host.remove_tree(posixpath.join(self.own(mount), "stage"))

    def clear(self, host: Host) -> None:
        """Remove all that the change has on mounts."""
        for mount in self.journal.mounts:
            check_folders(host, self.workspace.root, self.own(mount))
            host.remove_tree(self.own(mount))
            host.remove_tree(posixpath.join(self.workspace.root, mount, STATE, TRIAL))
            with contextlib.suppress(OSError):
                # Another change may have something there.
                host.remove_folder(posixpath.join(self.workspace.root, mount, STATE))


def mounts_inside(reader: Reader, workspace: Workspace) -> tuple[str, ...]:
    """Return the mount points in an environment, innermost first; raises ``OperationError`` where the tool's own folder is one."""
    found = mounts_below(reader, workspace.root)
    for mount in found:
        if is_below(mount, {STATE}):
            raise mount_point(posixpath.join(workspace.root, mount))
    return found


def mounted_folders(reader: Reader, workspace: Workspace) -> tuple[str, ...]:
    """As ``mounts_inside``, but for single files: nothing lies on those."""
    found = ((mount, files.entry(reader, posixpath.join(workspace.root, mount))) for mount in mounts_inside(reader, workspace))
    return tuple(mount for mount, entry in found if entry is not None and entry.kind == "directory")


def used(workspace: Workspace, journal: Journal) -> Journal:
    """Return the journal with those mounts alone on which something moves."""
    places = Places(workspace, journal)
    names = {places.mount(name) for name in (*journal.outgoing, *journal.incoming)}
    return replace(journal, mounts=tuple(mount for mount in journal.mounts if mount in names))


def check_mounts(reader: Reader, workspace: Workspace, journal: Journal) -> None:
    """Raise ``OperationError`` where a move would be from one mount to another, because something was mounted since."""
    there = Places(workspace, replace(journal, mounts=mounts_inside(reader, workspace)))
    known = Places(workspace, journal)
    for name in (*journal.outgoing, *journal.incoming) if there.journal.mounts else ():
        mount = there.mount(name)
        if mount != known.mount(name):
            raise mount_point(posixpath.join(workspace.root, mount))
