"""The receipt: what was done to an environment and the proof of it, written after everything else."""

from __future__ import annotations

import json

from provisioner.base.paths import is_inside
from provisioner.environment.trust import doubt
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError
from provisioner.host import Reader
from provisioner.model import codec
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.model.record import record

SCHEMA = "tfsetup/receipt/1"


@record
class Receipt:
    """``started`` and ``finished`` are ISO 8601 times in UTC; ``plan`` is what was executed."""

    tool: str
    started: str
    finished: str
    plan: Plan
    verification: Verification


def text(receipt: Receipt) -> str:
    """Return the receipt as the text of its file."""
    return json.dumps(codec.document(SCHEMA, receipt), indent=1) + "\n"


def read(reader: Reader, path: str) -> Receipt | None:
    """Return the receipt at ``path``, or None when there is none or when it was written by a tool of another generation."""
    try:
        content = reader.read_text(path, limit=1 << 26)
        receipt = codec.from_data(Receipt, codec.parse_json(content, file=path), file=path, schema=SCHEMA)
    except (OSError, InputError):
        return None
    # A forged one must not name files elsewhere: what it linked is taken out by the next change.
    return receipt if all(is_inside(link.path) for link in receipt.plan.links) else None


def believed(reader: Reader, workspace: Workspace) -> Receipt | None:
    """Return the receipt of an environment where it can be trusted to be of this user's own, or of root's, tfsetup; else None."""
    place, _ = doubt(reader, workspace.receipt, top=workspace.root)
    return None if place else read(reader, workspace.receipt)
