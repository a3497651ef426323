"""A small conda environment on disk, for tests: packages with records as conda writes them, and distributions in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

SITE = "lib/python3.11/site-packages"


def package(
    env: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    build: str = "0",
    depends: Sequence[str] = (),
    channel: str = "",
    **paths: object,
) -> Path:
    """Put a package into the environment and return its record; a file that begins with ``-> `` is a link. ``paths`` go to every listed file."""
    listed = []
    for path, text in files.items():
        place = env / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            place.symlink_to(text[3:])
            listed.append({"_path": path, "path_type": "softlink"})
            continue
        place.write_text(text)
        entry = {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "size_in_bytes": len(text.encode()),
        }
        listed.append({**entry, **paths})
    data = {
        "name": name, "version": version, "build": build, "build_number": 0, "subdir": "linux-64", "channel": channel, "depends": list(depends),
        "url": f"{channel}/linux-64/{name}-{version}-{build}.conda", "sha256": "a" * 64, "files": list(files),
        "paths_data": {"paths_version": 1, "paths": listed},
    }  # fmt: skip
    record = env / "conda-meta" / f"{name}-{version}-{build}.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(data))
    (env / "conda-meta/history").touch()
    return record


def distribution(
    name: str, version: str, files: Mapping[str, str], *, installer: str = "conda", requires: Sequence[str] = ()
) -> dict[str, str]:
    """Return the files of a distribution with its metadata."""
    info = f"{SITE}/{name}-{version}.dist-info"
    wants = "".join(f"Requires-Dist: {text}\n" for text in requires)
    inner = {f"{SITE}/{path}": text for path, text in files.items()}
    rows = "".join(f"{path[len(SITE) + 1 :]},sha256={_digest(text)},{len(text.encode())}\n" for path, text in inner.items())
    return {
        **inner,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{wants}",
        f"{info}/INSTALLER": f"{installer}\n",
        f"{info}/RECORD": rows + f"{name}-{version}.dist-info/RECORD,,\n",
    }


def install(env: Path, files: Mapping[str, str]) -> None:
    """Write files into the environment, as an installer that conda knows nothing of."""
    for path, text in files.items():
        (env / path).parent.mkdir(parents=True, exist_ok=True)
        (env / path).unlink(missing_ok=True)
        (env / path).write_text(text)


def _digest(text: str) -> str:
    import base64

    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
