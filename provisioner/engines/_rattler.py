"""Run in a process of its own: solves and links conda packages with rattler, the engine of pixi.

stdin: one request, an object with ``do``:

``solve``    channels, platform, specs, virtual, locked, constraints, priority, repodata (cache folder), offline, config (TOML), newer ("" or ISO)
``install``  packages, prefix (where files are linked), target (the prefix that is written into them), specs, platform, caches, config,
             beside (conda's record of a Python that is there and stays, or "")

stdout: one object, ``{"packages": [...]}`` or ``{}``, or ``{"error": kind, "text": ...}`` with status 1. A package is an object with the fields of
``provisioner.model.conda_package.CondaPackage``. Status 3 where py-rattler is not installed. Link scripts of packages are never run.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

NOT_INSTALLED = 3
FAILED = 1

# What a record has beside the fields that are named alike in an ``index.json``.
_PLACE = ("url", "channel", "filename", "sha256", "md5", "size")


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
    from rattler import Client, Config, PackageCache, PrefixRecord, Subdir, ValidationMode  # noqa: PLC0415 - loaded above
    from rattler import install as rattler_install  # noqa: PLC0415 - as above

    stays = [PrefixRecord.from_path(Path(request["beside"]))] if request["beside"] else []
    await rattler_install(
        [*(record_of(item) for item in request["packages"]), *stays],
        target_prefix=request["prefix"],
        alternative_target_prefix=request["target"],
        installed_packages=stays,
        platform=Subdir(request["platform"]),
        execute_link_scripts=False,
        show_progress=False,
        client=Client.from_config(Config.from_toml(request["config"])),
        package_cache=PackageCache.new_layered([Path(path) for path in request["caches"]], validation_mode=ValidationMode.fast()),
    )
    note_requested(Path(request["prefix"]) / "conda-meta", request["specs"])
    return {}


def note_requested(meta: Path, specs: list[str]) -> None:
    """Write into the records what was asked for by name, as conda does, so that an update by conda keeps to it.

    ``rattler.install(requested_specs=...)`` cannot be used: py-rattler 0.28 hands its specs on unconverted, and fails on them.
    """
    for spec in specs:
        for path in meta.glob(f"{spec.split()[0]}-*.json"):
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["name"] == spec.split()[0]:
                data["requested_spec"] = spec
                data["requested_specs"] = [spec]
                path.write_text(json.dumps(data, indent=2, ensure_ascii=False), encoding="utf-8")


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
    return RepoDataRecord(record, item["filename"], item["url"], item["channel"])


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
    sys.exit(main())
