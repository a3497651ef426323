"""YAML is read strictly: text stays text, and what could mislead is refused with its place."""

from __future__ import annotations

import pytest

from provisioner.catalogue.yaml_text import MOST_FAULTS, parse_yaml
from provisioner.errors import InputError


def test_scalars_are_text_but_for_true_false_null() -> None:
    text = "{a: 2.10, b: 2024-01-02, c: 1_0, d: yes, e: true, f: false, g: null, h: ~, i: 0x10, j: '', k: }"
    assert parse_yaml(text, file="f") == {
        "a": "2.10",
        "b": "2024-01-02",
        "c": "1_0",
        "d": "yes",
        "e": True,
        "f": False,
        "g": None,
        "h": "~",
        "i": "0x10",
        "j": "",
        "k": None,
    }


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1"),
        ("a: {x: 1, x: 2}\n", "line 1, column 11"),
        ("a: &x [1]\nb: *x\n", "line 1, column 4"),
        ("a: [1\n", "line 2"),
        ("? [a]\n: 1\n", "line 1, column 3"),
        ("a: !!python/object:os.system x\n", "line 1, column 4"),
        ("a: 1\n---\nb: 2\n", "line 2"),
        ("a: \x07\n", "document"),
        ("[" * 5000, ""),
    ],
)
def test_what_could_mislead_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, file="f.yaml")
    assert caught.value.place == "f.yaml"
    assert caught.value.faults
    assert caught.value.faults[0].startswith(place)


def test_every_duplicate_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml("a: 1\na: 2\nb: {c: 1, c: 2}\n", file="f")
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("line", ["a: b\n", "- &a b\n"])
def test_of_a_file_that_is_nothing_but_faults_the_first_are_named(line: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml(line * 5000, file="f")
    assert len(caught.value.faults) == MOST_FAULTS
