"""Serves a folder over HTTP on loopback, and misbehaves where it is told to."""

from __future__ import annotations

import base64
import shutil
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

PIECE = 64 * 1024


class QuietServer(ThreadingHTTPServer):
    """A server that says nothing when a client hangs up."""

    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        pass


class Server:
    """Serves ``folder`` while the context lasts; every setting counts from the next request on.

    Paths in the settings are those of the request without a token (``/linux-64/repodata.json``), or their ends; "" is every path.
    """

    def __init__(self, folder: Path, *, token: str = "", login: tuple[str, str] | None = None) -> None:
        self.folder = folder
        self.token = token
        self.login = login
        self.status: dict[str, int] = {}
        self.cut: dict[str, int] = {}
        self.delay: dict[str, float] = {}
        self.speed: dict[str, int] = {}
        self.seen: list[str] = []
        self._server = QuietServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop serving: from now on connections are refused."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The channel's address; with the token in it, when one is required."""
        return f"http://{self.host}" + (f"/t/{self.token}" if self.token else "")

    def fail(self, path: str, status: int = 503) -> None:
        """Answer a path with an error."""
        self.status[path] = status

    def truncate(self, path: str, size: int) -> None:
        """Announce a file whole, send ``size`` bytes of it, and hang up."""
        self.cut[path] = size

    def wait(self, path: str, seconds: float) -> None:
        """Let every answer for a path begin late."""
        self.delay[path] = seconds

    def throttle(self, path: str, rate: int) -> None:
        """Send a file with so many bytes a second."""
        self.speed[path] = rate

    def behave(self) -> None:
        """Take back every fault."""
        for setting in (self.status, self.cut, self.delay, self.speed):
            setting.clear()

    def count(self, path: str = "") -> int:
        """Return how many requests there were for paths that end so; those that were refused too."""
        return sum(1 for seen in self.seen if seen.endswith(path))

    def allowed(self, path: str, authorization: str | None) -> bool:
        """Say whether a request brought what is required."""
        if self.login:
            wanted = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
            return authorization == wanted
        return not self.token or path.startswith(f"/t/{self.token}/")


def _setting(settings: dict[str, int] | dict[str, float], path: str) -> float | None:
    """Return the setting for a path."""
    return next((value for end, value in settings.items() if path.endswith(end)), None)


def _handler(server: Server) -> type[SimpleHTTPRequestHandler]:
    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def translate_path(self, path: str) -> str:
            """Map a request to the folder, the token left out."""
            inner = unquote(urlsplit(path).path)
            if server.token:
                inner = inner.removeprefix(f"/t/{server.token}")
            parts = [part for part in inner.split("/") if part not in ("", ".", "..")]
            return str(server.folder.joinpath(*parts))

        def send_head(self):
            path = urlsplit(self.path).path
            server.seen.append(path)
            time.sleep(_setting(server.delay, path) or 0)
            status = _setting(server.status, path)
            if status is None and not server.allowed(path, self.headers.get("Authorization")):
                status = 401
            if status is not None:
                self.send_error(int(status))
                return None
            return super().send_head()

        def copyfile(self, source, outputfile) -> None:
            path = urlsplit(self.path).path
            size, rate = _setting(server.cut, path), _setting(server.speed, path)
            if size is not None:
                outputfile.write(source.read(int(size)))
                self.close_connection = True
            elif rate is not None:
                while piece := source.read(min(PIECE, max(1, int(rate / 10)))):
                    time.sleep(len(piece) / rate)
                    outputfile.write(piece)
            else:
                shutil.copyfileobj(source, outputfile, PIECE)

        def log_message(self, *_args: object) -> None:
            pass

    return Handler
