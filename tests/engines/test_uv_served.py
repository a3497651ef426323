"""What is told of an index that answers nonsense, and of a network that is down: real uv, and a server on loopback."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from provisioner.engines import uv
from provisioner.errors import OperationError
from provisioner.model.catalogue import LockedFile
from provisioner.model.plan import Package
from tests.support import FixedHost, make_wheel

PAGE = b"<!DOCTYPE html><html><title>Log in to the network</title><body>Please log in</body></html>"
SECRET = "s3cr3t-pass"
WHEEL = "six-2.0-py3-none-any.whl"


class Handler(BaseHTTPRequestHandler):
    """Serves one wheel, but for what ``mode`` says: ``index`` or ``wheel``, and what becomes of it."""

    protocol_version = "HTTP/1.1"
    mode, wheel, other, page = "", b"", b"", b""

    def do_GET(self) -> None:
        part = "index" if self.path.startswith("/simple") else "login" if self.path.startswith("/login") else "wheel"
        right = {"index": self.page, "wheel": self.wheel, "login": PAGE}[part]
        which, _, fault = self.mode.partition(" ")
        if which != part:
            self.answer(right)
        elif fault.isdigit():
            self.answer(b"no", int(fault))
        elif fault == "login":
            self.answer(b"", 302, location="/login")
        elif fault in {"bare", "reset", "cut", "stall"}:
            self.send_response(200)
            if fault != "bare":
                self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(right)))
            self.end_headers()
            self.wfile.write(right[:20])
            self.wfile.flush()
            if fault == "stall":
                time.sleep(4)
            if fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        else:
            self.answer(
                {"page": PAGE, "half": right[: len(right) // 2], "other": self.other, "json": b'{"files": ['}[fault], json=fault == "json"
            )

    do_HEAD = do_GET  # noqa: N815 - the name that the server calls

    def answer(self, body: bytes, code: int = 200, *, location: str = "", json: bool = False) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json" if json else "text/html")
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_args: object) -> None:
        """A client that goes away is part of the test."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> tuple[LockedFile, bytes, bytes]:
    """The file of the lock, its bytes, and those of another file of that name."""
    folder = tmp_path_factory.mktemp("wheels")
    # Long enough that half of it is no small zip.
    file = make_wheel(folder, "six", "2.0", {"six.py": "".join(f"A{number} = {number}\n" for number in range(3000))})
    right = (folder / WHEEL).read_bytes()
    make_wheel(folder / "other", "six", "2.0", {"six.py": "import os\n"})
    return file, right, (folder / "other" / WHEEL).read_bytes()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    env = tmp_path_factory.mktemp("python") / "env"
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(env)], check=True)
    return str(env / "bin" / "python")


