"""The receipt: what was done to an environment and the proof of it, written after everything else."""

from __future__ import annotations

import json

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
        return codec.from_data(Receipt, codec.parse_json(content, file=path), file=path, schema=SCHEMA)
    except (OSError, InputError):
        return None
