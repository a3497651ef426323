"""The record of a change: written before the deed, kept afterwards for undo."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from provisioner.base.numbers import whole
from provisioner.base.paths import is_inside, is_whole
from provisioner.change.apart import Folder, Parted
from provisioner.conda import registry
from provisioner.environment.trust import check
from provisioner.environment.workspace import ASIDE, STATE, STATE_MODE, Workspace
from provisioner.errors import InputError, OperationError
from provisioner.host import Host, Reader
from provisioner.host.files import make_folders
from provisioner.model import codec
from provisioner.model.conda import Outside
from provisioner.model.plan import STANDING, EnvKind, Move
from provisioner.model.record import record

SCHEMA = "tfsetup/journal/1"

# What a system takes: permission bits, nanoseconds in a signed number of 64 bits, owners in 32 (-1 for none).
MODES, TIMES, OWNERS = 0o7777, 1 << 63, 1 << 32

Phase = Literal["building", "moving", "moved", "undoing", "clearing"]


@record
class Journal:
    """One change of one environment.

    ``phase``: ``building`` (the environment is untouched), ``moving`` (files are on their way), ``moved`` (the new state stands, its
    proof is due), ``undoing`` (files are on their way back), ``clearing`` (the old state stands, what is left of the new one is
    removed). ``outgoing`` and ``incoming`` are paths relative to the environment, in the order they move. ``before`` says what was
    there: ``absent``, ``empty``, ``venv``, ``conda``. ``parents`` are folders made above it. ``receipt`` is the text of the receipt before.
    ``moves`` are entries that are renamed beside themselves, before the others. ``outside`` is what makes the environment known to conda and
    mamba. Of an undo: ``kept`` are paths that move into the folder ``keep`` (absolute) first, because they came since and are in the way;
    ``left`` names what does not come back, and ``exact`` says that its lists are what was found there, wherever the change was interrupted.
    ``inside``: a new environment was built in an empty folder that had to stay, not beside it. ``follows``: the change before it was made by the same
    command, and is taken back with it.

    Where folders cannot be renamed (``apart``): ``folders`` are those of the old state of which ``outgoing`` has the entries, each after the one that
    it lies in; ``emptied`` are those of the new state of which ``incoming`` or ``kept`` has them; ``parted`` are those of ``moves`` whose entries
    moved one by one. ``mounts`` are the mount points in the environment, innermost first, on which something moves (``places``).
    """

    number: int
    seal: str
    started: str
    phase: Phase
    before: EnvKind
    outgoing: tuple[str, ...] = ()
    incoming: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    receipt: str = ""
    moves: tuple[Move, ...] = ()
    outside: tuple[Outside, ...] = ()
    keep: str = ""
    kept: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    exact: bool = False
    inside: bool = False
    follows: bool = False
    folders: tuple[Folder, ...] = ()
    emptied: tuple[str, ...] = ()
    parted: tuple[Parted, ...] = ()
    mounts: tuple[str, ...] = ()

    @property
    def went(self) -> tuple[str, ...]:
        """What moved out, a folder that was taken apart in the place of what was in it."""
        apart = {folder.path for folder in self.folders}
        found: dict[str, None] = {}
        for name in (*self.outgoing, *apart):
            above = name
            while posixpath.dirname(above) in apart:
                above = posixpath.dirname(above)
            found[above] = None
        return tuple(found)

    @property
    def made(self) -> bool:
        """True where the change made an environment; false where it changed one."""
        return self.before not in STANDING

    @property
    def stood(self) -> bool:
        """True where entries moved in a folder that stood before and stays: an environment, or an empty folder that had to stay."""
        return self.inside or not self.made


def write(host: Host, path: str, journal: Journal) -> None:
    """Put the journal on disk, durably."""
    host.write(path, _text(journal), durable=True)


def _text(journal: Journal) -> str:
    return json.dumps(codec.document(SCHEMA, journal)) + "\n"


def write_ahead(host: Host, workspace: Workspace, journal: Journal, *phases: Phase) -> None:
    """Put on disk what the journal will be in those phases, and the receipt of before, so that entering them takes no room."""
    if host.exists(workspace.ahead):
        host.remove_tree(workspace.ahead) if host.entry(workspace.ahead).kind == "directory" else host.remove(workspace.ahead)
    make_folders(host, workspace.ahead, mode=STATE_MODE)
    for phase in phases:
        write(host, workspace.phase(phase), replace(journal, phase=phase))
    if journal.receipt:
        host.write(workspace.former_receipt, journal.receipt, durable=True)


def enter(host: Host, workspace: Workspace, journal: Journal) -> None:
    """Make ``journal`` the one that stands: by renaming what was written ahead; where that is not there, by writing it."""
    put(host, workspace.phase(journal.phase), workspace.journal, _text(journal))


def put(host: Host, ahead: str, path: str, text: str) -> None:
    """Give the file ``path`` that text, durably: by renaming ``ahead`` where that holds it."""
    if _holds(host, path, text):
        return
    if not _holds(host, ahead, text):
        host.write(path, text, durable=True)
        return
    host.rename(ahead, path)
    host.sync(posixpath.dirname(path))


def _holds(reader: Reader, path: str, text: str) -> bool:
    try:
        return reader.entry(path).kind == "file" and reader.read_text(path, limit=1 << 28) == text
    except OSError:
        return False


def read(host: Reader, workspace: Workspace) -> Journal | None:
    """Return the journal of what is being done to an environment that stands, or None.

    Raises ``InputError`` where it is not to be trusted, ``OperationError`` when it cannot be understood.
    """
    check(host, workspace.journal, top=workspace.root)
    return read_at(host, workspace.journal, root=workspace.root)


def read_aside(host: Reader, workspace: Workspace) -> Journal | None:
    """As ``read``, of a new environment that is being built beside the place of ``workspace``."""
    return _read_beside(host, workspace, workspace.aside)


def read_discarded(host: Reader, workspace: Workspace) -> Journal | None:
    """As ``read``, of a new environment that was on its way out."""
    return _read_beside(host, workspace, workspace.discarded)


def _read_beside(host: Reader, workspace: Workspace, folder: str) -> Journal | None:
    path = Workspace(root=folder).journal
    check(host, path, top=posixpath.dirname(folder))
    return read_at(host, path, root=workspace.root)


def read_at(host: Reader, path: str, *, root: str) -> Journal | None:
    """Return the journal or undo record at ``path``, of the environment at ``root``, or None; whose it is, is not asked here."""
    try:
        text = host.read_text(path, limit=1 << 28)
    except OSError:
        # Nothing there, or nothing that could ever be (a link that leads to itself).
        if host.exists(path):
            raise
        return None
    try:
        journal = codec.from_data(Journal, codec.parse_json(text, file=path), file=path, schema=SCHEMA)
    except InputError as error:
        raise OperationError(
            "the record of an earlier change cannot be read, so it can be neither finished nor undone",
            place=path,
            hint=f"`{error.faults[0]}`; keep the folder for a bug report, or remove the environment and apply again",
        ) from None
    if fault := _fault(journal, root):
        raise OperationError(f"the record of an earlier change {fault}", place=path)
    return journal


def _fault(journal: Journal, root: str) -> str:
    """Say what no record of ours holds, or "": a forged one must not move or remove what it likes."""
    for name in (
        *journal.outgoing,
        *journal.incoming,
        *journal.kept,
        *journal.emptied,
        *journal.mounts,
        *(folder.path for folder in journal.folders),
    ):
        if not is_inside(name) or name.split("/", maxsplit=1)[0] == STATE:
            return f"names `{name}`, outside the environment"
    if journal.keep and (not is_whole(journal.keep) or f"{journal.keep}/".startswith(f"{root}/")):
        return f"names `{journal.keep}`, which is no folder elsewhere"
    for folder in journal.parents:
        if not is_whole(folder) or not root.startswith(folder + "/"):
            return f"names `{folder}`, which is no folder above the environment"
    for move in journal.moves:
        if not is_whole(move.path) or not re.fullmatch(re.escape(move.path + ASIDE) + r"(-\d+)?", move.target):
            return f"moves `{move.path}` to `{move.target}`"
    if fault := _fault_apart(journal):
        return fault
    for outside in journal.outside:
        if fault := registry.fault(outside):
            return f"cannot be right: {fault}"
    return ""


def _fault_apart(journal: Journal) -> str:
    """As ``_fault``, of what was taken apart."""
    for parted in journal.parted:
        if parted.path not in {move.path for move in journal.moves} or not all(is_inside(item.path) for item in parted.folders):
            return f"takes `{parted.path}` apart"
    for item in (*journal.folders, *(item for parted in journal.parted for item in parted.folders)):
        owners = all(-1 <= number < OWNERS for number in (item.owner, item.group))
        if not (owners and 0 <= item.mode <= MODES and abs(item.mtime) < TIMES):
            return f"makes `{item.path}` what no folder is"
    return ""


def last_record(host: Reader, workspace: Workspace) -> Journal | None:
    """Return the newest change that can be undone, or None; raises as ``read`` does."""
    return next(_records(host, workspace), None)


def steps_back(host: Reader, workspace: Workspace) -> int:
    """Return how many changes the last command made, which are taken back together."""
    count = 0
    for found in _records(host, workspace):
        count += 1
        if not found.follows:
            break
    return count


def _records(host: Reader, workspace: Workspace) -> Iterator[Journal]:
    """Yield the changes that can be undone, the newest first."""
    check(host, workspace.history, top=workspace.root)
    try:
        numbers = [
            whole(name)
            for name in (entry.path.rsplit("/", 1)[-1] for entry in host.list(workspace.history))
            if name.isascii() and name.isdigit()
        ]
    except (FileNotFoundError, NotADirectoryError):
        return
    for number in sorted(numbers, reverse=True):
        path = workspace.undo_record(number)
        check(host, path, top=workspace.root)
        record = read_at(host, path, root=workspace.root)
        if record is not None:
            yield record
