"""Patterns: what text they need, where they are split, and which are refused."""

from __future__ import annotations

import pytest

from provisioner.causes.patterns import branches, compiled, conditions, fault, literals, squeeze


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        ("abc", ("abc",)),
        ("abc|defg", ("abc", "defg")),
        ("ABC D", ("abc",)),
        ("(abc)?defg", ("defg",)),
        (r"\d+ abcd (x|y)", ("abcd",)),
        ("(one|three) x", ("one", "three")),
        ("(one|t) x", ()),
        (".*", ()),
        ("(ab){2,3}", ()),
        ("(abc)+", ("abc",)),
    ],
)
def test_literals(pattern, needed):
    assert literals(pattern) == needed


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        ("abc", (("abc",),)),
        ("abc .{0,9}(defg|hij)", (("abc",), ("defg", "hij"))),
        ("(abc|x) defghi( jkl)? mnop", (("defghi",), ("mnop",))),
        (".*", ()),
    ],
)
def test_conditions(pattern, needed):
    assert conditions(pattern) == needed


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("a|b", ("a", "b")),
        ("(a|b)c|d", ("(a|b)c", "d")),
        (r"a\|b", (r"a\|b",)),
        ("[|]x|y", ("[|]x", "y")),
        ("[]|]x|y", ("[]|]x", "y")),
    ],
)
def test_branches(pattern, parts):
    found = branches(pattern)
    assert "|".join(found) == pattern
    if not pattern.startswith("[]"):
        assert found == parts


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("abc (d|e)", ""),
        ("(ab?){0,3}cde", ""),
        ("(a+)+bcd", "repeat inside a repeat"),
        ("(?:x(y*z)*)+abc", "repeat inside a repeat"),
        ("abc(", "not a regular expression"),
        ("abc|..", "needs a text"),
    ],
)
def test_fault(pattern, wrong):
    assert wrong in fault(pattern)
    assert bool(fault(pattern)) == bool(wrong)


def test_a_blank_is_a_line_end_and_case_does_not_count():
    assert compiled("no such file").search("No such\nfile")
    assert compiled("a ?b").search("ab")
    assert compiled("[a b]c").search(" c")
    assert squeeze("  a \t b  \n\n\n   c ") == "a b\nc"
