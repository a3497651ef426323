"""Runs in a process of its own: tells which files wheels have, from their ends alone (a zip's central directory), by ranges of HTTP.

Standard input: ``{"wheels": {SHA256: address or path}}``; standard output: ``{"lists": {SHA256: [[path, size, CRC-32], ...]}}``, without those that
could not be read. Nothing is downloaded whole: a server that gives no ranges is left alone. ``ZipFile`` reads through ``Remote``.
"""

from __future__ import annotations

import configparser
import io
import json
import os
import sys
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, url2pathname, urlopen

# The directory of most wheels at once; of those with thousands of files more is fetched.
TAIL = 64 * 1024
SECONDS = 20.0
AT_ONCE = 8
PARTIAL = 206
# What a data folder puts into the folder of packages (the wheel's specification, "The .data directory").
LIBRARIES = ("purelib", "platlib")
# The folder of commands, in an environment.
COMMANDS = "bin/"


class Remote(io.RawIOBase):
    """A file behind an address (http, https), read by ranges of at least ``tail`` bytes; what was read last is kept, first the end.

    Raises ``OSError`` where the server fails, or gives no ranges.
    """

    def __init__(self, address: str, tail: int = TAIL) -> None:
        self.address, self.tail, self.place = address, tail, 0
        self.data, said = self._fetch(f"bytes=-{tail}")
        self.size = int(said.rpartition("/")[2])
        self.start = self.size - len(self.data)

    def _fetch(self, wanted: str) -> tuple[bytes, str]:
        asked = Request(self.address, headers={"Range": wanted})  # noqa: S310 - the caller takes http and https alone
        with urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310 - as above
            if answer.status != PARTIAL:
                raise OSError("the server gives no ranges")
            data: bytes = answer.read()
            return data, str(answer.headers["Content-Range"])

    def seekable(self) -> bool:
        """A zip is read from its end."""
        return True

    def readable(self) -> bool:
        """It is only read."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self.place

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, as files do."""
        self.place = (0, self.place, self.size)[whence] + offset
        return self.place

    def read(self, size: int = -1) -> bytes:
        """Return as many bytes, fewer at the end; what lies behind them is fetched along."""
        end = self.size if size < 0 else min(self.size, self.place + size)
        if not (self.start <= self.place and end <= self.start + len(self.data)):
            last = min(self.size, max(end, self.place + self.tail))
            data, _ = self._fetch(f"bytes={self.place}-{last - 1}")
            if len(data) != last - self.place:
                raise OSError(f"{len(data)} bytes in place of {last - self.place}")
            self.start, self.data = self.place, data
        found = self.data[self.place - self.start : end - self.start]
        self.place = end
        return found


def installed_path(path: str) -> str:
    """Return where a file of a wheel goes, as far as that is in the folder of packages."""
    head, _, rest = path.partition("/")
    scheme, _, inner = rest.partition("/")
    return inner if head.endswith(".data") and scheme in LIBRARIES else path


def commands(text: str) -> list[tuple[str, int, int]]:
    """Return the commands that an entry_points.txt makes, as files: no size is known, and the checksum is that of what the command calls."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    # Names of commands keep their case.
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    try:
        parser.read_string(text)
    except configparser.Error:
        return []
    made = [item for group in ("console_scripts", "gui_scripts") if parser.has_section(group) for item in parser.items(group)]
    return [(f"{COMMANDS}{name}", -1, zlib.crc32("".join(target.split()).encode())) for name, target in made]


def opened(address: str) -> Any:
    """Return the wheel as a file."""
    parts = urlsplit(address)
    if parts.scheme in {"http", "https"}:
        return Remote(address)
    return open(url2pathname(parts.path) if parts.scheme == "file" else address, "rb")


def listed(address: str) -> list[tuple[str, int, int]] | None:
    """Return the files of a wheel, None where they cannot be told."""
    try:
        with opened(address) as file, zipfile.ZipFile(file) as archive:
            items = [item for item in archive.infolist() if not item.is_dir()]
            entries = next((item for item in items if item.filename.endswith(".dist-info/entry_points.txt")), None)
            made = commands(archive.read(entries).decode()) if entries is not None else []
            return [*((installed_path(item.filename), item.file_size, item.CRC) for item in items), *made]
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, KeyError):
        return None


def main() -> None:
    """Answer what is asked on standard input."""
    wheels: dict[str, str] = json.load(sys.stdin)["wheels"]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        found = dict(zip(wheels, pool.map(listed, wheels.values()), strict=True))
    json.dump({"lists": {sha256: files for sha256, files in found.items() if files is not None}}, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
