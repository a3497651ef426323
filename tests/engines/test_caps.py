"""Pythons that packages refuse from above: real uv passes over that, a lock does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.engines import uv_cache
from provisioner.errors import OperationError
from provisioner.host.local import LocalHost
from tests.lock.conftest import Team, index, team
from tests.lock.index import Index

__all__ = ["index", "team"]


def test_an_older_version_that_takes_the_python_is_locked(team: Team, index: Index) -> None:
    """As pip would: what the newest refuses, the one before it may not."""
    index.add("capped", "2.0", python=">=3.7,<3.10")
    index.add("capped", "1.0")
    index.add("needs", "1.0", "capped")
    team.requirements = ("needs",)
    assert team.versions(team.lock())["capped"] == "1.0"


@pytest.mark.slow
def test_one_that_is_asked_for_is_refused_with_its_own_words(team: Team, index: Index) -> None:
    index.add("capped", "2.0", python=">=3.7,<3.10")
    team.requirements = ("capped==2.0", "pandas")
    with pytest.raises(OperationError) as caught:
        team.lock()
    assert f"capped 2.0 needs Python >=3.7,<3.10, and linux has Python {team.targets[0].python}" in caught.value.message
    index.add("capped", "1.0")
    with pytest.raises(OperationError) as caught:
        team.lock()
    assert caught.value.faults == ("capped==2.0: 1.0 would do; capped 2.0 needs Python>=3.7,<3.10",)


@pytest.mark.parametrize("python", [">=3.7", "<4", "<3.99,>=3.7", "!=3.12.0"])
def test_others_are_taken(team: Team, index: Index, python: str) -> None:
    index.add("open", "2.0", python=python)
    index.add("open", "1.0")
    team.requirements = ("open",)
    assert team.versions(team.lock())["open"] == "2.0"


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x01", b"\x92\xa1x\xa11", b"no msgpack at all", b"\x94\xa1x\xa11\x90\x01"])
def test_what_is_no_record_of_uvs_says_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "1-py3-none-any.msgpack").write_bytes(data)
    assert uv_cache.requires_python(LocalHost(), [str(tmp_path)], "x", "1") == ""
