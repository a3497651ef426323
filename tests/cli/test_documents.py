"""``--json``: one document each, its schema's name first, valid by the schema that ``tfsetup schema`` prints."""

from __future__ import annotations

import json

import jsonschema
import pytest

from provisioner.report.schemas import SCHEMAS
from tests.cli.support import Ended, Inside


def check(inside: Inside, ended: Ended, name: str) -> dict:
    """One document, and nothing else."""
    decoder = json.JSONDecoder()
    document, end = decoder.raw_decode(ended.out)
    assert ended.out[end:] == "\n"
    assert next(iter(document)) == "schema"
    assert document["schema"] == f"tfsetup/{name}/1"
    schema = inside("schema", name).json
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    return document


def test_schemas_are_listed_and_valid(inside: Inside) -> None:
    ended = inside("schema")
    assert ended.out.splitlines() == list(SCHEMAS)
    for name in SCHEMAS:
        schema = inside("schema", name).json
        jsonschema.Draft202012Validator.check_schema(schema)
        if name == "declaration":
            # Written by people, who name no schema in it; tests/declared/test_declaration.py holds it against many.
            assert "schema" not in schema["properties"]
            continue
        assert schema["properties"]["schema"] == {"const": f"tfsetup/{name}/1"}
        assert schema["required"][0] == "schema"
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"schema": "tfsetup/other/1"}, schema)


@pytest.mark.parametrize("name", ["facts", "plan", "profiles"])
def test_documents_of_what_only_reads(inside: Inside, tiny, name: str) -> None:
    command = {"facts": "detect"}.get(name, name)
    ended = inside(command, "--json", **tiny)
    assert (ended.code, ended.err) == (0, "")
    assert check(inside, ended, name)


def test_the_saved_plan_is_the_printed_one(inside: Inside, tiny, work) -> None:
    printed = check(inside, inside("plan", "--json", "-o", "plan.json", **tiny), "plan")
    assert json.loads((work / "plan.json").read_text()) == printed


def test_the_variable_asks_for_documents_too(inside: Inside, tiny) -> None:
    check(inside, inside("profiles", **tiny, TFSETUP_JSON="1"), "profiles")
    ended = inside("plan", "--device", "tpu", **tiny, TFSETUP_JSON="yes")
    check(inside, ended, "error")
    assert ended.err == ""


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("plan", "--tensorflow", "1.15"), 12),
        (("plan", "--facts", "no-such"), 2),
        (("apply", "no-such"), 2),
        (("apply",), 15),
        (("verify",), 2),
        (("bogus",), 2),
    ],
)
def test_a_failure_is_one_document_with_an_error(inside: Inside, tiny, args: tuple[str, ...], code: int) -> None:
    ended = inside(*args, "--json", **tiny)
    assert ended.code == code
    document = check(inside, ended, "error")
    assert document["error"]["code"] == code
    assert document["error"]["message"]
