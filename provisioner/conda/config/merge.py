"""Several condarcs and variables as one: conda's rules for what counts more. Pure.

Rules: conda's documentation, "Configuration", and ``PrimitiveLoadedParameter.merge``, ``SequenceLoadedParameter.merge`` and
``MapLoadedParameter.merge`` in its ``conda/common/configuration.py``: a list that counts more comes first and keeps the others behind it,
names are merged, one value replaces another; ``#!final`` lets nothing after it count, ``#!top`` and ``#!bottom`` move items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from provisioner.conda.config.parse import SHAPES, Flag, Items, Setting

Found = Sequence[tuple[Any, Flag]]


def merge(settings: Sequence[Setting]) -> dict[str, Any]:
    """Return key -> value of settings that are given in the order in which they come to count more.

    Texts are ``str``, lists ``tuple[str, ...]``, names a ``dict`` of either.
    """
    mergers: dict[str, Callable[[Found], Any]] = {"text": _text, "list": _list, "map": _map_of(_text), "lists": _map_of(_list)}
    found: dict[str, Any] = {}
    for key in dict.fromkeys(setting.key for setting in settings):
        found[key] = mergers[SHAPES[key]]([(setting.value, setting.flag) for setting in settings if setting.key == key])
    return found


def origins(settings: Sequence[Setting]) -> dict[str, str]:
    """Return key -> the sources of its value, the one that counts most first."""
    found: dict[str, list[str]] = {}
    for setting in settings:
        found.setdefault(setting.key, []).append(setting.source)
    for key, sources in found.items():
        used = len(_until_final([(None, setting.flag) for setting in settings if setting.key == key]))
        # One value comes from one source: from the first that is final, else from the last.
        kept = sources[used - 1 : used] if SHAPES[key] == "text" else list(reversed(sources[:used]))
        found[key] = list(dict.fromkeys(kept))
    return {key: ", ".join(sources) for key, sources in found.items()}


def _until_final(found: Found) -> Found:
    end = next((number for number, (_, flag) in enumerate(found, 1) if flag == "final"), len(found))
    return found[:end]


def _text(found: Found) -> Any:
    return _until_final(found)[-1][0]


def _list(found: Found) -> tuple[str, ...]:
    kept: list[Items] = [value for value, _ in _until_final(found)]
    top = [text for items in kept for text, flag in items if flag == "top"]
    ordered = dict.fromkeys([*top, *(text for items in reversed(kept) for text, _ in items)])
    # What is at the bottom in the source that counts least stays last.
    bottom = dict.fromkeys(text for items in kept for text, flag in reversed(items) if flag == "bottom")
    return (*(text for text in ordered if text not in bottom), *reversed(bottom))


def _map_of(merger: Callable[[Found], Any]) -> Callable[[Found], dict[str, Any]]:
    def merge_maps(found: Found) -> dict[str, Any]:
        kept = [value for value, _ in _until_final(found)]
        entries: dict[str, list[tuple[Any, Flag]]] = {}
        for names in kept:
            for name, entry in names.items():
                entries.setdefault(name, []).append(entry)
        # A name that is final is the value of that source alone.
        return {name: merger([entry for entry in values if entry[1] == "final"][:1] or values) for name, values in entries.items()}

    return merge_maps
