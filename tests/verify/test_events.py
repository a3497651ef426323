"""The verification child runs in the environment that is looked at: what it writes is believed only where it has its form (F5)."""

from __future__ import annotations

import json

import pytest

from provisioner.verify.events import FORMS, parse_events
from provisioner.verify.raw import Child, checks_of

START = {"event": "start", "check": "import", "device": ""}
END = {**START, "event": "end", "status": "passed", "detail": "", "seconds": 1}


def events(*items: object) -> str:
    return "".join(f"M {item if isinstance(item, str) else json.dumps(item)}\n" for item in items)


def child(*items: object) -> Child:
    return Child(code=0, timed_out=False, seconds=1.0, limit=9.0, err="", events=parse_events(events(*items), "M"))


@pytest.mark.parametrize("field", ["check", "device", "status", "detail", "seconds"])
@pytest.mark.parametrize("value", [None, [], {}, "9" * 400, 10**30])
def test_an_end_without_a_field_of_its_form_is_none(field: str, value: object) -> None:
    bad = {**END, field: value} if value is not None else {name: item for name, item in END.items() if name != field}
    (ran,) = checks_of(child(START, bad))
    assert ran.status in ({"passed"} if isinstance(value, str) and field == "detail" else {"crashed"})


@pytest.mark.parametrize("kind", FORMS)
def test_an_event_with_its_name_alone_is_none(kind: str) -> None:
    assert child({"event": kind}).events == ()


@pytest.mark.parametrize(
    "line", ["[" * 50_000, '{"event": "done", "n": ' + "9" * 5000 + "}", '{"event": "\\ud800"}', "1", '{"event": []}', ""]
)
def test_a_line_that_is_no_event_is_left_out(line: str) -> None:
    assert child(line, {"event": "done"}).events == ({"event": "done"},)


def test_what_helps_is_left_out_where_it_is_of_no_form() -> None:
    data = {"gpus": [{"device": 1}], "modules": {"keras": 3}, "tensorflow": "2.15.0"}
    (ran,) = checks_of(child(START, {**END, "data": data}))
    assert ran.data == {"tensorflow": "2.15.0"}
    assert checks_of(child(START, {**END, "data": "x"}))[0].data == {}
