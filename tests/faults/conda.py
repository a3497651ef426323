"""Ways to break conda environments: packages recorded that nobody installed, and distributions made conda's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.place import Place

FORGE, MAIN = "https://mirror.example/conda-forge", "https://mirror.example/pkgs/main"


def meta(place: Place, name: str) -> Path:
    """Return conda's record of a package."""
    return next(path for path in (place.env / "conda-meta").glob("*.json") if path.name.rsplit("-", 2)[0] == name)


def change(place: Place, name: str, **values: object) -> None:
    """Write other values into a record."""
    path = meta(place, name)
    place.write(path, json.dumps({**json.loads(path.read_text()), **values}))


def record(
    place: Place, name: str, version: str, build: str, *, files: Sequence[str] = (), depends: Sequence[str] = (), channel: str = FORGE
) -> Path:
    """Record a package whose files (relative to the environment) are there."""
    listed = [entry(place.env / path, path) for path in files]
    data = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "subdir": "linux-64",
        "fn": f"{name}-{version}-{build}.conda",
        "channel": channel,
        "url": f"{channel}/linux-64/{name}-{version}-{build}.conda",
        "sha256": hashlib.sha256(name.encode()).hexdigest(),
        "depends": list(depends),
        "constrains": [],
        "files": list(files),
        "paths_data": {"paths_version": 1, "paths": listed},
    }
    path = place.env / "conda-meta" / f"{name}-{version}-{build}.json"
    place.write(path, json.dumps(data))
    return path


def entry(path: Path, name: str) -> Mapping[str, object]:
    """Return a file as a record lists it."""
    if path.is_symlink():
        return {"_path": name, "path_type": "softlink"}
    content = path.read_bytes()
    return {"_path": name, "path_type": "hardlink", "sha256": hashlib.sha256(content).hexdigest(), "size_in_bytes": len(content)}


def as_conda(place: Place, name: str, package: str = "", *, depends: Sequence[str] = ()) -> Path:
    """Let a distribution be one that conda has brought, as its packages are: with INSTALLER and RECORD, and a record of conda's."""
    info = place.info(name)
    place.write(info / "INSTALLER", "conda\n")
    rows = [line.rpartition(",")[0].rpartition(",")[0].strip('"') for line in (info / "RECORD").read_text().splitlines()]
    paths = [(place.site / row).resolve() for row in rows if not row.endswith(".pyc")]
    files = sorted({str(path.relative_to(place.env.resolve())) for path in paths if path.exists()})
    version = info.name[: -len(".dist-info")].partition("-")[2]
    return record(place, package or name, version, "py38_0", files=files, depends=depends)
