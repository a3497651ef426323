"""Run in a process of its own (``python -m``): solves and links conda packages with rattler, the engine of pixi.

stdin: one request, an object with ``do``:

``solve``    channels, platform, specs, virtual, locked, constraints, priority, repodata (cache folder), offline, config (TOML), newer ("" or ISO)
``install``  packages, prefix (where files are linked), target (the prefix that is written into them), specs, platform, caches, config,
             beside (conda's record of a Python that is there and stays, or ""), wary (whether cached packages are hashed)
``addresses``  channels
``look``     channels, platform, packages, repodata (cache folder), config: whether the packages' files are still there

stdout: one object, ``{"packages": [...]}``, ``{"scripts": [...]}`` (packages whose script was not run), ``{"addresses": [...]}`` or
``{"missing": {filename: reason}}``; or with status 1
``{"error": kind, "text": ...}`` (of a solver also ``empty``, the channels that have nothing for the platform). A package is an object with the
fields of ``provisioner.model.conda_package.CondaPackage``, and ``fetch`` where its address needs credentials. Status 3 where py-rattler is not
installed. Link scripts of packages are never run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from provisioner.engines._rattler_fetch import fetch, identity, package_of, record_of, script, virtual_of
from provisioner.engines._rattler_look import look

NOT_INSTALLED = 3
FAILED = 1


def main() -> int:
    """Read the request, do it, print the answer."""
    request: dict[str, Any] = json.load(sys.stdin)
    try:
        import rattler  # noqa: F401, PLC0415 - its absence is an answer
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_INSTALLED
    doing = {"solve": solve, "install": install, "addresses": addresses, "look": look}
    try:
        answer = asyncio.run(doing[request["do"]](request))
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller says it in words
        json.dump({"error": type(error).__name__, "text": str(error)}, sys.stdout)
        return FAILED
    json.dump(answer, sys.stdout)
    return FAILED if "error" in answer else 0


async def solve(request: dict[str, Any]) -> dict[str, Any]:
    """Return the packages that belong into the environment."""
    from rattler import ChannelPriority, Client, Config, Gateway, SourceConfig  # noqa: PLC0415 - loaded above
    from rattler import solve as rattler_solve  # noqa: PLC0415 - as above
    from rattler.exceptions import SolverError  # noqa: PLC0415 - as above

    priorities = {"strict": ChannelPriority.Strict, "disabled": ChannelPriority.Disabled}
    gateway = Gateway(
        cache_dir=Path(request["repodata"]),
        default_config=SourceConfig(cache_action="force-cache-only" if request["offline"] else "cache-or-fetch"),
        client=Client.from_config(Config.from_toml(request["config"])),
    )
    try:
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
    except SolverError as error:
        # rattler takes a platform that a channel does not have for an empty one.
        empty = [name for name in request["channels"] if not await gateway.names([name], [request["platform"]])]
        return {"error": "SolverError", "text": str(error), "empty": empty}
    return {"packages": [package_of(record) for record in records]}


async def install(request: dict[str, Any]) -> dict[str, Any]:
    """Download, check and link the packages; nothing that is in the prefix is looked at or removed."""
    from rattler import Client, Config, PackageCache, PrefixRecord, Subdir, ValidationMode  # noqa: PLC0415 - loaded above
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
        fetched = await fetch(request["packages"], client, cache, Path(folder), wary=request["wary"])
        with shown(request["beside"], Path(request["prefix"]) / "conda-meta") as stays:
            await rattler_install(
                [*(record for record, _ in fetched), *map(PrefixRecord.from_path, stays)],
                target_prefix=request["prefix"],
                alternative_target_prefix=request["target"],
                platform=Subdir(request["platform"]),
                execute_link_scripts=False,
                show_progress=False,
                client=client,
                package_cache=cache,
            )
    put_right(Path(request["prefix"]) / "conda-meta", request["packages"], request["specs"])
    return {"scripts": [identity(item) for item, (_, paths) in zip(request["packages"], fetched, strict=True) if script(item) in paths]}


async def addresses(request: dict[str, Any]) -> dict[str, Any]:
    """Return the addresses of channels."""
    from rattler import Channel  # noqa: PLC0415 - loaded above

    return {"addresses": [Channel(name).base_url for name in request["channels"]]}


@contextlib.contextmanager
def shown(record: str, meta: Path) -> Iterator[list[Path]]:
    """Put the record of a package that is elsewhere among those of the prefix for the moment; rattler 0.28 panics on one that is not there."""
    if not record:
        yield []
        return
    copy = meta / Path(record).name
    meta.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(record, copy)
    try:
        yield [copy]
    finally:
        copy.unlink(missing_ok=True)


def put_right(meta: Path, packages: list[dict[str, Any]], specs: list[str]) -> None:
    """Write into the records what was asked for, so that an update by conda keeps to it, and where packages came from.

    ``rattler.install(requested_specs=...)`` cannot be used: py-rattler 0.28 hands its specs on unconverted, and fails on them. The addresses are
    those of the plan: without the credentials and the folders that they were fetched with.
    """
    asked = {spec.split()[0]: spec for spec in specs}
    for item in packages:
        path = meta / f"{identity(item)}.json"
        text = path.read_text(encoding="utf-8")
        values = {"url": item["url"], "channel": item["channel"]}
        if item["name"] in asked:
            values |= {"requested_spec": asked[item["name"]], "requested_specs": [asked[item["name"]]]}
        changed = with_values(text, values)
        if changed != text:
            path.write_text(changed, encoding="utf-8")
        # rattler makes them for their owner alone; others use the environment, too, and conda lets them read its records.
        path.chmod(0o644)


def with_values(text: str, values: dict[str, Any]) -> str:
    """Return a record with values of its own set: the lines that rattler writes for them, two blanks deep, are replaced.

    Reading and writing the whole of it takes longer than linking, for it lists every file.
    """
    for name, value in values.items():
        line = f'  "{name}": {json.dumps(value, ensure_ascii=False)}'
        text, found = re.subn(rf'(?m)^  "{name}": (?:"(?:[^"\\\n]|\\.)*"|\[\]|null)', lambda _, line=line: line, text, count=1)  # type: ignore[misc]
        if not found:
            text = text.replace("{\n", f"{{\n{line},\n", 1)
    return text


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # rattler's threads may still be at work when Python takes itself apart, which has ended in a segmentation fault (py-rattler 0.28).
    os._exit(code)
