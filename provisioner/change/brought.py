"""What a change brings: written down before the first move, so that undo takes out that and nothing else.

It lies beside the undo record (``.tfsetup/undo/N/brought.json``). For a change made by tfsetup 0.1.0, which wrote none, it is what the distributions
that came with it have recorded, and what makes an environment.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, get_args

from provisioner.base.paths import is_below, is_inside
from provisioner.change.journal import Journal
from provisioner.environment import receipt as receipts
from provisioner.environment.conda_records import read_records
from provisioner.environment.distributions import Installed
from provisioner.environment.layout import layout
from provisioner.environment.owners import read_claims
from provisioner.environment.receipt import Receipt
from provisioner.environment.trust import check
from provisioner.environment.workspace import STATE, Workspace
from provisioner.errors import OperationError
from provisioner.host import EntryKind, Host, Mark, Reader
from provisioner.model.json_text import read_json
from provisioner.model.record import record

SCHEMA = "tfsetup/brought/1"
# What uv and virtualenv write beside packages when they make an environment.
_MADE = frozenset({".lock", ".gitignore", "CACHEDIR.TAG"})
_MADE_PACKAGES = frozenset({"_virtualenv.py", "_virtualenv.pth", "distutils-precedence.pth"})
_NOT_AS_IT_WAS = Mark("file", -1)
# File systems keep times more coarsely than clocks tell them.
_SLACK_NS = 2_000_000_000


# A written file's time as it is told at once, and as the file system keeps it (fuse-overlayfs: some milliseconds later). No edit is so near.
_SETTLING_NS = 50_000_000


def as_it_came(came: Mark, now: Mark | None) -> bool:
    """Whether a file is still the one that came: kind, size and time, but for what is lost of the time in an image's layer, an archive or a copy.

    Those keep whole seconds (FAT: every second one) and so only ever set a time back, which an edit never does.
    """
    if now is None or now == came:
        return now is not None
    return now._replace(mtime=came.mtime) == came and -_SLACK_NS <= now.mtime - came.mtime <= _SETTLING_NS


@record
class Brought:
    """``files`` are the files, links and empty folders that came, by their paths in the environment, each as it was when it came.

    ``stayed`` are the metadata folders of the distributions that the change left where they were; None where nobody wrote them down.
    """

    files: Mapping[str, Mark]
    stayed: frozenset[str] | None


def gather(reader: Reader, folder: str, *, moves: Collection[str] | None, stayed: Iterable[str]) -> Brought:
    """Return what lies in ``folder`` (a stage, or a new environment) and is about to come by ``moves`` (None: all of it)."""
    marks = reader.marks(folder)
    names = {name for name in marks if name.split("/", maxsplit=1)[0] != STATE}
    # A folder of that name that was there before is not ours, though nothing is in it.
    skipped = {name for name in names if marks[name].kind == "directory" and moves is not None and not is_below(name, moves)}
    return Brought(files={name: marks[name] for name in sorted(names - skipped)}, stayed=frozenset(stayed))


def write(host: Host, path: str, brought: Brought) -> None:
    """Put it on disk, durably."""
    rows = [[name, *mark] for name, mark in brought.files.items()]
    stayed = sorted(brought.stayed) if brought.stayed is not None else None
    host.write(path, json.dumps({"schema": SCHEMA, "stayed": stayed, "files": rows}, separators=(",", ":")) + "\n", durable=True)


def read(reader: Reader, workspace: Workspace, number: int) -> Brought | None:
    """Return what the change with that number brought, as it was written down; None where it was not.

    Raises ``InputError`` where it is not to be trusted, ``OperationError`` when it cannot be understood.
    """
    path = workspace.brought(number)
    check(reader, path, top=workspace.root)
    if not reader.exists(path):
        return None
    try:
        return _parsed(read_json(reader.read_text(path, limit=1 << 28)))
    except (ValueError, TypeError, KeyError):
        hint = "keep the folder for a bug report; without the file, what came is told by what packages have recorded"
        raise OperationError("what a change brought cannot be read, so it cannot be undone", place=path, hint=hint) from None


def _parsed(data: Any) -> Brought:
    """Return the document of ``write``; raises ``ValueError`` and its like where it is none."""
    if data["schema"] != SCHEMA:
        raise ValueError(data["schema"])
    found: dict[str, Mark] = {}
    for name, kind, size, mtime, target in data["files"]:
        if not (is_inside(name) and name.split("/", maxsplit=1)[0] != STATE and kind in get_args(EntryKind)):
            raise ValueError(name)
        if not (isinstance(size, int) and isinstance(mtime, int) and isinstance(target, str)):
            raise TypeError(name)
        found[name] = Mark(kind, size, mtime, target)
    stayed = data["stayed"]
    return Brought(files=found, stayed=None if stayed is None else frozenset(str(name) for name in stayed))


def of_old(
    reader: Reader, workspace: Workspace, journal: Journal, there: Mapping[str, Mark], distributions: Iterable[Installed]
) -> Brought:
    """Return what a change of 0.1.0 brought, as far as it can be told from ``there``: what lies now where it brought something.

    That is what the distributions that came with it have recorded, and what makes an environment. A file that is newer than the receipt, or of
    another size than recorded, is told as one that was changed since.
    """
    root = workspace.root
    receipt = receipts.believed(reader, workspace)
    if receipt is not None and receipt.plan.seal != journal.seal:
        receipt = None
    came = {item.metadata: item for item in distributions if _came(item, journal, receipt)}
    sizes: dict[str, int] = dict(_made(reader, root, receipt, there))
    for item in came.values():
        for path, claim in read_claims(reader, item, root) or ():
            if path.startswith(f"{root}/"):
                sizes[path[len(root) + 1 :]] = claim.size
    latest = _time_ns(receipt.finished) + _SLACK_NS if receipt is not None else 0
    found: dict[str, Mark] = {}
    for name, mark in there.items():
        size = -1 if is_below(name, came) else sizes.get(name)
        if size is None or mark.kind == "directory":
            continue
        same = mark.kind != "file" or (size in {-1, mark.size} and (not latest or mark.mtime <= latest))
        found[name] = mark if same else _NOT_AS_IT_WAS
    return Brought(files=found, stayed=None)


def _came(item: Installed, journal: Journal, receipt: Receipt | None) -> bool:
    """True where the metadata folder of a distribution moved in by itself, or came with a whole environment as the plan says."""
    if journal.stood:
        return is_below(item.metadata, journal.incoming)
    return receipt is None or item.version == _planned(receipt, item.name)


def _planned(receipt: Receipt, name: str) -> str:
    """The version that a plan brings of a distribution, by a wheel or by a conda package of that name; "" where it brings none."""
    linked = {package.name: package.version for package in receipt.plan.conda.packages} if receipt.plan.conda is not None else {}
    return receipt.plan.expected.get(name) or linked.get(name, "")


def _made(reader: Reader, root: str, receipt: Receipt | None, there: Mapping[str, Mark]) -> Iterator[tuple[str, int]]:
    """Give what no distribution records: the environment itself, conda packages, links and files of the plan, each with its size (-1: unknown)."""
    shape = layout(reader.platform)
    for name in there:
        folder, base = posixpath.split(name)
        programs = folder == shape.scripts and shape.is_made(base)
        if programs or name in shape.made or name in _MADE or shape.makes_environment(name) or base in _MADE_PACKAGES:
            yield name, -1
    for item in read_records(reader, root):
        yield item.meta, -1
        yield from ((file.path, -1) for file in item.files)
    if receipt is not None:
        site = receipt.plan.env.site_packages or shape.site_packages(receipt.plan.choice.python)
        yield from ((posixpath.join(site, link.path), -1) for link in receipt.plan.links)
        yield from ((edit.path, -1) for edit in receipt.plan.edits)


def _time_ns(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000
    except ValueError:
        return 0
