"""A small real package index on loopback: JSON pages with upload dates; it can be slow, broken, or lie."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from provisioner.base.names import normalise
from provisioner.model.catalogue import LockedFile
from tests.support import make_wheel

OLD, CUTOFF, NEW = "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "2026-09-01T00:00:00Z"
JSON = "application/vnd.pypi.simple.v1+json"


def allow(host: str, *names: str) -> None:
    """Let the person of the test have said that ``host`` may be asked, and that these variables may go there."""
    path = Path(os.environ["TFSETUP_CONFIG"])
    data = json.loads(path.read_text()) if path.exists() else {"credentials": {}}
    data["credentials"][host] = list(names)
    path.write_text(json.dumps(data))


class Index:
    """Serves the wheels of a folder under ``/simple/``; all changes count from the next request on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dates: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        self.hidden: set[str] = set()
        self.delay = 0.0
        self.status = 200
        self.login = ""
        self.seen: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/simple"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, name: str, version: str, *requires: str, uploaded: str = OLD, tag: str = "py3-none-any", python: str = "") -> LockedFile:
        """Put a wheel on the index; with another ``tag`` it is for that platform alone, with ``python`` for those Pythons."""
        content = {f"{name.replace('-', '_')}.py": f"VERSION = {version!r}  # {tag}\n"}
        made = make_wheel(self.folder / "made", name, version, content, requires=requires, python=python)
        filename = made.filename.replace("py3-none-any", tag)
        (self.folder / "made" / made.filename).rename(self.folder / filename)
        self.dates[filename] = uploaded
        return LockedFile(name=name, version=version, filename=filename, sha256=made.sha256, size=made.size, unpacked=made.unpacked)

    def link(self, name: str, version: str, *requires: str, text: str = "") -> str:
        """Put a wheel on the page of links, which is no index, and return its address."""
        made = make_wheel(self.folder / "linked", name, version, {f"{name}.py": text}, requires=requires)
        return f"http://{self.host}/linked/{made.filename}"

    @property
    def links(self) -> str:
        """The address of the page of links."""
        return f"http://{self.host}/links.html"

    def mirror(self, requirement: str) -> None:
        """Serve the newest wheel of a package that this machine's uv gets from its own index."""
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        command = [*pip, "download", "--no-deps", "--dest", str(self.folder), requirement]
        subprocess.run(command, check=True)
        for path in self.folder.glob("*.whl"):
            self.dates.setdefault(path.name, OLD)

    def add_source(self, name: str, version: str, setup: str, *, uploaded: str = OLD) -> LockedFile:
        """Put a source distribution on the index, as those from before PEP 517: a setup.py that says everything by being run."""
        return self.add_tree(name, version, {"setup.py": setup}, uploaded=uploaded)

    def add_tree(self, name: str, version: str, files: dict[str, str], *, uploaded: str = OLD) -> LockedFile:
        """Put a source distribution with these files on the index."""
        filename = f"{name.replace('-', '_')}-{version}.tar.gz"
        files = {**files, "PKG-INFO": f"Metadata-Version: 1.0\nName: {name}\nVersion: {version}\n"}
        with tarfile.open(self.folder / filename, "w:gz") as archive:
            for member, text in files.items():
                entry = tarfile.TarInfo(f"{filename.removesuffix('.tar.gz')}/{member}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        self.dates[filename] = uploaded
        content = (self.folder / filename).read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        return LockedFile(
            name=name, version=version, filename=filename, sha256=sha256, size=len(content), unpacked=len(content), source=True
        )

    def page(self, name: str) -> bytes:
        files = []
        for path in sorted([*self.folder.glob("*.whl"), *self.folder.glob("*.tar.gz")]):
            if normalise(path.name.split("-")[0]) == name and path.name not in self.hidden:
                sha256 = self.hashes.get(path.name) or hashlib.sha256(path.read_bytes()).hexdigest()
                file = {"filename": path.name, "url": f"../../files/{path.name}", "hashes": {"sha256": sha256}, "size": path.stat().st_size}
                if self.dates.get(path.name):
                    file["upload-time"] = self.dates[path.name]
                files.append(file)
        if not files:
            return b""
        return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files, "versions": []}).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.seen.append(self.path)
                time.sleep(index.delay)
                status, kind, body = index.status, JSON, b""
                if index.login and self.headers.get("Authorization") != index.login:
                    status = 401
                elif self.path.startswith("/simple/"):
                    body = index.page(self.path.strip("/").rpartition("/")[2])
                elif self.path == "/links.html":
                    names = sorted(path.name for path in (index.folder / "linked").glob("*.whl"))
                    kind, body = "text/html", "".join(f'<a href="linked/{name}">{name}</a>' for name in names).encode()
                elif self.path.startswith("/linked/"):
                    kind, body = "application/octet-stream", (index.folder / self.path.lstrip("/")).read_bytes()
                elif self.path.startswith("/files/"):
                    kind, body = "application/octet-stream", (index.folder / self.path.rpartition("/")[2]).read_bytes()
                status = status if body or status != 200 else 404
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", "Basic realm=x")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body) if status == 200 else 0))
                self.end_headers()
                if status == 200 and self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - the name that the server calls

            def log_message(self, *_args: object) -> None:
                pass

        return Handler
