"""Run in a process of its own, in the Python that has pip: fetches source distributions as pip would (its session), and unpacks them.

stdin: a JSON list of {"url", "sha256", "folder"}; an address may be a path. stdout: a JSON list of {"top", "fault"}: the folder that the archive
holds, or in words why there is none. Nothing of an archive is run, and nothing of it lands outside its folder.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.request import pathname2url

from pip._internal.commands import create_command

CHUNK_BYTES = 1 << 20


def main() -> int:
    """Fetch every file, and print what became of each."""
    wanted: list[dict[str, str]] = json.load(sys.stdin)
    command: Any = create_command("download")
    options, _ = command.parse_args([])
    session = command._build_session(options)  # noqa: SLF001 - pip has no other way in
    json.dump([_fetched(session, item) for item in wanted], sys.stdout)
    return 0


def _fetched(session: Any, item: dict[str, str]) -> dict[str, str]:
    folder = item["folder"]
    os.makedirs(folder, mode=0o700)
    archive = os.path.join(folder, "archive")
    try:
        _download(session, item["url"], archive)
        if _sha256(archive) != item["sha256"]:
            return {"top": "", "fault": "what came is not the file that was asked for (its SHA-256 differs)"}
        return {"top": _unpacked(archive, os.path.join(folder, "tree")), "fault": ""}
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side tells it
        return {"top": "", "fault": f"{type(error).__name__}: {error}"}


def _download(session: Any, url: str, path: str) -> None:
    address = url if "://" in url else f"file://{pathname2url(url)}"
    with session.get(address, stream=True, headers={"Accept-Encoding": "identity"}) as answer, open(path, "wb") as file:
        answer.raise_for_status()
        file.writelines(answer.iter_content(CHUNK_BYTES))


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _unpacked(archive: str, folder: str) -> str:
    os.mkdir(folder, 0o700)
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as members:
            members.extractall(folder)  # noqa: S202 - it drops `..` and roots from the names by itself
    else:
        with _tarfile().open(archive) as members_:
            members_.extractall(folder, filter="data")
    inner = [path for path in sorted(Path(folder).iterdir()) if path.is_dir()]
    return str(inner[0]) if len(inner) == 1 else folder


def _tarfile() -> Any:
    """Python's own, where it has filters (PEP 706: 3.10.12, 3.11.4 and later); else that of a later Python. Debian 12 has 3.11.2."""
    return tarfile if hasattr(tarfile, "data_filter") else importlib.import_module("backports.tarfile")


if __name__ == "__main__":
    sys.exit(main())
