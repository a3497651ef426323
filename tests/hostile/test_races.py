"""Two runs of the same person at once: neither reads what the other wrote."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.cli.support import VERSION, Tool, make_profiles
from tests.lock.index import Index

pytestmark = pytest.mark.slow


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    found = Index(tmp_path / "index")
    yield found
    found.close()


def test_two_plans_with_other_packages_do_not_get_each_other_s(tool: Tool, work: Path, tmp_path: Path, index: Index) -> None:
    files = (index.add("six", "2.0"), index.add("tensorflow-cpu", VERSION))
    for name in ("alpha", "beta"):
        index.add(name, "1.0")
    profiles = make_profiles(tmp_path / "profiles", files)
    # An index that takes its time keeps both at work together.
    index.delay = 1.0
    cache = tmp_path / "cache"
    stale = cache / "resolve" / "run-0123456789abcdef"
    stale.mkdir(parents=True)
    long_ago = (datetime.now(timezone.utc) - timedelta(days=3)).timestamp()
    os.utime(stale, (long_ago, long_ago))
    given = {"TFSETUP_PROFILES": str(profiles), "UV_DEFAULT_INDEX": index.url, "TFSETUP_CACHE_DIR": str(cache)}
    running = {
        name: tool.start("plan", "--env", "env", "--with", name, "--json", **given, UV_CACHE_DIR=str(tmp_path / name))
        for name in ("alpha", "beta")
    }
    folders: set[str] = set()
    modes: set[int] = set()
    while any(process.poll() is None for process in running.values()):
        for path in (cache / "resolve").glob("*"):
            folders.add(path.name)
            try:
                modes.add(path.stat().st_mode & 0o777)
            except FileNotFoundError:
                continue
        time.sleep(0.02)
    for name, process in running.items():
        out, err = process.communicate()
        assert process.returncode == 0, err
        other = "beta" if name == "alpha" else "alpha"
        assert f'"{name}"' in out
        assert f'"name": "{other}"' not in out
    assert len(folders - {stale.name}) == 2, folders
    assert modes <= {0o700, 0o755}
    assert not list((cache / "resolve").iterdir())
