"""Where the tool keeps what it needs to finish, prove and undo its work: one folder inside the environment."""

from __future__ import annotations

import posixpath
import re

from provisioner.host import Reader
from provisioner.model.record import record

STATE = ".tfsetup"
# What an entry is called after it was moved aside; a number follows where that name is taken.
ASIDE = ".moved-by-tfsetup"
# Of the folders in which the tool keeps what it believes later: whatever the umask, nobody else may write there.
STATE_MODE = 0o755
# In such a folder: what holds something, so that nothing can be renamed onto it.
TRIAL = "trial"
_BESIDE = re.compile(r"\.(?P<name>.+)\.tfsetup-(?:new|old)")


def owner_of(path: str) -> str:
    """Return the environment that a folder beside it belongs to (``Workspace.aside``, ``Workspace.discarded``); any other path is its own."""
    found = _BESIDE.fullmatch(posixpath.basename(path))
    return posixpath.join(posixpath.dirname(path), found["name"]) if found else path


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
    def beside_lock(self) -> str:
        """The file that one run holds at a time, where nothing moves it: the environment itself may appear, be renamed and go meanwhile."""
        return posixpath.join(posixpath.dirname(self.root), f".{posixpath.basename(self.root)}.tfsetup-lock")

    @property
    def state(self) -> str:
        """The tool's own folder inside the environment."""
        return posixpath.join(self.root, STATE)

    @property
    def lock(self) -> str:
        """The file that one run holds at a time, too, for users who may write in the environment and not beside it."""
        return posixpath.join(self.state, "lock")

    @property
    def journal(self) -> str:
        """What is being done; there only while it is."""
        return posixpath.join(self.state, "journal.json")

    @property
    def ahead(self) -> str:
        """What taking a change back will write, on disk before anything moves: then only renames are left to do, which need no room."""
        return posixpath.join(self.state, "ahead")

    def phase(self, name: str) -> str:
        """The journal of a phase that has not begun."""
        return posixpath.join(self.ahead, f"{name}.json")

    @property
    def former_receipt(self) -> str:
        """The receipt before the change, to be put back."""
        return posixpath.join(self.ahead, "receipt.json")

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
    def fetched(self) -> str:
        """What came in fetching a Python, until it was checked."""
        return posixpath.join(self.state, "fetched")

    @property
    def inputs(self) -> tuple[str, str]:
        """What the installer is given while it works: the packages, and what source distributions among them are built with."""
        return posixpath.join(self.state, "requirements.txt"), posixpath.join(self.state, "builders.txt")

    @property
    def returned(self) -> str:
        """New files that an undo has taken out again."""
        return posixpath.join(self.state, "returned")

    @property
    def probe(self) -> str:
        """A file by which it is tried whether something can be moved elsewhere."""
        return posixpath.join(self.state, "probe")

    @property
    def trial(self) -> str:
        """A folder that holds something, onto which nothing can be renamed, to see why it is refused."""
        return posixpath.join(self.state, TRIAL)

    @property
    def history(self) -> str:
        """One numbered folder for each change that can be undone."""
        return posixpath.join(self.state, "undo")

    def undo_record(self, number: int) -> str:
        """What the change with that number moved."""
        return posixpath.join(self.history, str(number), "record.json")

    def brought(self, number: int) -> str:
        """What the change with that number brought, each file as it came."""
        return posixpath.join(self.history, str(number), "brought.json")

    def replaced(self, number: int) -> str:
        """Old files that did not come back when the change with that number was undone, because a person left the new ones there."""
        return posixpath.join(self.state, "replaced", str(number))

    def undo_files(self, number: int) -> str:
        """The files that the change with that number moved out."""
        return posixpath.join(self.history, str(number), "files")

    def is_used(self, reader: Reader) -> bool:
        """True where anything of the tool's lies in the environment, or was left beside it."""
        return any(reader.exists(path) for path in (self.state, self.aside, self.discarded))
