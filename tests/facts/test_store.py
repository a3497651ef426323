"""What is kept between runs, and what is not believed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from provisioner.facts.store import FactStore
from provisioner.host.local import LocalHost


class Clock(LocalHost):
    """This machine with a clock that the test moves."""

    time = datetime(2026, 1, 1, tzinfo=timezone.utc)

    def now(self) -> datetime:
        return self.time


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    store = FactStore(LocalHost(), str(tmp_path / "new"))
    store.save("gpu", {"key": {"ä": [1, None]}})
    assert store.load("gpu") == {"key": {"ä": [1, None]}}
    assert store.load("interpreters") == {}


@pytest.mark.parametrize("later", [3601, -1])
def test_old_answers_and_those_from_the_future_do_not_count(tmp_path: Path, later: int) -> None:
    host = Clock()
    store = FactStore(host, str(tmp_path))
    store.save("gpu", {"key": 1})
    assert store.load("gpu", seconds=3600) == {"key": 1}
    host.time += timedelta(seconds=later)
    assert store.load("gpu", seconds=3600) == {}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"schema": "other/1", "entries": {}}', '{"schema": "tfsetup/fact-store/1", "entries": {"a": 1}}']
)
def test_damaged_files_count_as_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "facts-gpu.json").write_text(text)
    assert FactStore(LocalHost(), str(tmp_path)).load("gpu") == {}


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = FactStore(LocalHost(), str(tmp_path / "file" / "folder"))
    store.save("gpu", {"key": 1})
    assert store.load("gpu") == {}


def test_where_no_folder_can_be_made_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache on a drive that is not there was a bug of tfsetup's: it went up from folder to folder without end."""
    monkeypatch.setattr(LocalHost, "exists", lambda *_: False)
    FactStore(LocalHost(), "D:/cache").save("gpu", {"key": 1})
