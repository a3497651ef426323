"""Part of ``_rattler``: asks channels whether package files are still there, through rattler, which reaches them as an install would."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from provisioner.engines._rattler_fetch import client_of, digest, path_of

# How many files are asked for at once.
AT_ONCE = 8
GONE = "is not in the channel any more"
CHANGED = "is served with another hash than when the lock was made: do not install it, and ask who runs the channel"


async def look(request: dict[str, Any]) -> dict[str, Any]:
    """Return which files are not in their channels any more, or have another hash, with reasons."""
    from rattler import Gateway  # noqa: PLC0415 - loaded above

    client = client_of(request)
    gateway = Gateway(cache_dir=Path(request["repodata"]), client=client)
    names = sorted({item["name"] for item in request["packages"]})
    lists = await gateway.query(request["channels"], [request["platform"], "noarch"], names, recursive=False) if names else []
    listed = {(bare(record.url), record.sha256.hex() if record.sha256 else "") for records in lists for record in records}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: dict[str, Any]) -> str:
        async with gate:
            return await gone(item, client, listed)

    whys = await asyncio.gather(*(one(item) for item in request["packages"]))
    return {"missing": {item["filename"]: why for item, why in zip(request["packages"], whys, strict=True) if why}}


async def gone(item: dict[str, Any], client: Any, listed: set[tuple[str, str]]) -> str:
    """Return why a file is not what it was, or "" where it is."""
    from rattler.package_streaming import fetch_raw_package_file_from_url  # noqa: PLC0415 - loaded above

    url: str = item["url"]
    if url.startswith("file://"):
        return of_folder(path_of(url), item["sha256"])
    hashes = {sha256 for address, sha256 in listed if address == url}
    if hashes and item["sha256"] not in hashes:
        return CHANGED
    try:
        if not url.endswith(".conda"):
            await download_head(client, item.get("fetch") or url)
        else:
            await fetch_raw_package_file_from_url(client, item.get("fetch") or url, "info/index.json")
    except Exception as error:
        if "404" in str(error) or "410" in str(error):
            return GONE
        raise
    return ""


def of_folder(place: Path, sha256: str) -> str:
    """Return why a file of a folder is not what it was."""
    if not place.is_file():
        return GONE
    return "" if digest(place) == sha256 else CHANGED


async def download_head(client: Any, url: str) -> None:
    """Ask for a file, and hang up after its first bytes: rattler has no HEAD of its own, and reads parts of ``.conda`` files alone."""
    from rattler.package_streaming import download_to_writer  # noqa: PLC0415 - loaded above

    class EnoughError(OSError):
        """The first bytes have come."""

    class Writer:
        def write(self, _data: bytes) -> int:
            raise EnoughError("enough")

    try:
        await download_to_writer(client, url, Writer())
    except Exception as error:
        if "enough" not in str(error).lower():
            raise


def bare(url: str) -> str:
    """Return an address without credentials, as ``rattler.bare``."""
    return re.sub(r"/t/[^/]+/", "/", re.sub(r"(?<=://)[^/@]*@", "", url), count=1)
