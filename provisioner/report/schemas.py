"""The documents of the tool and their JSON Schemas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from provisioner.change import journal
from provisioner.declared import keys, shape
from provisioner.environment import receipt
from provisioner.lock import sidecar, starter
from provisioner.lock.difference import LockDiff
from provisioner.model import codec
from provisioner.model.cause import Cause, CauseList
from provisioner.model.diagnosis import Changes, Examination, Explanation
from provisioner.model.facts import Facts
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.model.status import Status
from provisioner.model.team import TeamLock
from provisioner.plan import seal
from provisioner.report import check_text, diff_text, fix_text, lock_text, profiles_text, status_text

# The documents that are one record as it is.
_RECORDS: dict[str, tuple[str, type]] = {
    "cause": ("tfsetup/cause/1", Cause),
    "causes": ("tfsetup/causes/1", CauseList),
    "explanation": ("tfsetup/explanation/1", Explanation),
    "facts": ("tfsetup/facts/1", Facts),
    "fix": (fix_text.SCHEMA, fix_text.Fixed),
    "init": (starter.SCHEMA, starter.First),
    "journal": (journal.SCHEMA, journal.Journal),
    "lock": (lock_text.SCHEMA, lock_text.LockReport),
    "lock-check": (check_text.SCHEMA, check_text.CheckReport),
    "lock-diff": (diff_text.SCHEMA, LockDiff),
    "plan": (seal.SCHEMA, Plan),
    "profiles": (profiles_text.SCHEMA, profiles_text.Profiles),
    "receipt": (receipt.SCHEMA, receipt.Receipt),
    "status": (status_text.SCHEMA, Status),
    "team-lock": (sidecar.SCHEMA, TeamLock),
    "verify": ("tfsetup/verify/1", Verification),
}
SCHEMAS = (
    "apply",
    "cause",
    "causes",
    "declaration",
    "error",
    "examination",
    "explanation",
    "facts",
    "fix",
    "init",
    "journal",
    "lock",
    "lock-check",
    "lock-diff",
    "plan",
    "profiles",
    "receipt",
    "status",
    "team-lock",
    "undo",
    "verify",
)

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema of the document called ``name`` (one of ``SCHEMAS``)."""
    special: dict[str, Callable[[], dict[str, Any]]] = {
        "apply": _apply,
        "cause": _cause,
        "declaration": lambda: shape.json_schema(keys.DECLARATION, "tfsetup/declaration/1"),
        "error": lambda: _document("error", _ERROR),
        "examination": _examination,
        "undo": lambda: _document("undo", _UNDO),
        "verify": _verify,
    }
    return special[name]() if name in special else _of_record(name)


def _of_record(name: str) -> dict[str, Any]:
    schema, cls = _RECORDS[name]
    return codec.json_schema(cls, schema)


def _document(name: str, fields: dict[str, Any], definitions: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of a document that is written field by field."""
    schema = f"tfsetup/{name}/1"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema,
        "type": "object",
        "properties": {"schema": {"const": schema}, **fields},
        "required": ["schema", *fields],
        "$defs": definitions or {},
    }


_ERROR = {
    "error": {
        "type": "object",
        "properties": {
            "code": {"type": "integer"},
            **dict.fromkeys(("message", "place", "hint", "cause"), _TEXT),
            **dict.fromkeys(("faults", "refusals", "nearest"), _TEXTS),
        },
        "required": ["code", "message"],
    }
}
_UNDO = {
    "env": _TEXT,
    "interrupted": {"type": ["object", "null"]},
    "restored": {"enum": ["absent", "empty", "venv", "conda", None]},
    "removed": _TEXTS,
    "put_back": _TEXTS,
    "kept": _TEXTS,
    "moved_aside": _TEXTS,
    "moved_to": {"type": ["string", "null"]},
    "not_returned": _TEXTS,
    "stays": _TEXTS,
    "steps": {"type": "integer"},
}


def _apply() -> dict[str, Any]:
    verification, plan = _of_record("verify"), _of_record("plan")
    definitions = {**verification["$defs"], **plan["$defs"]}
    definitions["Verification"] = {key: verification[key] for key in ("type", "description", "properties", "required")}
    fields = {
        "env": _TEXT,
        "release": _TEXT,
        "python": _TEXT,
        "device": {"enum": ["cpu", "cuda"]},
        "changed": {"type": "boolean"},
        "state": {"enum": ["new", "old"]},
        "installed": plan["properties"]["packages"],
        "linked": {"type": "array", "items": {"$ref": "#/$defs/CondaPackage"}},
        "removed": plan["properties"]["removals"],
        "conflicts": plan["properties"]["conflicts"],
        "neighbours": plan["properties"]["neighbours"],
        "moved": plan["properties"]["moved"],
        "findings": verification["properties"]["findings"],
        "verification": {"anyOf": [{"$ref": "#/$defs/Verification"}, {"type": "null"}]},
        "plan": _TEXT,
    }
    return _document("apply", fields, definitions)


def _cause() -> dict[str, Any]:
    """The document of ``explain CODE --json``: what an environment shows is not in it."""
    page = _of_record("cause")
    page["properties"]["findings"] = {"type": "array", "maxItems": 0}
    return page


def _verify() -> dict[str, Any]:
    """The document of ``verify --json``: the record, and whether it passed."""
    schema = _of_record("verify")
    schema["properties"] = {"schema": schema["properties"].pop("schema"), "passed": {"type": "boolean"}, **schema["properties"]}
    schema["required"].insert(1, "passed")
    return schema


def _examination() -> dict[str, Any]:
    """The document of ``doctor --json``: ``changes`` is there with ``--compare``."""
    schema = codec.json_schema(Examination, "tfsetup/examination/1")
    changes = codec.json_schema(Changes, "")
    schema["properties"] = {
        "schema": schema["properties"].pop("schema"),
        "healthy": {"type": "boolean"},
        **schema["properties"],
        "changes": {"$ref": "#/$defs/Changes"},
    }
    schema["required"].insert(1, "healthy")
    changes["properties"].pop("schema")
    changes["required"].remove("schema")
    schema["$defs"] |= changes["$defs"]
    schema["$defs"]["Changes"] = {key: changes[key] for key in ("type", "description", "properties", "required")}
    return schema
