"""Of a wheel on the index only what says what it holds: its list of files with their sizes, and its metadata folder, fetched by ranges and kept."""

from __future__ import annotations

import io
import json
import os
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

STORE = Path(os.environ.get("WHEEL_PARTS") or Path(__file__).resolve().parent.parent / ".cache" / "wheel-parts")
# Enough for most lists of files and metadata folders at once; more is fetched where it is not.
TAIL = 512 * 1024
SECONDS = 60.0
# In each kept file: the size of every file of the wheel, by its path.
SIZES = "sizes.json"


class Remote(io.RawIOBase):
    """A file behind an address, read by ranges; the end of it is kept."""

    def __init__(self, address: str, size: int) -> None:
        self.address, self.size, self.place = address, size, 0
        self.start = max(0, size - TAIL)
        self.tail = self._fetch(self.start, size)

    def _fetch(self, first: int, end: int) -> bytes:
        asked = urllib.request.Request(self.address, headers={"Range": f"bytes={first}-{end - 1}"})
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            data: bytes = answer.read()
        if len(data) != end - first:
            raise OSError(f"{len(data)} bytes in place of {end - first}")
        return data

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = (0, self.place, self.size)[whence] + offset
        return self.place

    def read(self, size: int = -1) -> bytes:
        end = self.size if size < 0 else min(self.size, self.place + size)
        if not (self.start <= self.place and end <= self.start + len(self.tail)):
            # What lies near is asked for next.
            self.start, self.tail = self.place, self._fetch(self.place, min(self.size, max(end, self.place + TAIL)))
        data = self.tail[self.place - self.start : end - self.start]
        self.place = end
        return data


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
