"""What the children of a verification write down: one event a line, believed only where it has the fields of its kind. Pure.

The children run in the environment that is looked at, so anything may stand there; the writers are ``in_process/_tensorflow.py``,
``_libraries.py`` and ``_imports.py`` there.
"""

from __future__ import annotations

from typing import Any

from provisioner.base.paths import turned
from provisioner.model.json_text import read_json

Event = dict[str, Any]
Form = Any  # a type, a dict of fields, a list with the form of its items, or a frozenset of values

STATUSES = frozenset({"passed", "failed", "skipped", "not proven", "could not tell", "timed out", "crashed"})
_MODULE = {"module": str, "file": str, "hides": str, "entry": str}
_LIBRARY = {"variable": str, "entry": str, "file": str}
# Fields that a kind must have, beside any others.
FORMS: dict[str, Form] = {
    "start": {"check": str, "device": str},
    "end": {"check": str, "device": str, "status": STATUSES, "detail": str, "seconds": float},
    "loaded": {"modules": [_MODULE], "libraries": [_LIBRARY], "tools": {"flags": str, "ptxas": str}},
    "required": {"sonames": [str], "loaded": [str]},
    "opening": {"kind": str},
    "library": {"kind": str, "asked": [str], "path": str, "missing": str},
    "refused": {"asked": str, "path": str, "error": int},
    "version": {"kind": str},
    "driver": {"code": int, "name": str},
    "importing": {"module": str},
    "imported": {"module": str, "error": str},
}
_GPU = {"device": str, "name": str, "capability": str}


def parse_events(text: str, mark: str) -> tuple[Event, ...]:
    """Return the events in what a child wrote; lines without the mark are noise, a line that was cut off by a crash is left out."""
    found: list[Event] = []
    for line in text.split("\n"):
        head, _, body = line.partition(" ")
        if head != mark:
            continue
        try:
            event = turned(read_json(body))
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str) and fits(event, FORMS.get(event["event"], {})):
            found.append(_with_data(event))
    return tuple(found)


def _with_data(event: Event) -> Event:
    """What a check reports beside the words is a help only: what is not of its form is left out of it."""
    if event["event"] == "interpreter" and not _is_texts(event.get("markers")):
        return {**event, "markers": {}}
    if event["event"] != "end":
        return event
    data = event.get("data")
    data = dict(data) if isinstance(data, dict) else {}
    if not fits(data.get("gpus", []), [_GPU]):
        del data["gpus"]
    if not _is_texts(data.get("modules", {})):
        del data["modules"]
    return {**event, "data": data}


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def fits(value: Any, form: Form) -> bool:
    """True where a value has a form: a number may be whole, a table may have more fields than are asked for."""
    if isinstance(form, dict):
        return isinstance(value, dict) and all(name in value and fits(value[name], inner) for name, inner in form.items())
    if isinstance(form, list):
        return isinstance(value, list) and all(fits(item, form[0]) for item in value)
    if isinstance(form, frozenset):
        return isinstance(value, str) and value in form
    if isinstance(value, bool):
        return form is bool
    return isinstance(value, int | float if form is float else form)
