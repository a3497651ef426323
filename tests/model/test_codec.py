"""Records to JSON and back, every fault with its place, and the schema that describes it."""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, Literal, TypeVar

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.errors import InputError
from provisioner.model import codec
from provisioner.model.record import record

T = TypeVar("T")


@record
class Box(Generic[T]):
    """Holds one thing."""

    item: T | None = None


@record
class Inner:
    """A small record."""

    name: str
    size: int = 0


@record
class Outer:
    """Everything the codec knows."""

    text: str
    whole: int
    number: float
    flag: bool
    kind: Literal["a", "b"]
    inner: Inner
    many: tuple[Inner, ...]
    box: Box[str]
    boxes: Box[tuple[Inner, ...]]
    maybe: Inner | None = None
    either: str | int = 0
    table: dict[str, int] = dataclasses.field(default_factory=dict)
    free: Any = None


GOOD = {
    "text": "ü", "whole": 1, "number": 1.5, "flag": True, "kind": "a", "inner": {"name": "n", "size": 2}, "many": [{"name": "m", "size": 0}],
    "box": {"item": "x"}, "boxes": {"item": [{"name": "b", "size": 1}]}, "maybe": None, "either": "e", "table": {"k": 1}, "free": [{}],
}  # fmt: skip
NAMES = st.text(max_size=5)
COUNTS = st.integers(-(2**63), 2**63)
INNERS = st.builds(Inner, name=NAMES, size=COUNTS)
OUTERS = st.builds(
    Outer, text=NAMES, whole=COUNTS, number=st.floats(allow_nan=False, allow_infinity=False), flag=st.booleans(),
    kind=st.sampled_from(["a", "b"]), inner=INNERS, many=st.lists(INNERS, max_size=3).map(tuple), box=st.builds(Box, item=st.none() | NAMES),
    boxes=st.builds(Box, item=st.none() | st.lists(INNERS, max_size=2).map(tuple)), maybe=st.none() | INNERS, either=NAMES | COUNTS,
    table=st.dictionaries(NAMES, COUNTS, max_size=3),
)  # fmt: skip


@settings(max_examples=60)
@given(OUTERS)
def test_what_is_written_is_read_and_valid(value: Outer) -> None:
    import json

    document = codec.document("tfsetup/test/1", value)
    assert next(iter(document)) == "schema"
    again = codec.parse_json(json.dumps(document), file="f")
    assert codec.from_data(Outer, again, schema="tfsetup/test/1") == value
    jsonschema.validate(again, codec.json_schema(Outer, "tfsetup/test/1"), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"text": 1}, "text: expected text, found 1"),
        ({"whole": True}, "whole: expected a whole number, found true"),
        ({"whole": 1.0}, "whole: expected a whole number, found 1.0"),
        ({"number": "1"}, 'number: expected a number, found "1"'),
        ({"number": False}, "number: expected a number, found false"),
        ({"flag": 1}, "flag: expected true or false, found 1"),
        ({"kind": "c"}, "kind: expected one of 'a', 'b', found \"c\""),
        ({"kind": ["a"]}, "kind: expected one of 'a', 'b', found [\"a\"]"),
        ({"inner": []}, "inner: expected an object, found []"),
        ({"inner": {}}, "inner.name: is missing"),
        ({"inner": {"name": "n", "size": 1, "x": 1}}, "inner.x: is not a known field"),
        ({"many": {}}, "many: expected a list, found {}"),
        ({"many": [{"name": 1}]}, "many[0].name: expected text, found 1"),
        ({"box": {"item": 1}}, "box.item: expected text, found 1"),
        ({"boxes": {"item": [{"name": None}]}}, "boxes.item[0].name: expected text, found null"),
        ({"maybe": 1}, "maybe: expected an object, found 1"),
        ({"either": []}, "either: expected text or a whole number, found []"),
        ({"table": {"k": "v"}}, 'table.k: expected a whole number, found "v"'),
        ({"table": []}, "table: expected an object, found []"),
        ({"new": 1}, "new: is not a known field"),
        ({"text": ["x" * 100]}, 'text: expected text, found ["' + "x" * 55 + "..."),
    ],
)
def test_each_fault_has_its_place(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError) as caught:
        codec.from_data(Outer, {**GOOD, **change}, file="f")
    assert caught.value.faults == (fault,)
    assert caught.value.place == "f"


def test_all_faults_come_at_once() -> None:
    with pytest.raises(InputError) as caught:
        codec.from_data(Outer, {}, file="f")
    required = [name for name in GOOD if name not in {"maybe", "either", "table", "free"}]
    assert caught.value.faults == tuple(f"{name}: is missing" for name in required)


@pytest.mark.parametrize("data", [None, 1, "x", [], {"schema": 1}, {"schema": "tfsetup/other/1"}])
def test_another_document_is_refused(data: Any) -> None:
    with pytest.raises(InputError, match="not a `tfsetup/test/1` document"):
        codec.from_data(Inner, data, schema="tfsetup/test/1")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "line 1, column 2: "),
        ('{"a": 1,\n"b": }', "line 2, column 6: "),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "a number of 5000 digits"),
        ("NaN", "NaN is not a number"),
        ("[-Infinity]", "-Infinity is not a number"),
        ("", "line 1, column 1: "),
        ("\0", "line 1, column 1: "),
    ],
)
def test_what_is_no_json_is_refused(text: str, fault: str) -> None:
    with pytest.raises(InputError, match="not valid JSON") as caught:
        codec.parse_json(text, file="f")
    assert caught.value.faults[0].startswith(fault)


def test_a_schema_refuses_what_the_codec_refuses() -> None:
    schema = codec.json_schema(Outer, "tfsetup/test/1")
    jsonschema.Draft202012Validator.check_schema(schema)
    for change in ({"whole": "1"}, {"kind": "c"}, {"many": {}}, {"box": {"item": 1}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"schema": "tfsetup/test/1", **GOOD, **change}, schema)