@contextlib.contextmanager
def serving(mode: str, wheel: tuple[LockedFile, bytes, bytes]) -> Iterator[str]:
    """An index with that fault; gives its host."""
    file, right, other = wheel
    page = f'<html><body><a href="/files/{file.filename}#sha256={file.sha256}">{file.filename}</a></body></html>'.encode()
    server = Quiet(("127.0.0.1", 0), type("Faulty", (Handler,), {"mode": mode, "wheel": right, "other": other, "page": page}))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def install(python: str, wheel: tuple[LockedFile, bytes, bytes], folder: Path, index: str, **env: str) -> OperationError | None:
    """Install the wheel from that index; returns the error."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "UV_CACHE_DIR": str(folder / "cache"), "NO_PROXY": "*"}
    host = FixedHost({**variables, "UV_DEFAULT_INDEX": index, "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "2", **env})
    file = wheel[0]
    package = Package(
        name=file.name, version=file.version, filename=file.filename, sha256=file.sha256, size=file.size, unpacked=file.unpacked
    )
    (folder / "home").mkdir()
    (folder / "requirements.txt").write_text(uv.requirements_text([package]))
    try:
        uv.install(host, python=python, requirements=str(folder / "requirements.txt"), packages=[package], prefix=str(folder / "prefix"))
    except OperationError as error:
        return error
    return None


NONE, LESS, OFF, LACKS = (
    "what came in place of a package is none",
    "is damaged, or has the wrong size",
    "the download broke off",
    "lists no such file",
)
TABLE = [
    ("wheel page", NONE, True),
    ("wheel login", NONE, True),
    ("wheel half", LESS, True),
    ("wheel other", "its SHA-256 differs", False),
    ("wheel cut", OFF, False),
    ("wheel stall", "did not answer in time", True),
    ("wheel reset", OFF, False),
    ("wheel 401", "refused the request", True),
    ("wheel 403", "refused the request", True),
    ("wheel 404", "does not have a package or a file", True),
    ("wheel 500", "has a fault of its own", True),
    ("index page", LACKS, False),
    ("index login", LACKS, False),
    ("index bare", "is no list of packages", False),
    ("index json", "is no list of packages", False),
    ("index 401", "refused the request", False),
    ("index 403", "refused the request", False),
    ("index 404", "does not have a package", False),
    ("index 429", "was asked too often", False),
    ("index 500", "has a fault of its own", False),
    ("index 503", "has a fault of its own", False),
    ("index reset", OFF, False),
]
FAST = {"wheel page", "index login", "index 401", "index 503"}


@pytest.mark.parametrize(
    ("mode", "words", "file"), [pytest.param(*row, id=row[0], marks=() if row[0] in FAST else pytest.mark.slow) for row in TABLE]
)
def test_what_an_index_gives_in_place_of_packages_is_told(python: str, wheel, tmp_path: Path, mode: str, words: str, file: bool) -> None:
    with serving(mode, wheel) as host:
        error = install(python, wheel, tmp_path, f"http://ada:{SECRET}@{host}/simple")
    assert error is not None
    assert error.cause == "download-failed", error.message
    assert words in error.message, error.message
    assert f"from {host})" in error.message, error.message
    assert SECRET not in f"{error.message} {error.hint}"
    assert error.hint
    assert not file or WHEEL in error.message, error.message
    if words != OFF:
        assert "could not be reached" not in error.message, "the network is not what is wrong"


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ("http://no-such-host.invalid/simple", "the name of its host is not known"),
        ("http://127.0.0.1:9/simple", "could not be reached: nobody answers there"),
    ],
)
def test_a_network_that_is_down_is_told(python: str, wheel, tmp_path: Path, index: str, words: str) -> None:
    error = install(python, wheel, tmp_path, index)
    assert error is not None
    assert words in error.message
    assert "HTTPS_PROXY" in error.hint


def test_who_speaks_no_tls_is_told(python: str, wheel, tmp_path: Path) -> None:
    with serving("", wheel) as host:
        error = install(python, wheel, tmp_path, f"https://{host}/simple")
    assert error is not None
    assert "does not speak TLS" in error.message


@pytest.mark.parametrize("mode", ["index 401", "wheel 401"])
def test_an_index_that_wants_a_password_leaves_nothing_in_the_home_folder(python: str, wheel, tmp_path: Path, mode: str) -> None:
    with serving(mode, wheel) as host:
        assert install(python, wheel, tmp_path, f"http://{host}/simple") is not None
    assert list((tmp_path / "home").iterdir()) == []


def test_credentials_that_a_person_keeps_are_used(tmp_path: Path) -> None:
    """`uv auth login` keeps them in the home folder, or where UV_CREDENTIALS_DIR says."""
    asked: list[dict[str, str]] = []

    class Recording(FixedHost):
        def run(self, argv, **options):
            asked.append(dict(options["env"]))
            return super().run([sys.executable, "-c", ""], **options)

    for env in ({}, {"UV_CREDENTIALS_DIR": "/given"}):
        uv.run_uv(Recording({"HOME": str(tmp_path), **env}), ["uv"], 10)
    (tmp_path / ".local" / "share" / "uv" / "credentials").mkdir(parents=True)
    uv.run_uv(Recording({"HOME": str(tmp_path)}), ["uv"], 10)
    assert asked[0]["UV_CREDENTIALS_DIR"].startswith(str(tmp_path / ".cache"))
    assert asked[1]["UV_CREDENTIALS_DIR"] == "/given"
    assert "UV_CREDENTIALS_DIR" not in asked[2]
