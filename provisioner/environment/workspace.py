"""Where the tool keeps what it needs to finish, prove and undo its work: one folder inside the environment."""

from __future__ import annotations

import posixpath
import re

from provisioner.errors import UsageError
from provisioner.host import Reader
from provisioner.model.record import record

STATE = ".tfsetup"
# What an entry is called after it was moved aside; a number follows where that name is taken.
ASIDE = ".moved-by-tfsetup"
# Linux' 255, less what the tool puts around the name while it builds (``workspace.Workspace.aside``).
NAME_MAX_BYTES = 240


@record
class Workspace:
    """The paths that belong to the environment at ``root`` (absolute, links followed).

    A new environment is built in ``aside``, a sibling, and takes its place by one rename; an existing one is changed by renames
    between ``root`` and its own ``.tfsetup`` folder. Both are on one file system, so each rename is one step.
    """

    root: str

    @property
    def aside(self) -> str:
        """Where a new environment is built, beside the place it will take."""
        return posixpath.join(posixpath.dirname(self.root), f".{posixpath.basename(self.root)}.tfsetup-new")

    @property
    def discarded(self) -> str:
        """Where an environment that is taken away stands until it is removed."""
        return posixpath.join(posixpath.dirname(self.root), f".{posixpath.basename(self.root)}.tfsetup-old")

    @property
    def state(self) -> str:
        """The tool's own folder inside the environment."""
        return posixpath.join(self.root, STATE)

    @property
    def lock(self) -> str:
        """The file that one run holds at a time."""
        return posixpath.join(self.state, "lock")

    @property
    def journal(self) -> str:
        """What is being done; there only while it is."""
        return posixpath.join(self.state, "journal.json")

    @property
    def receipt(self) -> str:
        """What was done last, and its proof."""
        return posixpath.join(self.state, "receipt.json")

    @property
    def stage(self) -> str:
        """New files, laid out as in the environment, before they move in."""
        return posixpath.join(self.state, "stage")

    @property
    def helper(self) -> str:
        """A virtual environment for the moment, of which only the packages stay."""
        return posixpath.join(self.state, "helper")

    @property
    def inputs(self) -> tuple[str, str]:
        """What the installer is given while it works: the packages, and what source distributions among them are built with."""
        return posixpath.join(self.state, "requirements.txt"), posixpath.join(self.state, "builders.txt")

    @property
    def returned(self) -> str:
        """New files that an undo has taken out again."""
        return posixpath.join(self.state, "returned")

    @property
    def history(self) -> str:
        """One numbered folder for each change that can be undone."""
        return posixpath.join(self.state, "undo")

    def undo_record(self, number: int) -> str:
        """What the change with that number moved."""
        return posixpath.join(self.history, str(number), "record.json")

    def undo_files(self, number: int) -> str:
        """The files that the change with that number moved out."""
        return posixpath.join(self.history, str(number), "files")


def absolute(path: str, reader: Reader, origin: str) -> str:
    """Return ``path`` as an absolute path, a leading ``~`` replaced; raises ``UsageError`` for one that no folder can have."""
    if not path or "\0" in path:
        raise UsageError("a folder is needed", place=origin, hint="for example --env ./tf-env")
    if path == "~" or path.startswith("~/"):
        path = reader.env.get("HOME", "~") + path[1:]
    found = posixpath.normpath(posixpath.join(reader.cwd, path))
    if re.fullmatch(r"/+", found):
        raise UsageError("the root of the file system cannot be an environment", place=origin)
    if any(len(part.encode("utf-8", "surrogateescape")) > NAME_MAX_BYTES for part in found.split("/")):
        raise UsageError(f"a folder's name is too long (at most {NAME_MAX_BYTES} bytes)", place=origin)
    return found
