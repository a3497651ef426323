"""Colour stands on words, never on what a file says, and is gone where nobody sees it."""

from __future__ import annotations

import re

import pytest

from provisioner.report.colour import coloured
from tests.cli.conftest import inside, shared, tiny, tool, variables, work
from tests.cli.support import Tool
from tests.cli.terminal import on_terminal

__all__ = ["inside", "shared", "tiny", "tool", "variables", "work"]
SIGN = re.compile(r"\x1b\[(\d*)m")


@pytest.mark.parametrize(
    ("line", "on", "colour"),
    [
        ("error: there is no environment", "error:", "31"),
        ("ERROR cudnn-missing (certain): no cuDNN", "ERROR", "31"),
        ("  rich 13.0 BREAKS: it needs", "BREAKS", "31"),
        ("x failed  matmul", "x failed", "31"),
        ("warning: the disk is nearly full", "warning:", "35"),
        ("WARNING dependency-incompatible (likely): x", "WARNING", "35"),
        ("+ passed  import", "+ passed", "32"),
        ("Verified: TensorFlow 2.21.0 (cpu), 13 checks", "Verified", "32"),
        ("hint: add --yes", "hint:", "36"),
        ("TensorFlow 2.8.4 -> 2.15.1 (cpu): 36 change", "TensorFlow 2.8.4 -> 2.15.1 (cpu)", "1"),
        ("  changes: numpy 1.24.4 -> 1.26.4, and 3 more", "1.26.4", "32"),
        ("  changes: tensorflow 2.8.4 -> tensorflow-cpu 2.15.1", "tensorflow-cpu 2.15.1", "32"),
    ],
)
def test_the_word_is_coloured_and_the_text_is_the_same(line: str, on: str, colour: str) -> None:
    text = coloured(line)
    assert SIGN.sub("", text) == line
    assert f"\x1b[{colour}m{on if colour != '1' else 'TensorFlow'}" in text


def test_other_lines_have_none() -> None:
    for line in ("Proof: run on 2026", "  why: an error: of somebody", "no warning: here", ""):
        assert coloured(line) == line


def test_a_terminal_gets_colours_unless_somebody_wants_none(tool: Tool, tiny) -> None:
    seen = on_terminal(tool, b"n\n", "apply", **tiny).err
    assert "\x1b[1mTensorFlow" in seen
    assert "Nothing was changed" in seen, "a no is no error"
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert not SIGN.search(on_terminal(tool, b"n\n", "apply", **{**tiny, **more}).err)
    assert not SIGN.search(tool("apply", **tiny).err)
