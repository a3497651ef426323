"""The work of explain grows with the log, whatever stands in it (F10); and what is looked at holds every match."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.causes import Messages, open_messages
from provisioner.causes.patterns import compiled, conditions, reach
from provisioner.causes.places import Places
from provisioner.explain.reading import read_lines, split
from provisioner.explain.weigh import weigh_log
from provisioner.host.local import LocalHost
from tests.growth import too_fast

HOSTILE = {
    "F10": lambda number: f"{number} compatible" + "ba" * 3000,
    "wheels": lambda number: f"{number} " + "a" * 6000 + " is not a supported wheel",
    "many": lambda number: (
        f"{number} could not load dynamic library libcudart.so.11.0 not found symbol undefined No module named tensorflow"
    ),
    "epochs": lambda number: f"{number}/10000 [====>....] - ETA: {number % 60}s - loss: 0.{number * 7919 % 9999}",
}


@pytest.fixture(scope="module")
def known() -> tuple[Messages, Catalogue]:
    host, root = LocalHost(), find_profiles()
    return open_messages(host, root), Catalogue.open(host, root)


@pytest.mark.parametrize("case", HOSTILE)
def test_the_work_grows_with_the_log(case: str, known: tuple[Messages, Catalogue]) -> None:
    line = HOSTILE[case]

    def work(size: int) -> None:
        text = "\n".join(line(number) for number in range(size // len(line(1))))
        weigh_log(read_lines(split(text)), {}, *known)

    # What is read and compiled at the first use is no work for a log.
    work(1000)
    assert not too_fast(work, 800_000)


@given(
    pattern=st.sampled_from(["lib[a-z]+ not found", "error: .{0,20}here", "(one|two) \\w+$", "not found\\n\\s*here", "a b c found"]),
    text=st.text(alphabet="lib not found\nherrw:onetwa", max_size=60),
    before=st.integers(0, 3000),
)
def test_windows_hold_every_match(pattern: str, text: str, before: int) -> None:
    needed = conditions(pattern) or (("found",),)
    whole = "x\n" * before + text + " lib not found\nhere one two " * 3 + text
    own = compiled(pattern)
    width, lines = reach(pattern)
    found = [item.span() for low, high in Places(whole).windows(needed, width, lines) for item in own.finditer(whole, low, high)]
    assert found == [item.span() for item in own.finditer(whole)]


@pytest.mark.parametrize(
    ("pattern", "width", "lines"),
    [
        ("ab", 2, 0),
        ("a b", 3, 1),
        ("a+", 300, 0),
        ("a[^)]{0,9000}", 9001, 40),
        (r"a\s{0,3}", 4, 3),
        (r"[^\n]{2}", 2, 0),
        (r"(a\n){0,6}", 12, 6),
    ],
)
def test_reach(pattern: str, width: int, lines: int) -> None:
    assert reach(pattern) == (width, lines)


@given(
    words=st.lists(st.sampled_from(["error", "terror", "errorerror", "other", "err", "\n", "or\n", "ERROR"]), max_size=60),
    wanted=st.sampled_from(["error", "err", "ror", "her", "r\n"]),
    many=st.integers(1, 4),
)
def test_places_are_those_of_the_whole_text(words: list[str], wanted: str, many: int) -> None:
    text = " ".join(words)
    with pytest.MonkeyPatch.context() as patch:
        # With so many words or more, the text itself is looked through.
        patch.setattr("provisioner.causes.words.MANY", many)
        by_words = list(Places(text).windows([[wanted]], 1, 0))
        patch.setattr("provisioner.causes.places.is_of_one_word", lambda _: False)
        assert by_words == list(Places(text).windows([[wanted]], 1, 0))


def test_of_many_places_the_first_and_the_last_are_looked_at() -> None:
    text = "\n".join(f"{number} error" for number in range(5000))
    windows = list(Places(text).windows([["error"]], 10, 0))
    looked = [text[low:high] for low, high in windows]
    assert re.match("0 error", looked[0])
    assert looked[-1].endswith("4999 error")
    assert sum(map(len, looked)) < len(text) / 4
