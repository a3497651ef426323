"""The index that uv has built in: when it is the one that is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.engines import built_in
from provisioner.host.local import LocalHost
from provisioner.model.team import Index


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_CONFIG_FILE", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def test_uv_says_which_index_it_has_built_in(tmp_path: Path) -> None:
    found = built_in.address(LocalHost(), (), folder=str(tmp_path))
    assert found.startswith("https://")
    assert found.rstrip("/").endswith("/simple")


def test_a_person_who_names_an_index_has_that_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/simple")
    assert built_in.address(LocalHost(), (), folder=str(tmp_path)) == ""
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    assert built_in.address(LocalHost(), (), folder=str(tmp_path)) == ""


def test_a_team_whose_index_is_for_all_packages_has_that_one_and_one_for_some_is_beside_it(tmp_path: Path) -> None:
    whole, some = Index(url="http://127.0.0.1:1/simple"), Index(url="http://127.0.0.1:1/simple", name="own", packages=("own",))
    assert built_in.address(LocalHost(), (some, whole), folder=str(tmp_path)) == ""
    assert built_in.address(LocalHost(), (some,), folder=str(tmp_path)) == built_in.address(LocalHost(), (), folder=str(tmp_path))
