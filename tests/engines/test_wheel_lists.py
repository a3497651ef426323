"""The files of wheels that nobody has downloaded: real uv, and an index on loopback that gives ranges, or none."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from provisioner.engines import _central, wheel_lists
from provisioner.engines.wheel_lists import Target
from provisioner.host.local import LocalHost
from provisioner.model.catalogue import LockedFile
from tests.support import make_wheel

LARGE = 6 * _central.TAIL


class Handler(BaseHTTPRequestHandler):
    """Serves a folder as one page of links with hashes, and its files by ranges unless ``ranges`` is false."""

    folder, ranges, sent = Path(), True, 0

    def do_GET(self) -> None:
        path = self.folder / self.path.rpartition("/")[2]
        if not path.is_file():
            return self.answer(200, self.page(), {"Content-Type": "text/html"})
        data = path.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if wanted is None or not self.ranges:
            return self.answer(200, data, {})
        first, last = wanted[1], wanted[2]
        start = int(first) if first else max(0, len(data) - int(last))
        part = data[start : int(last) + 1 if first and last else None]
        type(self).sent += len(part)
        return self.answer(206, part, {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(data)}"})

    def page(self) -> bytes:
        links = (f'<a href="/{p.name}#sha256={hashlib.sha256(p.read_bytes()).hexdigest()}">{p.name}</a>' for p in self.folder.iterdir())
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()

    def answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


class World:
    """An index with wheels, and the tool's own folders."""

    def __init__(self, root: Path) -> None:
        self.root, self.kept = root, root / "kept"
        for name in ("wheels", "kept", "resolve"):
            (root / name).mkdir()
        Handler.folder, Handler.ranges, Handler.sent = root / "wheels", True, 0

    def wheel(self, name: str, files: dict[str, str]) -> LockedFile:
        return make_wheel(self.root / "wheels", name, "1.0", files)

    def read(self, *wheels: LockedFile, offline: bool = False):
        target = Target(python="3.11", platform="x86_64-manylinux_2_28", folder=str(self.root / "resolve"), offline=offline)
        return wheel_lists.read(LocalHost(), wheels, target, kept=str(self.kept))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("UV_FIND_LINKS", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("NO_PROXY", "*")
    yield World(tmp_path)
    server.shutdown()
    server.server_close()


def test_the_end_of_a_wheel_tells_its_files_and_is_kept(world: World) -> None:
    made = world.wheel("big", {"big/data.bin": "x" * LARGE, "big/__init__.py": "1", "big-1.0.data/purelib/beside.py": "2"})
    found = world.read(made)[made.sha256]
    assert {path: size for path, size, _ in found if ".dist-info" not in path} == {
        "big/data.bin": LARGE, "big/__init__.py": 1, "beside.py": 1,
    }  # fmt: skip
    sent = Handler.sent
    assert world.read(made)[made.sha256] == found
    assert Handler.sent == sent, "what was told once is kept"


def test_of_a_large_wheel_only_its_end_is_fetched(world: World) -> None:
    made = world.wheel("big", {"big/data.txt": secrets.token_hex(LARGE), **{f"big/{number}.py": "" for number in range(1000)}})
    found = world.read(made)[made.sha256]
    assert len([item for item in found if item[0].endswith(".py")]) == 1000
    assert made.size > LARGE
    assert Handler.sent < 4 * _central.TAIL


def test_a_server_without_ranges_tells_nothing_and_nothing_is_downloaded(world: World) -> None:
    Handler.ranges = False
    made = world.wheel("big", {"big.py": "1"})
    assert world.read(made) == {}
    assert list(world.kept.iterdir()) == []


def test_offline_no_index_is_asked(world: World) -> None:
    made = world.wheel("big", {"big.py": "1"})
    assert world.read(made, offline=True) == {}
    assert Handler.sent == 0


def test_another_file_under_that_name_is_not_taken_for_it(world: World) -> None:
    made = world.wheel("big", {"big.py": "1"})
    world.wheel("big", {"other.py": "1"})
    assert world.read(made) == {}


def test_what_is_kept_and_no_list_is_asked_for_again(world: World) -> None:
    made = world.wheel("big", {"big.py": "1"})
    (world.kept / f"{made.sha256}.json").write_text('{"lists": []}')
    assert next(path for path, _, _ in world.read(made)[made.sha256]) == "big.py"


def test_wheels_of_a_folder_are_read_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(world.root / "wheels"))
    made = world.wheel("big", {"big.py": "1"})
    assert world.read(made, offline=True)[made.sha256][0][:2] == ("big.py", 1)


def test_a_wheel_with_an_address_is_read_there_and_keeps_none_from_being_asked_for(world: World, tmp_path: Path) -> None:
    served = world.wheel("served", {"served.py": "1\n"})
    made = make_wheel(tmp_path / "carried", "carried", "1.0", {"carried.py": "22\n"})
    carried = replace(made, url=f"file://{tmp_path}/carried/{made.filename}")
    found = world.read(served, carried)
    assert {path for path, _, _ in found[carried.sha256]} >= {"carried.py"}
    assert {path for path, _, _ in found[served.sha256]} >= {"served.py"}
    assert world.read(carried, offline=True) == {carried.sha256: found[carried.sha256]}
