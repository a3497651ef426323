"""What the long runs found is kept, shortened where it is good, and asked again where it is not."""

from __future__ import annotations

from pathlib import Path

from tests.found import Found


def test_a_good_one_is_kept_short_and_not_wanted_again(tmp_path: Path) -> None:
    found = Found(tmp_path / "found.json")
    found.keep("numpy-gone", {"faults": [], "first": "requirement-missing", "seconds": {"fix": 3.1}, "undo": ""})
    again = Found(tmp_path / "found.json")
    assert not again.wants("numpy-gone")
    assert set(again.known["numpy-gone"]) == {"date", "faults", "first"}
    assert again.wants("another")
    assert again.counted == "1 of 1 as they should be"


def test_one_that_is_not_good_keeps_its_words_and_is_wanted(tmp_path: Path) -> None:
    found = Found(tmp_path / "found.json")
    found.keep("numpy-gone", {"faults": ["undo: another mode"], "said": "all of it"})
    assert Found(tmp_path / "found.json").known["numpy-gone"]["said"] == "all of it"
    assert found.wants("numpy-gone")
    assert found.counted == "0 of 1 as they should be"


def test_an_old_result_does_not_count_where_a_newer_one_is_asked_for(tmp_path: Path) -> None:
    found = Found(tmp_path / "found.json")
    found.keep("numpy-gone", {"faults": []})
    assert not found.wants("numpy-gone", "2026-01-01")
    assert found.wants("numpy-gone", "9999-01-01")


def test_two_runs_side_by_side_keep_both(tmp_path: Path) -> None:
    one, other = Found(tmp_path / "found.json"), Found(tmp_path / "found.json")
    one.keep("a", {"faults": []})
    other.keep("b", {"faults": []})
    assert set(Found(tmp_path / "found.json").known) == {"a", "b"}
    assert (tmp_path / "found.json").read_text().count("\n") == 4
