"""Run in a process of its own: asks channels whether package files are still there, through rattler, which reaches them as an install would.

stdin: one request, an object with channels, platform, packages, repodata (cache folder), config (TOML)
stdout: ``{"missing": {filename: reason}}``, or ``{"error": kind, "text": ...}`` with status 1. Status 3 where py-rattler is not installed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

NOT_INSTALLED = 3
FAILED = 1
# How many files are asked for at once.
AT_ONCE = 8
GONE = "is not in the channel any more"
CHANGED = "is served with another hash than when the lock was made: do not install it, and ask who runs the channel"


def main() -> int:
    """Read the request, ask, print the answer."""
    request: dict[str, Any] = json.load(sys.stdin)
    # Python puts a script's folder first; our own rattler.py there would be taken for the package.
    sys.path = [path for path in sys.path if not path or Path(path).resolve() != Path(__file__).resolve().parent]
    try:
        import rattler  # noqa: F401, PLC0415 - its absence is an answer
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_INSTALLED
    try:
        answer = asyncio.run(look(request))
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller says it in words
        json.dump({"error": type(error).__name__, "text": str(error)}, sys.stdout)
        return FAILED
    json.dump(answer, sys.stdout)
    return 0


async def look(request: dict[str, Any]) -> dict[str, Any]:
    """Return which files are not in their channels any more, or have another hash, with reasons."""
    from rattler import Client, Config, Gateway  # noqa: PLC0415 - loaded above

    client = Client.from_config(Config.from_toml(request["config"]))
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
        return of_folder(Path(url2pathname(urlsplit(url).path)), item["sha256"])
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


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # As in _rattler.py: rattler's threads may still be at work.
    os._exit(code)
