"""Part of ``_rattler``: fetches packages, and checks each before anything of it is linked; packages as rattler's records, and back."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provisioner.base.paths import is_inside

# How many packages are downloaded at once.
DOWNLOADS = 8
# Seconds before a download that broke off is begun again.
PAUSES = (0.5, 2.0)

# What a record has beside the fields that are named alike in an ``index.json``.
_PLACE = ("url", "fetch", "channel", "filename", "sha256", "md5", "size")

# Where a list of paths holds none of these, no path leads outside, and no script is there; with a backslash anything may be written differently.
# (Drives are a thing of Windows, whose packages' lists are read, not searched.)
SIGNS = (b"\\", b"..", b'"/', b"-post-link.")

# What was told of records, by address: the same package is asked for again when it is linked.
_TOLD: dict[str, tuple[dict[str, Any], Any]] = {}


class PackageError(Exception):
    """A package that must not be linked, in words."""


def identity(item: dict[str, Any]) -> str:
    """Return what a package's records and folders are called."""
    return f"{item['name']}-{item['version']}-{item['build']}"


def script(item: dict[str, Any]) -> str:
    """Return where a package has the script that is to be run after it was linked (conda-build's documentation, "Adding pre-link, post-link…")."""
    return f"Scripts/.{item['name']}-post-link.bat" if item["subdir"].startswith("win") else f"bin/.{item['name']}-post-link.sh"


def client_of(request: dict[str, Any]) -> Any:
    """Return what asks the network, as it is configured; rattler wants the addresses of the channels that mirrors stand for."""
    from rattler import Channel  # noqa: PLC0415 - loaded above

    text: str = request["config"]
    if request["mirrors"]:
        rows = (f"{json.dumps(Channel(name).base_url)} = {json.dumps(others)}" for name, others in request["mirrors"].items())
        text += "\n".join(["[mirrors]", *rows]) + "\n"
    return made_client(text)


@functools.lru_cache(maxsize=1)
def made_client(config: str) -> Any:
    """Return the client of a configuration; reading the certificates takes as long as a solve."""
    from rattler import Client, Config  # noqa: PLC0415 - loaded above

    return Client.from_config(Config.from_toml(config))


async def fetch(packages: list[dict[str, Any]], client: Any, cache: Any, folder: Path, *, wary: bool) -> list[tuple[Any, list[str]]]:
    """Return the records, each with its package's paths, every package checked: its SHA-256, and that all its paths lie inside the environment.

    rattler 0.28 checks no hash of what comes from a folder (``file://``), and writes wherever a package's list of paths says, outside the
    environment, too (tests/channel/test_rattler_facts.py). What is in the cache was checked when it came there; ``wary`` checks it again.
    """
    index = await cache.index()
    gate = asyncio.Semaphore(DOWNLOADS)

    async def one(item: dict[str, Any]) -> tuple[Any, list[str]]:
        record = record_of(item, folder)
        if index.contains_record(record) and (not wary or is_whole(cache, item)):
            paths = cached_paths(cache, item)
            check_paths(item, paths)
            return record, paths
        async with gate:
            place = await local(item, client, folder)
        if digest(place) != item["sha256"]:
            raise PackageError(f"hash mismatch: {item['filename']} is not the file that repodata describes")
        paths = await archive_paths(place)
        check_paths(item, paths)
        return record_of({**item, "fetch": place.as_uri()}, folder), paths

    tasks = [asyncio.ensure_future(one(item)) for item in packages]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        # After a fault the others must not go on writing into a folder that is about to be removed.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def local(item: dict[str, Any], client: Any, folder: Path) -> Path:
    """Return where the package file lies: in a channel that is a folder, or downloaded."""
    url: str = item.get("fetch") or item["url"]
    if url.startswith("file://"):
        return in_folder(url)
    place = folder / str(item["filename"])
    await download(client, url, place)
    return place


def in_folder(url: str) -> Path:
    """Return the file of a ``file://`` address; raises ``PackageError`` where there is none."""
    place = path_of(url)
    if not place.is_file():
        raise PackageError(f"{place}: not found")
    return place


def path_of(url: str) -> Path:
    """Return the path of a ``file://`` address."""
    from urllib.request import url2pathname  # noqa: PLC0415 - brings all of HTTP, 12 ms

    return Path(url2pathname(urlsplit(url).path))


async def download(client: Any, url: str, place: Path) -> None:
    """Download a file; where the network breaks off, again."""
    from rattler.package_streaming import download_to_path  # noqa: PLC0415 - loaded above

    for pause in PAUSES:
        try:
            return await download_to_path(client, url, place)
        except Exception as error:
            if "status client error" in str(error):
                raise
        await asyncio.sleep(pause)
    return await download_to_path(client, url, place)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


