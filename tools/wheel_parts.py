"""Of a wheel on the index only what says what it holds: its list of files with their sizes, and its metadata folder, fetched by ranges and kept."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

STORE = Path(os.environ.get("WHEEL_PARTS") or Path(__file__).resolve().parent.parent / ".cache" / "wheel-parts")
# Enough for most lists of files and metadata folders at once; more is fetched where it is not.
TAIL = 512 * 1024
# In each kept file: the size of every file of the wheel, by its path.
SIZES = "sizes.json"


def has_parts(sha256: str) -> bool:
    """True where the parts of the wheel with that hash are kept."""
    return (STORE / f"{sha256}.zip").exists()


def keep_parts(sha256: str, wheel: Any) -> None:
    """Keep the list of files of a wheel (a file that can be read), and the files of its metadata folder."""
    STORE.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist() if not item.is_dir()}
        folder = next(name for name in sizes if name.endswith(".dist-info/RECORD") and name.count("/") == 1).rpartition("/")[0]
        inside = {name: archive.read(name) for name in sizes if name.startswith(f"{folder}/")}
    partial = STORE / f"{sha256}.{os.getpid()}.partial"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as kept:
        kept.writestr(SIZES, json.dumps(sizes))
        for name, content in inside.items():
            kept.writestr(name, content)
    partial.rename(STORE / f"{sha256}.zip")


def read_parts(sha256: str) -> tuple[dict[str, int], dict[str, bytes]]:
    """Return the sizes of a wheel's files, and the contents of those in its metadata folder, each by its path in the wheel."""
    with zipfile.ZipFile(STORE / f"{sha256}.zip") as kept:
        inside = {name: kept.read(name) for name in kept.namelist() if name != SIZES}
        return json.loads(kept.read(SIZES)), inside
