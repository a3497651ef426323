"""Records what the native files of a set for macOS ask of the loader, as a case for the tests: `macos_loads.py PLATFORM RELEASE PYTHON FOLDER`.

    python tools/macos_loads.py macos-aarch64 2.21.0 3.12 tests/diagnose/macos

Of each wheel of the set only the beginnings of its native files are fetched, by ranges, and kept in .cache/macos-loads.
"""

from __future__ import annotations

import json
import sys
import zipfile
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, cast

import locks
from locks import Remote

from provisioner.facts import macho
from provisioner.facts.macho import Part, parse
from provisioner.model import codec

HEADS = Path(__file__).resolve().parent.parent / ".cache" / "macos-loads"
# More than the load commands of any file of TensorFlow have.
HEAD = 1 << 16
NATIVE = (".so", ".dylib")


class Pieces:
    """A file on an index as ``zipfile`` wants it, which asks for 4 KB at a time: fetched in larger pieces."""

    def __init__(self, url: str) -> None:
        self._remote = Remote(url)
        self._held, self._start, self._at = b"", 0, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._remote.size)[whence]
        return self._at

    def read(self, count: int = -1) -> bytes:
        wanted = self._remote.size - self._at if count < 0 else count
        if not self._start <= self._at <= self._start + len(self._held) - wanted:
            self._remote.seek(self._at)
            self._start, self._held = self._at, self._remote.read(max(wanted, HEAD))
        found = self._held[self._at - self._start :][:wanted]
        self._at += len(found)
        return found


def heads(url: str, filename: str) -> dict[str, bytes]:
    """Return the beginnings of a wheel's native files by their paths in it, fetched once."""
    kept = HEADS / f"{filename}.heads.zip"
    if not kept.exists():
        HEADS.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".new")
        with zipfile.ZipFile(cast("IO[bytes]", Pieces(url))) as wheel, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as store:
            for name in wheel.namelist():
                if name.endswith(NATIVE):
                    with wheel.open(name) as file:
                        store.writestr(name, _beginnings(file))
        partial.rename(kept)
    with zipfile.ZipFile(kept) as store:
        return {name: store.read(name) for name in store.namelist()}


def _beginnings(file: IO[bytes]) -> bytes:
    """The beginning of a file; of one for several architectures those of its parts, with zeros between them."""
    head = file.read(HEAD)
    starts = macho.starts(lambda offset, size: head[offset : offset + size])
    if starts == (0,):
        return head
    whole = head + file.read()
    kept = bytearray(len(whole))
    for start in (0, *starts):
        kept[start : start + HEAD] = whole[start : start + HEAD]
    return bytes(kept)


def record(platform: str, version: str, python: str) -> dict[str, object]:
    """Read every native file of a set; files that ask for the same are told once."""
    release = locks.read_releases()[version]
    build = next(build for build in release.builds if build.platform == platform)
    found: dict[tuple[Part, ...], list[str]] = {}
    wheels = [wheel for wheel in locks.resolve(release, build, python, "cpu") if wheel.filename.endswith(".whl")]
    for wheel in wheels:
        for name, head in heads(wheel.url, wheel.filename).items():
            parts = parse(lambda offset, size, head=head: head[offset : offset + size])  # type: ignore[misc]
            found.setdefault(tuple(replace(part, end=0) for part in parts), []).append(name)
    groups = [{"parts": [{**codec.to_data(part), "end": 0} for part in parts], "files": files} for parts, files in found.items()]
    today = datetime.now(tz=timezone.utc).date().isoformat()
    named = [wheel.filename for wheel in wheels]
    return {"platform": platform, "release": version, "python": python, "date": today, "wheels": named, "files": groups}


def text_of(data: dict[str, object]) -> str:
    """Return the document with one line for each group of files."""
    groups = cast("list[object]", data["files"])
    head = json.dumps({name: value for name, value in data.items() if name != "files"})
    return f'{head[:-1]}, "files": [\n' + ",\n".join(f"  {json.dumps(group)}" for group in groups) + "\n]}\n"


def main() -> None:
    platform, version, python, folder = sys.argv[1:]
    target = Path(folder) / f"{platform}-{version}.json"
    target.write_text(text_of(record(platform, version, python)))
    print(target)


if __name__ == "__main__":
    main()
