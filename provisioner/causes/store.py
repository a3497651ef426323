"""The messages, the words and the history, read once and kept as JSON in the tool's cache, as the catalogue's files are.

An entry is valid for one list of files with their sizes and modification times; one that cannot be read or written is no error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import Any

from provisioner.causes.history import History
from provisioner.causes.messages import CauseText, Messages, row_of
from provisioner.errors import InputError
from provisioner.host import Host, Reader
from provisioner.model.cause import Group, Order
from provisioner.model.codec import from_data, to_data
from provisioner.model.json_text import read_json

# Another form of the entry, or of what a pattern means, needs another number.
FORM = 6
LIMIT = 1 << 24
WORDS = "causes"
FOLDER = "causes/messages"
HISTORY = "history.yaml"


def open_messages(host: Reader, root: str, *, cache: Host | None = None, cache_dir: str = "") -> Messages:
    """Read the profiles folder ``root``; with ``cache`` the result is kept below ``cache_dir`` (absolute), at best effort.

    Raises ``InputError`` that names the file and every fault in it.
    """
    key = _key(host, root)
    place = f"{cache_dir}/causes-{hashlib.sha256(root.encode()).hexdigest()[:12]}.json"
    kept = _load(cache, place, key) if cache is not None and cache_dir else None
    if kept is None:
        kept = _read(host, root, [name for name, *_ in key[1]])
        if cache is not None and cache_dir:
            with contextlib.suppress(OSError):
                _make(cache_dir, cache)
                cache.write(place, json.dumps({"key": key, **kept}, separators=(",", ":")))
    return Messages(
        rows=kept["rows"],
        causes={
            code: CauseText(title=item["title"], remedy=item["remedy"], steps=tuple(item["steps"])) for code, item in kept["causes"].items()
        },
        order=Order(
            groups=tuple(Group(title=item["title"], codes=tuple(item["codes"])) for item in kept["order"]["groups"]),
            ranking=tuple(kept["order"]["ranking"]),
            follows=kept["order"]["follows"],
        ),
        history=from_data(History, kept["history"]),
    )


def _key(host: Reader, root: str) -> list[Any]:
    files = []
    for path in (*host.glob(f"{root}/{FOLDER}/*.yaml"), *host.glob(f"{root}/{WORDS}/*.yaml"), f"{root}/{HISTORY}"):
        try:
            entry = host.entry(path)
        except OSError as error:
            raise InputError(f"cannot be read: {error}", place=path) from None
        files.append([os.path.relpath(path, root), entry.size, entry.mtime])
    return [FORM, files]


def _load(cache: Host, place: str, key: list[Any]) -> dict[str, Any] | None:
    try:
        kept = read_json(cache.read_bytes(place, LIMIT))
        return dict(kept) if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read(host: Reader, root: str, names: list[str]) -> dict[str, Any]:
    from provisioner.catalogue.yaml_text import parse_yaml  # noqa: PLC0415 - only a cold run reads YAML
    from provisioner.causes.pages import load_causes, load_order  # noqa: PLC0415 - as above
    from provisioner.causes.speakers import messages_of, read_history, read_speaker  # noqa: PLC0415 - as above

    def data(name: str) -> Any:
        path = f"{root}/{name}"
        try:
            return parse_yaml(host.read_bytes(path, LIMIT).decode(), file=path)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read: {error}", place=path) from None

    causes, order = load_causes(host, f"{root}/{WORDS}"), load_order(host, f"{root}/{WORDS}")
    speakers = tuple(
        read_speaker(data(name), file=f"{root}/{name}", name=os.path.basename(name).removesuffix(".yaml"))
        for name in names
        if name.startswith(FOLDER)
    )
    messages = messages_of(speakers, causes, file=f"{root}/{FOLDER}")
    return {
        "rows": [row_of(message) for message in messages],
        "causes": {code: {"title": item.title, "remedy": item.remedy, "steps": list(item.steps)} for code, item in causes.items()},
        "order": to_data(order),
        "history": to_data(read_history(data(HISTORY), file=f"{root}/{HISTORY}")),
    }


def _make(folder: str, cache: Host) -> None:
    if not cache.exists(folder):
        _make(os.path.dirname(folder), cache)
        cache.make_folder(folder)
