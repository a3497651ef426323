"""JSON of others: what Python's own conversions fail at later is refused at once, and everything wrong is one error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import InputError
from provisioner.model import codec
from provisioner.model.json_text import read_json
from provisioner.model.record import record

BAD = {
    "400 digits": '{"a": ' + "9" * 400 + "}",
    "5,000 digits": '{"a": ' + "9" * 5000 + "}",
    "too large a fraction": '{"a": 1e999}',
    "not a number": '{"a": NaN}',
    "infinite": '{"a": -Infinity}',
    "nested": "[" * 100_000,
    "half a letter": '{"a": "\\ud800"}',
    "half a letter in a key": '{"\\udfff": 1}',
    "no JSON": "{",
    "not UTF-8": b'{"a": "\xff"}',
}


@pytest.mark.parametrize("case", BAD)
def test_refused(case: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(BAD[case])


@pytest.mark.parametrize("case", [case for case in BAD if case != "not UTF-8"])
def test_the_codec_tells_it_as_input(case: str) -> None:
    with pytest.raises(InputError) as caught:
        codec.parse_json(str(BAD[case]), file="a.json")
    assert caught.value.place == "a.json"
    assert caught.value.faults


def test_names_of_files_that_are_no_text_stay() -> None:
    assert read_json('"\\udcff \\ud83d\\ude00"') == "\udcff \U0001f600"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists
    )
)
def test_what_is_written_is_read(data: object) -> None:
    assert read_json(json.dumps(data)) == data


@record
class Counted:
    count: int
    share: float = 0.0


@pytest.mark.parametrize("data", [{"count": 10**400}, {"count": 1, "share": 10**400}, {"count": 10**5000}, {"count": -(10**400)}])
def test_a_number_of_another_reader_is_a_fault(data: dict[str, object]) -> None:
    """F3: YAML, TOML and caches have readers of their own."""
    with pytest.raises(InputError) as caught:
        codec.from_data(Counted, data)
    assert "digits" in caught.value.faults[0]