async def archive_paths(place: Path) -> list[str]:
    """Return the paths that a package file lists; those of before ``paths.json`` have a list of names alone."""
    from rattler.package_streaming import PackageArchive  # noqa: PLC0415 - loaded above

    archive = await PackageArchive.from_path(place)
    found = await archive.read_files(["info/paths.json", "info/files"])
    return listed(found.get("info/paths.json"), found.get("info/files"))


def cached_paths(cache: Any, item: dict[str, Any]) -> list[str]:
    """Return the paths that a package of the cache lists; none where its list has no sign of what anybody asks about."""
    for layer in cache.layers():
        info = Path(layer.path) / identity(item) / "info"
        paths, names = info / "paths.json", info / "files"
        if paths.exists():
            text = paths.read_bytes()
            return listed(text, None) if item["subdir"].startswith("win") or any(sign in text for sign in SIGNS) else []
        if names.exists():
            return listed(None, names.read_bytes())
    return []


def is_whole(cache: Any, item: dict[str, Any]) -> bool:
    """Whether the files of a package of the cache are as its list says."""
    for layer in cache.layers():
        place = Path(layer.path) / identity(item)
        if place.is_dir():
            try:
                entries = json.loads((place / "info" / "paths.json").read_bytes())["paths"]
                return all(digest(place / entry["_path"]) == entry["sha256"] for entry in entries if entry["path_type"] == "hardlink")
            except (OSError, ValueError, KeyError, TypeError):
                return False
    return False


def listed(paths: bytes | None, names: bytes | None) -> list[str]:
    """Return the paths of ``paths.json`` or ``files``."""
    if paths is not None:
        return [str(entry["_path"]) for entry in json.loads(paths)["paths"]]
    return (names or b"").decode("utf-8", "surrogateescape").splitlines()


def check_paths(item: dict[str, Any], paths: list[str]) -> None:
    """Raise ``PackageError`` for a package that would write outside the environment."""
    wrong = [path for path in paths if not is_inside(path)]
    if wrong:
        raise PackageError(f"{item['filename']} would write outside the environment: {', '.join(wrong[:3])}")


def virtual_of(text: str) -> Any:
    """Return the virtual package of ``__cuda=12.4=0``."""
    from rattler import BuildString, GenericVirtualPackage, PackageName, Version  # noqa: PLC0415 - loaded above

    name, version, build = text.split("=")
    return GenericVirtualPackage(PackageName(name), Version(version), BuildString(build))


def record_of(item: dict[str, Any], scratch: Path) -> Any:
    """Return the package as rattler's record; it reads an ``index.json`` from a file only, which is put into ``scratch``."""
    from rattler import PackageRecord, RepoDataRecord  # noqa: PLC0415 - loaded above

    told, record = _TOLD.get(item["url"], ({}, None))
    if record is not None and not item.get("fetch") and told == {name: value for name, value in item.items() if name != "fetch"}:
        return record
    index = {name: value for name, value in item.items() if name not in _PLACE and value not in ("", 0, [])}
    index["build_number"] = item["build_number"]
    if "track_features" in index:
        index["track_features"] = " ".join(index["track_features"])
    path = scratch / "index.json"
    path.write_text(json.dumps(index), encoding="utf-8")
    record = PackageRecord.from_index_json(path, item["size"] or None, item["sha256"] or None, item["md5"] or None)
    return RepoDataRecord(record, item["filename"], item.get("fetch") or item["url"], item["channel"])


def package_of(record: Any) -> dict[str, Any]:
    """Return rattler's record as a package."""
    data = json.loads(record.to_json())
    features = data.get("track_features") or []
    item = {
        "name": data["name"],
        "version": data["version"],
        "build": data["build"],
        "build_number": data["build_number"],
        "subdir": data["subdir"],
        "filename": record.file_name,
        "url": record.url,
        "channel": record.channel or "",
        "sha256": data.get("sha256") or "",
        "md5": data.get("md5") or "",
        "size": data.get("size") or 0,
        "depends": data.get("depends") or [],
        "constrains": data.get("constrains") or [],
        "noarch": data.get("noarch") or "",
        "license": data.get("license") or "",
        "timestamp": data.get("timestamp") or 0,
        "track_features": features.split() if isinstance(features, str) else features,
        "python_site_packages_path": data.get("python_site_packages_path") or "",
    }
    _TOLD[record.url] = (item, record)
    return item
