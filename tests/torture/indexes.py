"""Package indexes on loopback that are slow, silent, rude or wrong: nothing is changed, and what is said fits."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.torture.fingerprint import Print
from tests.torture.run import BY_NAME, Result, Torture
from tests.torture.verdict import check_same, undated

# What each does with a wheel that is asked for, and a word that must be in what is said; "" where it only is slow, and all goes well.
KINDS = {
    "slow": "",
    "stall": "did not answer in time",
    "reset": "could not be reached",
    "cut": "could not be reached",
    "html": "what came in place of a package is none",
    "wrong bytes": "what came in place of a package is none",
    "401": "refused",
    "403": "refused",
    "404": "does not have",
    "500": "a fault of its own",
    "redirect": "what came in place of a package is none",
}
FAILING = tuple(kind for kind in KINDS if kind != "slow")
PAGE = b"<html><body>Please log in</body></html>"
TIMEOUT_SECONDS = 2


class _Handler(BaseHTTPRequestHandler):
    """Serves the folder of wheels by the simple API (PEP 503); wheels in the manner of ``kind``."""

    kind = ""
    wheels = Path()
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        name = self.path.rstrip("/").rsplit("/", 1)[-1]
        if self.path.startswith("/login"):
            self._give(PAGE, "text/html")
        elif self.path.startswith("/simple/"):
            stem = name.replace("-", "_")
            found = sorted(path.name for path in self.wheels.glob("*.whl") if path.name.split("-")[0] == stem)
            links = "".join(f'<a href="/files/{item}">{item}</a>' for item in found)
            self._give(f"<html><body>{links}</body></html>".encode(), "text/html")
        else:
            self._wheel((self.wheels / name).read_bytes())

    def _give(self, data: bytes, kind: str, *, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _wheel(self, data: bytes) -> None:
        kind = self.kind
        if kind.isdigit():
            self._give(PAGE, "text/html", code=int(kind))
        elif kind == "html":
            self._give(PAGE, "text/html")
        elif kind == "wrong bytes":
            self._give(bytes(byte ^ 1 for byte in data[:1000]) + data[1000:], "application/octet-stream")
        elif kind == "redirect":
            self.send_response(302)
            self.send_header("Location", "/login")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif kind == "stall":
            time.sleep(TIMEOUT_SECONDS * 4)
            self.close_connection = True
        elif kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        else:
            self._give_slowly(data, cut=kind == "cut")

    def _give_slowly(self, data: bytes, *, cut: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        half = len(data) // 2
        self.wfile.write(data[:half])
        self.wfile.flush()
        time.sleep(0.3)
        if cut:
            self.close_connection = True
            return
        self.wfile.write(data[half:])


@contextmanager
def serving(wheels: Path, kind: str) -> Iterator[str]:
    """Serve while the block runs; give the address of the index."""
    handler = type("Handler", (_Handler,), {"kind": kind, "wheels": wheels})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_arguments: None  # type: ignore[method-assign] - those who are hung up on are not told here
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/"
    finally:
        server.shutdown()
        server.server_close()


def _contents(found: Print) -> Print:
    """Without what says where the files came from."""
    return {path: mark for path, mark in undated(found).items() if not path.endswith(("/RECORD", "/uv_cache.json"))}


def bad_index(torture: Torture, name: str, kind: str) -> Result:
    """Run a scenario with an empty cache and such an index."""
    scenario = BY_NAME[name]
    torture.learn(scenario)
    known, result = torture.known[name], Result()
    place = torture.place_of(scenario)
    with serving(torture.world.wheels, kind) as address:
        place.extra = {
            "UV_CACHE_DIR": str(place.root / "cache" / "uv"), "UV_DEFAULT_INDEX": address, "UV_FIND_LINKS": "", "UV_OFFLINE": "0",
            "UV_HTTP_TIMEOUT": str(TIMEOUT_SECONDS),
            "UV_HTTP_RETRIES": "0",
        }  # fmt: skip
        ended = place.tool(*scenario.command(place))
    result.story = ended.said
    result.expect("Traceback" not in ended.said and "a bug in" not in ended.said, "a traceback")
    if kind == "slow":
        result.expect(ended.code == 0, f"code {ended.code}")
        check_same(result, _contents(known.new), _contents(place.print()), "it is not as without the index")
        result.outcome = "new"
        return result
    result.expect(ended.code == 1, f"code {ended.code}")
    result.expect(KINDS[kind] in ended.said, f"does not say `{KINDS[kind]}`: {ended.said[-300:]!r}")
    check_same(result, known.old, place.print(), "it is not as it was")
    result.outcome = "old"
    return result
