"""The documents of the tool and their JSON Schemas."""

from __future__ import annotations

from typing import Any

from provisioner.change import journal
from provisioner.environment import receipt
from provisioner.lock import keys, shape, sidecar, starter
from provisioner.lock.difference import LockDiff
from provisioner.model import codec
from provisioner.model.facts import Facts
from provisioner.model.finding import Verification
from provisioner.model.plan import Plan
from provisioner.model.team import TeamLock
from provisioner.plan import seal
from provisioner.report import check_text, diff_text, lock_text

SCHEMAS = (
    "apply",
    "cause",
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
    "team-lock",
    "undo",
    "verify",
)

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema of the document called ``name`` (one of ``SCHEMAS``)."""
    records = {
        "facts": ("tfsetup/facts/1", Facts),
        "init": (starter.SCHEMA, starter.First),
        "journal": (journal.SCHEMA, journal.Journal),
        "lock-check": (check_text.SCHEMA, check_text.CheckReport),
        "lock-diff": (diff_text.SCHEMA, LockDiff),
        "lock": (lock_text.SCHEMA, lock_text.LockReport),
        "plan": (seal.SCHEMA, Plan),
        "receipt": (receipt.SCHEMA, receipt.Receipt),
        "team-lock": (sidecar.SCHEMA, TeamLock),
    }
    if name in records:
        schema, cls = records[name]
        return codec.json_schema(cls, schema)
    if name == "declaration":
        return shape.json_schema(keys.DECLARATION, "tfsetup/declaration/1")
    if name == "profiles":
        from provisioner.report.profiles_text import SCHEMA, Profiles  # noqa: PLC0415 - brings the catalogue

        return codec.json_schema(Profiles, SCHEMA)
    if name == "fix":
        from provisioner.report import fix_text  # noqa: PLC0415 - only for this one

        return codec.json_schema(fix_text.Fixed, fix_text.SCHEMA)
    if name == "examination":
        return _examination()
    if name == "explanation":
        from provisioner.model.diagnosis import Explanation  # noqa: PLC0415 - only for this one

        return codec.json_schema(Explanation, "tfsetup/explanation/1")
    if name == "cause":
        from provisioner.model.cause import Cause  # noqa: PLC0415 - only for this one

        page = codec.json_schema(Cause, "tfsetup/cause/1")
        page["properties"]["findings"] = {"type": "array", "maxItems": 0}
        return page
    verification = codec.json_schema(Verification, "tfsetup/verify/1")
    if name == "verify":
        verification["properties"] = {
            "schema": verification["properties"].pop("schema"),
            "passed": {"type": "boolean"},
            **verification["properties"],
        }
        verification["required"].insert(1, "passed")
        return verification
    packages = codec.json_schema(Plan, seal.SCHEMA)
    definitions = {**verification["$defs"], **packages["$defs"]}
    definitions["Verification"] = {key: verification[key] for key in ("type", "description", "properties", "required")}
    fields: dict[str, dict[str, Any]] = {
        "apply": {
            "env": _TEXT,
            "release": _TEXT,
            "python": _TEXT,
            "device": {"enum": ["cpu", "cuda"]},
            "changed": {"type": "boolean"},
            "state": {"enum": ["new", "old"]},
            "installed": packages["properties"]["packages"],
            "linked": {"type": "array", "items": {"$ref": "#/$defs/CondaPackage"}},
            "removed": packages["properties"]["removals"],
            "findings": verification["properties"]["findings"],
            "verification": {"anyOf": [{"$ref": "#/$defs/Verification"}, {"type": "null"}]},
            "plan": _TEXT,
        },
        "error": {
            "error": {
                "type": "object",
                "properties": {
                    "code": {"type": "integer"},
                    **dict.fromkeys(("message", "place", "hint", "cause"), _TEXT),
                    **dict.fromkeys(("faults", "refusals", "nearest"), _TEXTS),
                },
                "required": ["code", "message"],
            }
        },
        "undo": {
            "env": _TEXT,
            "interrupted": {"type": ["object", "null"]},
            "restored": {"enum": ["absent", "empty", "venv", "conda", None]},
            "removed": _TEXTS,
            "put_back": _TEXTS,
            "kept": _TEXTS,
            "moved_aside": _TEXTS,
            "moved_to": {"type": ["string", "null"]},
            "not_returned": _TEXTS,
        },
    }
    schema = f"tfsetup/{name}/1"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema,
        "type": "object",
        "properties": {"schema": {"const": schema}, **fields[name]},
        "required": ["schema", *fields[name]],
        "$defs": definitions if name == "apply" else {},
    }


def _examination() -> dict[str, Any]:
    """The document of ``doctor --json``: ``changes`` is there with ``--compare``."""
    from provisioner.model.diagnosis import Changes, Examination  # noqa: PLC0415 - only this document

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
