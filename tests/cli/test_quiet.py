"""Looking only, and saying less: ``--dry-run``, ``--quiet``, ``--no-progress``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.made import good_environment
from tests.cli.support import Inside, Tool
from tests.cli.terminal import on_terminal
from tests.support import snapshot


def test_apply_that_only_looks_changes_nothing(inside: Inside, tiny, work: Path) -> None:
    shown, planned = inside("apply", "--dry-run", **tiny), inside("plan", **tiny)
    assert (shown.code, shown.err.partition(": ")[0], shown.err.count("\n")) == (0, "Environment", 1)
    # What is free changes all the time.
    said = [re.sub(r"; \S+ .B free", "", text.out).split("\n\n")[0] for text in (shown, planned)]
    assert " free" in shown.out
    assert said[0] == said[1]
    assert inside("apply", "-n", "--json", **tiny).json["schema"] == "tfsetup/plan/1"
    # Of a saved plan, too; one that is not there is none.
    assert inside("plan", "-o", "plan.json", **tiny).code == 0
    assert "Nothing was changed" in inside("apply", "plan.json", "-n", **tiny).out
    assert inside("apply", "other.json", "-n", **tiny).code == 2
    assert [path.name for path in work.iterdir()] == ["plan.json"]


def test_undo_that_only_looks_changes_nothing(inside: Inside, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    before = snapshot(work)
    shown = inside("undo", "--dry-run")
    assert (shown.code, shown.err.partition(": ")[0], shown.err.count("\n")) == (0, "Environment", 1)
    assert "it is removed, with all that is in it\nNothing was changed\n" in shown.out
    assert inside("undo", "-n", "--json").json["restored"] == "absent"
    assert snapshot(work) == before
    assert inside("undo", "--yes", "--quiet") == inside("undo", "-q", "--yes"), "done, and nothing to do: both say nothing"
    assert inside("undo", "--dry-run").out.startswith("Nothing to undo")


def test_what_is_quiet_tells_what_is_wrong_and_nothing_else(
    inside: Inside, tool: Tool, tiny, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = tool("apply", "--yes", "--quiet", **tiny)
    assert (failed.code, failed.err) == (14, "")
    assert "Result: failed" in failed.out
    good_environment(shared, work / "tf-env", monkeypatch)
    again = inside("apply", "--quiet", **tiny)
    assert (again.code, again.out, again.err) == (0, "", "")
    refused = inside("apply", "-q", "--tensorflow", "1.15", **tiny)
    assert (refused.code, refused.out) == (12, "")
    assert refused.err
    failed = inside("verify", "-q", **tiny)
    assert (failed.code, failed.err) == (14, "")
    assert inside("verify", **tiny).err


def test_nobody_is_asked_about_what_was_not_shown_however_quiet(tool: Tool, tiny) -> None:
    ended = on_terminal(tool, b"n\n", "apply", "--quiet", **tiny)
    assert ended.code == 15
    assert ended.err.index("undoable") < ended.err.index("Do this? [y/N]")


def test_without_progress_a_terminal_gets_lines(tool: Tool, tiny) -> None:
    ended = on_terminal(tool, b"y\n", "apply", "--no-progress", **tiny)
    assert ended.code == 14
    # Colours are words' dress; what moves the cursor is what logs cannot show.
    assert not re.search(r"\x1b\[[0-9;?]*[^m0-9;?]", ended.err)
    assert "\r\n  done in " in ended.err
