"""The messages, the titles and the history, read once and kept as JSON in the tool's cache, as the catalogue's files are.

An entry is valid for one list of files with their sizes and modification times; one that cannot be read or written is no error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import posixpath
from collections.abc import Callable
from typing import Any

from provisioner.causes.history import History
from provisioner.causes.messages import Messages, row_of
from provisioner.errors import InputError
from provisioner.host import Host, Reader
from provisioner.host.files import make_folders
from provisioner.model.cause import Group, Order
from provisioner.model.codec import from_data, to_data
from provisioner.model.json_text import read_json

# Another form of the entry, or of what a pattern means, needs another number.
FORM = 10
LIMIT = 1 << 24
WORDS = "causes"
FOLDER = "causes/messages"
HISTORY = "history.yaml"


def open_messages(host: Reader, root: str, *, cache: Host | None = None, cache_dir: str = "") -> Messages:
    """Read the profiles folder ``root``; with ``cache`` the result is kept below ``cache_dir`` (absolute), at best effort.

    Raises ``InputError`` that names the file and every fault in it.
    """
    key = _key(host, root, f"{FOLDER}/*.yaml", f"{WORDS}/*.yaml", HISTORY)
    names = [name for name, *_ in key[1]]
    kept = _kept("causes", key, lambda: _read(host, root, names), root, cache=cache, cache_dir=cache_dir)
    return Messages(
        rows=kept["rows"],
        titles=kept["titles"],
        order=_order(kept["order"]),
        history=from_data(History, kept["history"]),
    )


def open_order(host: Reader, root: str, *, cache: Host | None = None, cache_dir: str = "") -> Order:
    """Read how the causes stand to one another, with their traits, as ``open_messages`` does, and without the messages, which are much more."""

    def read() -> dict[str, Any]:
        from provisioner.causes.pages import load_causes, load_order  # noqa: PLC0415 - only a cold run reads YAML

        folder = f"{root}/{WORDS}"
        return {"order": to_data(load_order(host, folder, load_causes(host, folder)))}

    return _order(_kept("order", _key(host, root, f"{WORDS}/*.yaml"), read, root, cache=cache, cache_dir=cache_dir)["order"])


def _order(kept: dict[str, Any]) -> Order:
    return Order(
        groups=tuple(Group(title=item["title"], codes=tuple(item["codes"])) for item in kept["groups"]),
        ranking=tuple(kept["ranking"]),
        follows=kept["follows"],
        traits={trait: tuple(codes) for trait, codes in kept["traits"].items()},
        cuda_results=kept["cuda_results"],
    )


def _kept(
    name: str, key: list[Any], read: Callable[[], dict[str, Any]], root: str, *, cache: Host | None, cache_dir: str
) -> dict[str, Any]:
    """Return what the cache holds for ``key``, else what is read, which is then kept."""
    if cache is None or not cache_dir:
        return read()
    place = f"{cache_dir}/{name}-{hashlib.sha256(root.encode()).hexdigest()[:12]}.json"
    kept = _load(cache, place, key)
    if kept is None:
        kept = read()
        with contextlib.suppress(OSError):
            make_folders(cache, cache_dir)
            cache.write(place, json.dumps({"key": key, **kept}, separators=(",", ":")))
    return kept


def _key(host: Reader, root: str, *patterns: str) -> list[Any]:
    """Return the files with their sizes and times; a pattern without a star is a file that must be there."""
    files = []
    for path in (path for item in patterns for path in (host.glob(f"{root}/{item}") if "*" in item else (f"{root}/{item}",))):
        try:
            entry = host.entry(path)
        except OSError as error:
            raise InputError(f"cannot be read: {error}", place=path) from None
        files.append([posixpath.relpath(path, root), entry.size, entry.mtime])
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

    causes = load_causes(host, f"{root}/{WORDS}")
    order = load_order(host, f"{root}/{WORDS}", causes)
    speakers = tuple(
        read_speaker(data(name), file=f"{root}/{name}", name=posixpath.basename(name).removesuffix(".yaml"))
        for name in names
        if name.startswith(FOLDER)
    )
    messages = messages_of(speakers, causes, file=f"{root}/{FOLDER}")
    return {
        "rows": [row_of(message) for message in messages],
        "titles": {code: item.title for code, item in causes.items()},
        "order": to_data(order),
        "history": to_data(read_history(data(HISTORY), file=f"{root}/{HISTORY}")),
    }
