"""Keeps slow answers between runs, under a key that changes whenever they can. Reading and writing it may fail: then one asks again."""

from __future__ import annotations

import json
import posixpath
from typing import Any

from provisioner.host import Host
from provisioner.host.files import FAULTS, make_folders
from provisioner.model.json_text import read_json

SCHEMA = "tfsetup/fact-store/1"
LIMIT = 4 << 20


class FactStore:
    """JSON documents in one folder, one a subject: ``{"schema": …, "entries": {key: {"at": seconds, "data": …}}}``.

    ``folder`` need not exist. A file that is damaged or of another schema counts as empty.
    """

    def __init__(self, host: Host, folder: str) -> None:
        self._host = host
        self._folder = folder

    def load(self, subject: str, *, seconds: float | None = None) -> dict[str, Any]:
        """The answers of a subject by key; with ``seconds``, only those that are not older (nor from the future)."""
        try:
            data = read_json(self._host.read_text(self._path(subject), LIMIT))
            if data["schema"] != SCHEMA:
                return {}
            now = self._host.now().timestamp()
            entries = {str(key): entry for key, entry in data["entries"].items() if seconds is None or 0 <= now - entry["at"] <= seconds}
            return {key: entry["data"] for key, entry in entries.items()}
        except (*FAULTS, KeyError, TypeError, AttributeError):
            return {}

    def save(self, subject: str, answers: dict[str, Any]) -> None:
        """Replace the answers of a subject; nothing happens when the folder cannot be written."""
        at = self._host.now().timestamp()
        document = {"schema": SCHEMA, "entries": {key: {"at": at, "data": data} for key, data in answers.items()}}
        try:
            make_folders(self._host, self._folder)
            self._host.write(self._path(subject), json.dumps(document, ensure_ascii=True))
        except FAULTS:
            return

    def _path(self, subject: str) -> str:
        return posixpath.join(self._folder, f"facts-{subject}.json")
