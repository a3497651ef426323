"""What was read from a YAML file, kept as JSON in the tool's cache, so that the next run imports no YAML and checks nothing twice.

An entry is valid for one size, modification time and form of the file it came from; an entry that cannot be read or written is no error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar, cast

from provisioner.errors import InputError
from provisioner.host import Host, Reader
from provisioner.host.files import make_folders
from provisioner.model.codec import from_data, to_data
from provisioner.model.json_text import read_json

T = TypeVar("T")

FORM = 1
LIMIT = 1 << 24


class Stored:
    """Reads files of the catalogue through the cache, and remembers each one's SHA-256."""

    def __init__(self, host: Reader, root: str, *, cache: Host | None, folder: str) -> None:
        """``folder`` is the absolute path of the cache's folder; without ``cache`` nothing is kept."""
        self._host = host
        self._root = root
        self._cache = cache if folder else None
        self._folder = folder
        self._prefix = f"{folder}/catalogue-{hashlib.sha256(root.encode()).hexdigest()[:12]}"
        self.read: dict[str, str] = {}
        self._read: dict[str, object] = {}

    def text(self, name: str) -> str:
        """Return the text of a file below the root; raises ``InputError`` where it cannot be read."""
        path = f"{self._root}/{name}"
        try:
            content = self._host.read_bytes(path, LIMIT)
            text = content.decode()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read: {error}", place=path) from None
        self.read[name] = hashlib.sha256(content).hexdigest()
        return text

    def parsed(self, name: str, cls: type[T], parse: Callable[[Any, str], T]) -> T:
        """Return the YAML file ``name`` as ``cls``, from the cache where the file has not changed since; read once."""
        if name in self._read:
            return cast("T", self._read[name])
        self._read[name] = value = self._parsed(name, cls, parse)
        return value

    def _parsed(self, name: str, cls: type[T], parse: Callable[[Any, str], T]) -> T:
        key = self._key(name)
        found = self._load(name, key, cls)
        if found is not None:
            return found
        from provisioner.catalogue.yaml_text import parse_yaml  # noqa: PLC0415 - only a cold run reads YAML

        path = f"{self._root}/{name}"
        value = parse(parse_yaml(self.text(name), file=path), path)
        self._keep(name, key, value)
        return value

    def _key(self, name: str) -> list[Any]:
        path = f"{self._root}/{name}"
        try:
            entry = self._host.entry(path)
        except OSError as error:
            raise InputError(f"cannot be read: {error}", place=path) from None
        return [FORM, path, entry.size, entry.mtime]

    def _place(self, name: str) -> str:
        return f"{self._prefix}-{name.replace('/', '-')}.json"

    def _load(self, name: str, key: list[Any], cls: type[T]) -> T | None:
        if self._cache is None:
            return None
        try:
            kept = read_json(self._cache.read_bytes(self._place(name), LIMIT))
            if kept["key"] != key:
                return None
            value = from_data(cls, kept["value"])
            self.read[name] = str(kept["sha256"])
        except (OSError, ValueError, KeyError, TypeError, InputError):
            return None
        return value

    def _keep(self, name: str, key: list[Any], value: Any) -> None:
        if self._cache is None:
            return
        kept = {"key": key, "sha256": self.read[name], "value": to_data(value)}
        with contextlib.suppress(OSError):
            make_folders(self._cache, self._folder)
            self._cache.write(self._place(name), json.dumps(kept, separators=(",", ":")))
