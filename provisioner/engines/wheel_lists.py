"""Which files wheels have that nobody has downloaded yet: from the ends of them on the index (``_central``), kept by their hash."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from contextlib import suppress

from provisioner.engines import uv
from provisioner.engines.wheels import read_pylock
from provisioner.errors import TfsetupError
from provisioner.host import Host, files
from provisioner.model.catalogue import LockedFile
from provisioner.model.json_text import read_json
from provisioner.model.record import record

SECONDS = 120.0
LIMIT_BYTES = 1 << 26


@record
class Target:
    """For which machine the wheels are: Python as ``3.12``, uv's name of the platform; ``folder`` is one of the tool's own that is there.

    Where it is ``offline``, or uv is (UV_OFFLINE), only files of this machine are read.
    """

    python: str
    platform: str
    folder: str
    offline: bool


# Path below the folder of packages, size in bytes, CRC-32.
Listed = tuple[tuple[str, int, int], ...]


def read(host: Host, wheels: Sequence[LockedFile], target: Target | None, *, kept: str) -> Mapping[str, Listed]:
    """Return the files of each wheel by its SHA-256, without those that nobody can tell.

    Without a ``target`` nothing is asked. ``kept`` is the folder of the tool's own that has what was told before. An index that does not
    answer is no fault: it is asked again.
    """
    found: dict[str, Listed] = {}
    for wheel in wheels:
        text = files.read(host, posixpath.join(kept, f"{wheel.sha256}.json"), LIMIT_BYTES).text
        found.update(_lists(text) if text else {})
    missing = [wheel for wheel in wheels if wheel.sha256 not in found and not wheel.source]
    if missing and target is not None:
        found.update(_fetched(host, missing, target, kept))
    return found


def _fetched(host: Host, wheels: Sequence[LockedFile], target: Target, kept: str) -> dict[str, Listed]:
    try:
        offline = target.offline or host.env.get("UV_OFFLINE", "").lower() in {"1", "true", "yes", "on"}
        places = _places(host, wheels, target, offline=offline)
        env = {**host.env, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
        argv = [host.python, "-W", "ignore", "-m", "provisioner.engines._central"]
        # In the root: the working folder is not on the module path then.
        done = host.run(argv, env=env, cwd="/", timeout=SECONDS, stdin=json.dumps({"wheels": places})) if places else None
    except (TfsetupError, OSError):
        return {}
    found = _lists(done.out) if done is not None and done.ok else {}
    for sha256, listed in found.items():
        with suppress(OSError):
            host.write(posixpath.join(kept, f"{sha256}.json"), json.dumps({"lists": {sha256: listed}}))
    return found


def _places(host: Host, wheels: Sequence[LockedFile], target: Target, *, offline: bool) -> dict[str, str]:
    """Return where these wheels are, by their SHA-256: at an address of their own, else where the index has them."""
    found = {wheel.sha256: wheel.url for wheel in wheels if wheel.url}
    if asked := [wheel for wheel in wheels if not wheel.url]:
        found |= _served(host, asked, target, offline=offline)
    return {sha256: url for sha256, url in found.items() if not (offline and url.startswith(("http:", "https:")))}


def _served(host: Host, wheels: Sequence[LockedFile], target: Target, *, offline: bool) -> dict[str, str]:
    text = uv.resolve(
        host,
        requirements="".join(f"{wheel.name}=={wheel.version}\n" for wheel in wheels),
        constraints="",
        folder=target.folder,
        python=target.python,
        platform=target.platform,
        offline=offline,
        alone=True,
    )
    wanted = {wheel.sha256 for wheel in wheels}
    return {offered.sha256: offered.url for every in read_pylock(text).values() for offered in every if offered.sha256 in wanted}


def _lists(text: str) -> dict[str, Listed]:
    """Read an answer, or what was kept of one; what is none tells nothing."""
    try:
        return {
            sha256: tuple((str(path), int(size), int(crc)) for path, size, crc in rows) for sha256, rows in read_json(text)["lists"].items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
