"""Lines on a terminal: broken between words, and what is typed stays whole."""

from __future__ import annotations

import pytest

from provisioner.report.wrapping import wrapped

COMMAND = "tfsetup apply --env /home/somebody/envs/one --tensorflow 2.15 --with pandas --with keras"


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_no_word_is_broken_and_none_is_lost(columns: int) -> None:
    text = "error: the packages that were asked for cannot be installed beside this TensorFlow, because `a b c` says so"
    lines = wrapped([text], columns)
    assert max(map(len, lines)) < columns
    assert " ".join(line.strip() for line in lines) == text
    assert any("`a b c`" in line for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])


@pytest.mark.parametrize("before", ["$ ", "    $ ", "Next: ", "To take it back: ", "hint: ", "hint: .venv/bin/", "Mend it: python3 -m "])
def test_a_command_is_one_line(before: str) -> None:
    assert wrapped([before + COMMAND], 40) == [before + COMMAND]


def test_what_has_a_label_is_broken_below_itself() -> None:
    row = "  Device files       none: there is no device file of NVIDIA, and no kernel module either"
    first, second = wrapped([row], 60)
    assert second.index(second.strip()) == row.index("none")
    assert first.startswith("  Device files       none:")


def test_short_lines_and_empty_ones_stay() -> None:
    assert wrapped(["", "  a  b", "c"], 80) == ["", "  a  b", "c"]


def test_words_that_name_a_command_are_broken_outside_it() -> None:
    line = "To take it back: `tfsetup undo --env e` moves the old files back, which stay on the disk"
    assert wrapped([line], 60) == ["To take it back: `tfsetup undo --env e` moves the old files", "  back, which stay on the disk"]
