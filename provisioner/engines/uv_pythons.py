"""The Pythons that uv can fetch (python-build-standalone's), and fetching one, checked by its SHA-256."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from provisioner.base import by_hand
from provisioner.base.paths import joined
from provisioner.base.text import mask
from provisioner.engines.said import about
from provisioner.engines.uv import find_uv, run_uv
from provisioner.errors import OperationError
from provisioner.host import Completed, Host, Reader
from provisioner.model.facts import Fact, PythonDownload, absent, known

LIST_SECONDS = 30.0
FETCH_SECONDS = 1800.0
# What such a Python takes for Linux on x86-64, in bytes (3.8 to 3.14, uv's list of November 2026): its archive, and unpacked.
ARCHIVE_BYTES, UNPACKED_BYTES = 32_000_000, 120_000_000
SOURCE = "uv python list"
# uv's reference, "Settings": both are read from variables and from the user's uv.toml (python-install-mirror, python-downloads-json-url).
MIRROR, LIST = "UV_PYTHON_INSTALL_MIRROR", "UV_PYTHON_DOWNLOADS_JSON_URL"
_FINAL = re.compile(r"3\.\d+\.\d+")


def downloads(host: Reader, folder: str, *, offline: bool) -> Fact[tuple[PythonDownload, ...]]:
    """Ask uv which CPythons it would fetch for this machine, the newest patch of each minor; no network is used.

    ``folder`` is where uv keeps its Pythons ("" without any). Where the list of downloads is one of the person's own that the network alone
    gives, the built-in one says which minors there will be, and ``version`` is such a minor. With ``offline`` only those of a mirror that is a
    folder can be had. Absent, with the reason, where none can.
    """
    if host.platform == "win32" or not folder:
        why = "tfsetup fetches no Python on Windows itself" if folder else "uv has no folder to keep a Python in (HOME is not set)"
        return absent(SOURCE, why)
    if host.env.get("UV_PYTHON_DOWNLOADS") == "never":
        return absent(SOURCE, "UV_PYTHON_DOWNLOADS=never forbids uv to fetch a Python")
    listed, exact = _listed(host)
    if not listed:
        return absent(SOURCE, "uv is told to fetch no Python (UV_PYTHON_PREFERENCE, UV_NO_MANAGED_PYTHON)")
    found: dict[str, PythonDownload] = {}
    for item in listed:
        minor = ".".join(item["version"].split(".")[:2])
        key, version = (item["key"], item["version"]) if exact else (item["key"].replace(item["version"], minor, 1), minor)
        made = PythonDownload(
            key=key, version=version, folder=folder, source=_source(item["url"]), size=ARCHIVE_BYTES, unpacked=UNPACKED_BYTES
        )
        found.setdefault(minor, made)
    offline = offline or host.env.get("UV_OFFLINE", "").lower() in {"1", "true", "yes", "on"}
    reachable = tuple(item for item in found.values() if not offline or item.source.startswith("file:"))
    if not reachable:
        return absent(SOURCE, "uv would fetch a Python, and --offline forbids the network")
    return known(reachable, SOURCE)


def _listed(host: Reader) -> tuple[list[dict[str, str]], bool]:
    """Return uv's list, newest first, and whether it is the one that will be used."""
    argv = [find_uv(host), "python", "list", "--only-downloads", "--all-versions", "--output-format", "json", "--offline"]
    done = run_uv(host, argv, LIST_SECONDS, pythons=True)
    exact = done.ok
    if not exact:
        done = run_uv(host, [*argv, "--no-config"], LIST_SECONDS, extra={LIST: ""}, pythons=True)
    try:
        data = json.loads(done.out)
        items = [{name: str(item[name]) for name in ("key", "version", "url")} for item in data if _is_usual(item)]
    except (ValueError, KeyError, TypeError):
        return [], exact
    return items, exact


def _is_usual(item: dict[str, str]) -> bool:
    """True for the CPython that wheels are made for."""
    return item["implementation"] == "cpython" and item["variant"] == "default" and _FINAL.fullmatch(item["version"]) is not None


