"""Run in a process of its own: solves and links conda packages with rattler, the engine of pixi.

stdin: one request, an object with ``do``:

``solve``    channels, platform, specs, virtual, locked, constraints, priority, repodata (cache folder), offline, config (TOML), newer ("" or ISO)
``install``  packages, prefix (where files are linked), target (the prefix that is written into them), specs, platform, caches, config,
             beside (conda's record of a Python that is there and stays, or ""), wary (whether cached packages are hashed)

stdout: one object, ``{"packages": [...]}`` or ``{}``, or ``{"error": kind, "text": ...}`` with status 1. A package is an object with the fields of
``provisioner.model.conda_package.CondaPackage``, and ``fetch`` where its address needs credentials. Status 3 where py-rattler is not installed. Link scripts of packages are never run.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

NOT_INSTALLED = 3
FAILED = 1
# How many packages are downloaded at once.
DOWNLOADS = 8
# The build of a Python that is none (``stand_in``); no channel has one that is called so.
STAND_IN = "tfsetup_stand_in_0"

# What a record has beside the fields that are named alike in an ``index.json``.
_PLACE = ("url", "fetch", "channel", "filename", "sha256", "md5", "size")


class PackageError(Exception):
    """A package that must not be linked, in words."""


def main() -> int:
    """Read the request, do it, print the answer."""
    request: dict[str, Any] = json.load(sys.stdin)
    # Python puts a script's folder first; our own rattler.py there would be taken for the package.
    sys.path = [path for path in sys.path if not path or Path(path).resolve() != Path(__file__).resolve().parent]
    try:
        import rattler  # noqa: F401, PLC0415 - its absence is an answer
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_INSTALLED
    try:
        answer = asyncio.run({"solve": solve, "install": install}[request["do"]](request))
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller says it in words
        json.dump({"error": type(error).__name__, "text": str(error)}, sys.stdout)
        return FAILED
    json.dump(answer, sys.stdout)
    return 0


async def solve(request: dict[str, Any]) -> dict[str, Any]:
    """Return the packages that belong into the environment."""
    from rattler import ChannelPriority, Client, Config, Gateway, SourceConfig  # noqa: PLC0415 - loaded above
    from rattler import solve as rattler_solve  # noqa: PLC0415 - as above

    priorities = {"strict": ChannelPriority.Strict, "disabled": ChannelPriority.Disabled}
    gateway = Gateway(
        cache_dir=Path(request["repodata"]),
        default_config=SourceConfig(cache_action="force-cache-only" if request["offline"] else "cache-or-fetch"),
        client=Client.from_config(Config.from_toml(request["config"])),
    )
    records = await rattler_solve(
        sources=request["channels"],
        specs=request["specs"],
        gateway=gateway,
        platforms=[request["platform"], "noarch"],
        locked_packages=[record_of(item) for item in request["locked"]],
        virtual_packages=[virtual_of(text) for text in request["virtual"]],
        constraints=request["constraints"],
        # rattler knows no third way; what conda calls flexible takes the best of the first channel that can.
        channel_priority=priorities.get(request["priority"], ChannelPriority.Strict),
        exclude_newer=datetime.fromisoformat(request["newer"]) if request["newer"] else None,
        timestamp_policy="allow-missing",
    )
    return {"packages": [package_of(record) for record in records]}


async def install(request: dict[str, Any]) -> dict[str, Any]:
    """Download, check and link the packages; nothing that is in the prefix is looked at or removed."""
    from rattler import Client, Config, PackageCache, Subdir, ValidationMode  # noqa: PLC0415 - loaded above
    from rattler import install as rattler_install  # noqa: PLC0415 - as above

    client = Client.from_config(Config.from_toml(request["config"]))
    mode = ValidationMode.full() if request["wary"] else ValidationMode.fast()
    cache = PackageCache.new_layered([Path(path) for path in request["caches"]], validation_mode=mode)
    own = Path(request["caches"][0])
    for path in map(Path, request["caches"]):
        with contextlib.suppress(OSError):
            path.mkdir(parents=True, exist_ok=True)
            if os.access(path, os.W_OK | os.X_OK):
                own = path
                break
    with tempfile.TemporaryDirectory(prefix=".tfsetup-", dir=own) as folder:
        records = await fetch(request["packages"], client, cache, Path(folder), wary=request["wary"])
        pure = any(item["noarch"] == "python" for item in request["packages"]) and request["beside"]
        placeholder = stand_in(Path(request["beside"]), Path(folder)) if pure else None
        await rattler_install(
            [*records, *([placeholder] if placeholder is not None else [])],
            target_prefix=request["prefix"],
            alternative_target_prefix=request["target"],
            installed_packages=[],
            platform=Subdir(request["platform"]),
            execute_link_scripts=False,
            show_progress=False,
            client=client,
            package_cache=cache,
        )
    if placeholder is not None:
        forget(placeholder, Path(request["prefix"]), own)
    put_right(Path(request["prefix"]) / "conda-meta", request["packages"], request["specs"])
    return {}


def stand_in(path: Path, folder: Path) -> Any:
    """Return a Python without files, of the version of conda's record ``path``: for the pure packages that go to where that one looks.

    The record itself will not do: py-rattler 0.28 panics when something is linked and a package that is there stays ("Expected just
    reordering" in its path_resolver), which ``tests/channel/test_rattler_facts.py`` shows.
    """
    known = json.loads(path.read_text(encoding="utf-8"))
    named = {"name": "python", "version": known["version"], "build": STAND_IN, "build_number": 0, "subdir": known["subdir"], "depends": []}
    index = {**named, **{key: known[key] for key in ("python_site_packages_path",) if known.get(key)}}
    archive = folder / f"python-{known['version']}-{STAND_IN}.tar.bz2"
    with tarfile.open(archive, "w:bz2") as tar:
        for name, data in (("info/index.json", index), ("info/paths.json", {"paths": [], "paths_version": 1})):
            content = json.dumps(data).encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    place = {"url": archive.as_uri(), "filename": archive.name, "channel": folder.as_uri(), "size": archive.stat().st_size, "md5": ""}
    return record_of({**index, **place, "sha256": digest(archive)})


def forget(record: Any, prefix: Path, cache: Path) -> None:
    """Take the stand-in out again: its record, and what the cache keeps of it."""
    identity = f"{record.name.normalized}-{record.version}-{STAND_IN}"
    (prefix / "conda-meta" / f"{identity}.json").unlink(missing_ok=True)
    shutil.rmtree(cache / identity, ignore_errors=True)
    (cache / f"{identity}.lock").unlink(missing_ok=True)


async def fetch(packages: list[dict[str, Any]], client: Any, cache: Any, folder: Path, *, wary: bool) -> list[Any]:
    """Return the records, every package checked: its SHA-256, and that all its paths lie inside the environment.

    rattler 0.28 checks no hash of what comes from a folder (``file://``), and writes wherever a package's list of paths says, outside the
    environment, too (tests/channel/test_rattler_facts.py). What is in the cache was checked when it came there; ``wary`` checks it again.
    """
    index = await cache.index()
    gate = asyncio.Semaphore(DOWNLOADS)

    async def one(item: dict[str, Any]) -> Any:
        record = record_of(item)
        if index.contains_record(record) and (not wary or is_whole(cache, item)):
            check_paths(item, cached_paths(cache, item))
            return record
        async with gate:
            place = await local(item, client, folder)
        if place.is_file() and digest(place) != item["sha256"]:
            raise PackageError(f"hash mismatch: {item['filename']} is not the file that repodata describes")
        check_paths(item, await archive_paths(place))
        return record_of({**item, "fetch": place.as_uri()})

    return list(await asyncio.gather(*(one(item) for item in packages)))


async def local(item: dict[str, Any], client: Any, folder: Path) -> Path:
    """Return where the package file lies: in a channel that is a folder, or downloaded."""
    from rattler.package_streaming import download_to_path  # noqa: PLC0415 - loaded above

    url: str = item.get("fetch") or item["url"]
    place = folder / str(item["filename"])
    if url.startswith("file://"):
        place = Path(url2pathname(urlsplit(url).path))
    else:
        await download_to_path(client, url, place)
    return place


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
    """Return the paths that a package of the cache lists."""
    for layer in cache.layers():
        info = Path(layer.path) / f"{item['name']}-{item['version']}-{item['build']}" / "info"
        paths, names = info / "paths.json", info / "files"
        if paths.exists() or names.exists():
            return listed(paths.read_bytes() if paths.exists() else None, names.read_bytes() if names.exists() else None)
    return []


def is_whole(cache: Any, item: dict[str, Any]) -> bool:
    """Whether the files of a package of the cache are as its list says."""
    for layer in cache.layers():
        place = Path(layer.path) / f"{item['name']}-{item['version']}-{item['build']}"
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
    wrong = [path for path in paths if path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/") or ":" in path[1:2]]
    if wrong:
        raise PackageError(f"{item['filename']} would write outside the environment: {', '.join(wrong[:3])}")


def put_right(meta: Path, packages: list[dict[str, Any]], specs: list[str]) -> None:
    """Write into the records what was asked for, so that an update by conda keeps to it, and where packages came from.

    ``rattler.install(requested_specs=...)`` cannot be used: py-rattler 0.28 hands its specs on unconverted, and fails on them. The addresses are
    those of the plan: without the credentials and the folders that they were fetched with.
    """
    asked = {spec.split()[0]: spec for spec in specs}
    for item in packages:
        path = meta / f"{item['name']}-{item['version']}-{item['build']}.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        data |= {"url": item["url"], "channel": item["channel"]}
        if item["name"] in asked:
            data |= {"requested_spec": asked[item["name"]], "requested_specs": [asked[item["name"]]]}
        path.write_text(json.dumps(data, indent=2, ensure_ascii=False), encoding="utf-8")
        # rattler makes them for their owner alone; others use the environment, too, and conda lets them read its records.
        path.chmod(0o644)


def virtual_of(text: str) -> Any:
    """Return the virtual package of ``__cuda=12.4=0``."""
    from rattler import BuildString, GenericVirtualPackage, PackageName, Version  # noqa: PLC0415 - loaded above

    name, version, build = text.split("=")
    return GenericVirtualPackage(PackageName(name), Version(version), BuildString(build))


def record_of(item: dict[str, Any]) -> Any:
    """Return the package as rattler's record; it reads an ``index.json`` from a file only."""
    from rattler import PackageRecord, RepoDataRecord  # noqa: PLC0415 - loaded above

    index = {name: value for name, value in item.items() if name not in _PLACE and value not in ("", 0, [])}
    index["build_number"] = item["build_number"]
    if "track_features" in index:
        index["track_features"] = " ".join(index["track_features"])
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(index, file)
        file.flush()
        record = PackageRecord.from_index_json(Path(file.name), item["size"] or None, item["sha256"] or None, item["md5"] or None)
    return RepoDataRecord(record, item["filename"], item.get("fetch") or item["url"], item["channel"])


def package_of(record: Any) -> dict[str, Any]:
    """Return rattler's record as a package."""
    data = json.loads(record.to_json())
    features = data.get("track_features") or []
    return {
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


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # rattler's threads may still be at work when Python takes itself apart, which has ended in a segmentation fault (py-rattler 0.28).
    os._exit(code)
