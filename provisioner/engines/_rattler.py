"""Run in a process of its own (``python -m``): solves and links conda packages with rattler, the engine of pixi.

stdin: requests, one a line, until it ends, or one has failed: rattler's threads may be at work still, and must not be when that is told. The last
argument, if there is one, is the number of a socket on which a byte comes with each request, and with it the locks that are held until it is
answered. A request is an object with ``do``:

``solve``    channels, platform, specs, virtual, locked, constraints, priority, repodata (cache folder), offline, newer ("" or ISO), config (TOML),
             mirrors
``install``  packages, prefix (where files are linked), target (the prefix that is written into them), specs, platform, caches, config, mirrors,
             beside (conda's record of a Python that is there and stays, or ""), wary (whether what is in a cache is hashed)
``addresses``  channels
``look``     channels, platform, packages, repodata (cache folder), config, mirrors: whether the packages' files are still there

stdout: one object a line, ``{"packages": [...]}``, ``{"scripts": [...]}`` (packages whose script was not run), ``{"addresses": [...]}`` or
``{"missing": {filename: reason}}``; or ``{"error": kind, "text": ...}`` (of a solver also ``empty``, the channels that have nothing for the
platform). A package is an object with the fields of ``provisioner.model.conda_package.CondaPackage``, and ``fetch`` where its address needs
credentials. Status 3 where py-rattler is not installed. Link scripts of packages are never run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from provisioner.engines._rattler_fetch import client_of, fetch, identity, package_of, record_of, script, virtual_of
from provisioner.engines._rattler_look import look
from provisioner.engines.rattler_failures import NOT_INSTALLED

FAILED = 1


def main() -> int:
    """Answer requests."""
    control = socket.socket(fileno=int(sys.argv[1])) if len(sys.argv) > 1 else None
    try:
        import rattler  # noqa: F401, PLC0415 - its absence is an answer
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_INSTALLED
    for line in sys.stdin:
        locks = socket.recv_fds(control, 1, 256)[1] if control is not None else []
        found = answer(json.loads(line))
        json.dump(found, sys.stdout)
        if "error" in found:
            return FAILED
        for lock in locks:
            os.close(lock)
        # That ends the answer.
        sys.stdout.write("\n")
        sys.stdout.flush()
    return 0


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked."""
    doing = {"solve": solve, "install": install, "addresses": addresses, "look": look}
    try:
        return asyncio.run(doing[request["do"]](request))
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller says it in words
        return {"error": type(error).__name__, "text": str(error)}


async def solve(request: dict[str, Any]) -> dict[str, Any]:
    """Return the packages that belong into the environment."""
    from rattler import ChannelPriority, Gateway, SourceConfig  # noqa: PLC0415 - loaded above
    from rattler import solve as rattler_solve  # noqa: PLC0415 - as above
    from rattler.exceptions import SolverError  # noqa: PLC0415 - as above

    priorities = {"strict": ChannelPriority.Strict, "disabled": ChannelPriority.Disabled}
    gateway = Gateway(
        cache_dir=Path(request["repodata"]),
        default_config=SourceConfig(cache_action="force-cache-only" if request["offline"] else "cache-or-fetch"),
        client=client_of(request),
    )
    with tempfile.TemporaryDirectory(prefix="tfsetup-") as folder:
        locked = [record_of(item, Path(folder)) for item in request["locked"]]
    try:
        records = await rattler_solve(
            sources=request["channels"],
            specs=request["specs"],
            gateway=gateway,
            platforms=[request["platform"], "noarch"],
            locked_packages=locked,
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
    found = await link(request)
    packages = [(item, record) for item, (record, _) in zip(request["packages"], found, strict=True)]
    put_right(Path(request["prefix"]) / "conda-meta", packages, request["specs"])
    return {"scripts": [identity(item) for item, (_, paths) in zip(request["packages"], found, strict=True) if script(item) in paths]}


async def link(request: dict[str, Any]) -> list[tuple[Any, list[str]]]:
    """Link the packages, and return the record and the paths of each (``_rattler_fetch.cached_paths``)."""
    from rattler import PackageCache, PrefixRecord, Subdir, ValidationMode  # noqa: PLC0415 - loaded above
    from rattler import install as rattler_install  # noqa: PLC0415 - as above

    client = client_of(request)
    caches = list(map(Path, request["caches"]))
    cache = PackageCache.new_layered([*caches], validation_mode=ValidationMode.full() if request["wary"] else ValidationMode.skip())
    with tempfile.TemporaryDirectory(prefix=".tfsetup-", dir=writable(caches), ignore_cleanup_errors=True) as folder:
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
    return fetched


def writable(caches: list[Path]) -> Path:
    """Return the first cache folder that packages can be put into, made if need be."""
    for path in caches:
        with contextlib.suppress(OSError):
            path.mkdir(parents=True, exist_ok=True)
            if os.access(path, os.W_OK | os.X_OK):
                return path
    return caches[0]


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


def put_right(meta: Path, packages: list[tuple[dict[str, Any], Any]], specs: list[str]) -> None:
    """Write into the records what was asked for, so that an update by conda keeps to it, and where packages came from.

    ``rattler.install(requested_specs=...)`` cannot be used: py-rattler 0.28 hands its specs on unconverted, and fails on them. The addresses are
    those of the plan: without the credentials and the folders that they were fetched with.
    """
    asked = {spec.split()[0]: spec for spec in specs}
    for item, record in packages:
        path = meta / f"{identity(item)}.json"
        values = {}
        if (record.url, record.channel) != (item["url"], item["channel"]):
            values = {"url": item["url"], "channel": item["channel"]}
        if item["name"] in asked:
            values |= {"requested_spec": asked[item["name"]], "requested_specs": [asked[item["name"]]]}
        if values:
            path.write_text(with_values(path.read_text(encoding="utf-8"), values), encoding="utf-8")
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
