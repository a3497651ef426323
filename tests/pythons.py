"""A mirror of Pythons for uv, made from those of this machine: archives in python-build-standalone's form, and a list of them with their hashes."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

from tests.channel.python import SKIPPED, find, release_of

DATE = "20261110"
_ABOVE = "https://github.com/astral-sh/python-build-standalone/releases/download"


class Mirror:
    """``folder`` is what is served; ``list`` the file that names what is there."""

    def __init__(self, folder: Path, *versions: str) -> None:
        self.folder, self.list = folder / "mirror", folder / "pythons.json"
        self.releases: dict[str, str] = {}
        told = {}
        for version in versions:
            prefix = find(version)
            release = self.releases[version] = release_of(prefix)
            name = f"cpython-{release}+{DATE}-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"
            archive = self.folder / DATE / name
            archive.parent.mkdir(parents=True, exist_ok=True)
            _pack(prefix, archive)
            sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
            told[f"cpython-{release}-linux-x86_64-gnu"] = _entry(release, name, sha256)
        self.list.write_text(json.dumps(told))

    def variables(self, address: str = "") -> dict[str, str]:
        """What tells uv of the mirror: at ``address``, or as a folder."""
        return {"UV_PYTHON_DOWNLOADS_JSON_URL": str(self.list), "UV_PYTHON_INSTALL_MIRROR": address or self.folder.as_uri()}


def _entry(release: str, name: str, sha256: str) -> dict[str, object]:
    """Return the entry of an archive as uv's own list has it (uv's repository, crates/uv-python/download-metadata.json)."""
    major, minor, patch = map(int, release.split("."))
    return {
        "name": "cpython", "arch": {"family": "x86_64", "variant": None}, "os": "linux", "libc": "gnu",
        "major": major, "minor": minor, "patch": patch, "prerelease": "", "variant": None, "build": DATE,
        "url": f"{_ABOVE}/{DATE}/{name.replace('+', '%2B')}", "sha256": sha256,
    }  # fmt: skip


def _pack(prefix: Path, archive: Path) -> None:
    def chosen(item: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = set(item.name.split("/"))
        return None if parts & (SKIPPED | {"share", "pkgconfig"}) or item.name.endswith(".a") else item

    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        packed.add(prefix, arcname="python", filter=chosen)
