"""``tfsetup.lock.json``: what no format can say - needs, profiles, proofs, inputs' digests, the cut-off, and digests of the written files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from provisioner.model import codec
from provisioner.model.team import InputDigest, TeamLock

NAME = "tfsetup.lock.json"
SCHEMA = "tfsetup/team-lock/1"


def write(lock: TeamLock) -> str:
    """Return the text; ``read`` gives an equal value."""
    return json.dumps(codec.document(SCHEMA, lock), indent=1) + "\n"


def read(text: str, *, file: str) -> TeamLock:
    """Read the text; raises ``InputError`` with every fault."""
    return codec.from_data(TeamLock, codec.parse_json(text, file=file), file=file, schema=SCHEMA)


def digest(text: str) -> str:
    """Return the SHA-256 of a written file."""
    return hashlib.sha256(text.encode()).hexdigest()


def with_written(lock: TeamLock, files: Mapping[str, str]) -> TeamLock:
    """Return the lock with the names and digests of the files that were written for it."""
    return replace(lock, written=tuple(InputDigest(name=name, sha256=digest(text)) for name, text in sorted(files.items())))