def _source(url: str) -> str:
    """Name where a Python comes from, for a person: a host, or the address of the folder that is a mirror."""
    if url.startswith("file:"):
        return posixpath.dirname(posixpath.dirname(url))
    return mask(urlsplit(url).hostname or url)


def fetch(host: Host, download: PythonDownload, scratch: str, *, watch: Callable[[int], None] | None = None) -> None:
    """Fetch a Python into uv's folder, as ``uv python install`` does: checked by the SHA-256 of uv's list; no command is made for it.

    ``scratch`` is a folder of the tool's own, for the archive. uv checks nothing where a list of one's own has no SHA-256, so the archive is
    first put there alone (the name that uv gives it says which hash it has), and only one that was checked is unpacked in its place. Raises
    ``OperationError`` where it cannot be had.
    """
    archives = host.env.get("UV_PYTHON_CACHE_DIR") or posixpath.join(scratch, "archives")
    kept = {"UV_PYTHON_CACHE_DIR": joined(host.cwd, archives)}
    if download.source.startswith("file:"):
        # For uv, a folder is a network, too.
        kept["UV_OFFLINE"] = "false"
    for folder in (posixpath.join(scratch, "tried"), download.folder):
        argv = [find_uv(host), "python", "install", "--no-bin", "--install-dir", folder, download.key]
        done = run_uv(host, argv, FETCH_SECONDS, watch, kept, pythons=True)
        _check(done, download)
        unchecked = [entry.path for entry in host.list(kept["UV_PYTHON_CACHE_DIR"]) if _is_unchecked(entry.path, download)]
        if unchecked:
            raise OperationError(
                f"Python {download.version} was not installed: the list of downloads that uv is configured with gives no SHA-256 for it",
                place=posixpath.basename(unchecked[0]),
                hint=f"put its sha256 into that list ({LIST}, or python-downloads-json-url in uv.toml)",
                cause="download-failed",
            )
        host.remove_tree(posixpath.join(scratch, "tried"))
    if not host.exists(download.path):
        raise OperationError("uv has fetched a Python, and it is not where uv keeps them", place=download.path)


def _is_unchecked(path: str, download: PythonDownload) -> bool:
    """True for an archive whose hash the list did not tell: uv begins its name with ``none``, and with the hash otherwise (uv 0.13)."""
    return posixpath.basename(path).startswith(f"none-cpython-{download.version}")


def elsewhere(download: PythonDownload) -> str:
    """Say how a Python is had where uv cannot reach where they lie; its key tells the system (``cpython-3.11.9-windows-x86_64-none``)."""
    system = download.key.split("-")[2]
    return (
        f"name a mirror that you can reach: uv reads {MIRROR} (an address, or file:///FOLDER, in place of python-build-standalone's "
        f"releases/download), {LIST} (a list of your own) and HTTPS_PROXY; or install it yourself, and it is then found: "
        f"{by_hand.ways(system, download.minor)}"
    )


def _check(done: Completed, download: PythonDownload) -> None:
    """Raise ``OperationError``, with what uv met, for a run that failed."""
    if done.ok:
        return
    text = mask(done.err or done.out)
    said = " | ".join(line.strip() for line in text.splitlines() if line.strip() and "Download" not in line[:9])[-400:]
    what = f"Python {download.version} could not be fetched"
    if "not allowed" in text:
        raise OperationError(f"{what}: uv's settings forbid it", hint="python-downloads in uv.toml says so; `manual` allows it")
    host = about(text).host or download.source
    if "Hash mismatch" in text:
        message = f"{what}: what {host} gave is another file than the one that was listed (its SHA-256 differs); nothing of it was kept"
        raise OperationError(message, hint="try again, or ask who runs the mirror", cause="download-failed")
    if "No space left" in text or "os error 28" in text:
        raise OperationError(
            f"{what}: no space is left on the disk", hint="free some space, then run the same command again", cause="disk-full"
        )
    if re.search(r"[Pp]ermission denied|os error 13|Read-only file system", text):
        hint = "UV_PYTHON_INSTALL_DIR names another folder"
        raise OperationError(f"{what}: its folder may not be written", place=download.folder, hint=hint, cause="permission-denied")
    raise OperationError(f"{what} from {host} (uv says: {said})", hint=elsewhere(download), cause="download-failed")
