"""Solves against a channel and installs from it with rattler, as the tests of the channel do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

rattler = pytest.importorskip("rattler")

LINUX = {"__unix": ("0", "0"), "__linux": ("6.1", "0"), "__glibc": ("2.35", "0"), "__archspec": ("1", "x86_64_v3")}


def solve(url: str, *specs: str, virtual: dict[str, tuple[str, str]] = LINUX, subdir: str = "linux-64", gateway=None, cache: Path) -> list:
    """Solve against a channel for a machine of the given virtual packages."""
    given = [
        rattler.GenericVirtualPackage(rattler.PackageName(name), rattler.Version(version), rattler.BuildString(built))
        for name, (version, built) in virtual.items()
    ]
    found = rattler.solve(
        [url],
        list(specs),
        platforms=[subdir, "noarch"],
        virtual_packages=given,
        gateway=gateway or rattler.Gateway(cache_dir=cache / "repodata"),
    )
    return asyncio.run(_awaited(found))


def install(records: Sequence[object], prefix: Path, *, cache: Path, **options: object) -> Path:
    """Link records into a prefix."""
    asyncio.run(_awaited(rattler.install(records, target_prefix=prefix, cache_dir=cache / "pkgs", show_progress=False, **options)))
    return prefix


async def _awaited(found):
    return await found


def names(records: Sequence[object]) -> dict[str, str]:
    """Return name -> version=build."""
    return {record.name.source: f"{record.version}={record.build}" for record in records}
