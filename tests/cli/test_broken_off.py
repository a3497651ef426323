"""``apply`` as a process that is broken off: Ctrl-C, kill -9, two at once, a network that ends in the middle."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.made import content, old_environment
from tests.cli.support import Ended, Tool

SECRET = "s3cr3t-pass"


class Index:
    """An index on loopback: answers a request with ``answer`` bytes and then keeps silent, or breaks off."""

    def __init__(self, answer: bytes = b"", *, hold: bool) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._answer, self._hold = answer, hold
        self._held: list[socket.socket] = []
        self.asked = threading.Event()
        self.headers = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def url(self, credentials: str = "") -> str:
        return f"http://{credentials}127.0.0.1:{self._socket.getsockname()[1]}/simple"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.headers += connection.recv(65536)
                self.asked.set()
                if self._answer:
                    connection.sendall(self._answer)
                if self._hold:
                    self._held.append(connection)
                else:
                    connection.close()

    def close(self) -> None:
        self._hold = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._held:
            connection.close()
        self._thread.join(5)


@pytest.fixture
def silent() -> Iterator[Index]:
    """An index that never answers, so that an install lasts as long as a test wants."""
    index = Index(hold=True)
    yield index
    index.close()


def refusal(status: str) -> bytes:
    """A whole answer. It says that the connection ends: else uv may ask again on the one that is closed at that moment (RFC 9112, 9.6)."""
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def from_index(tiny: dict[str, str], url: str, cache: Path) -> dict[str, str]:
    """Variables to install from an index, with an empty cache."""
    kept = {"TFSETUP_PROFILES": tiny["TFSETUP_PROFILES"]}
    return {**kept, "UV_DEFAULT_INDEX": url, "UV_CACHE_DIR": str(cache), "UV_HTTP_RETRIES": "0", "NO_PROXY": "127.0.0.1"}


@pytest.mark.parametrize("existing", [False, True], ids=["new", "existing"])
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupted_apply_ends_with_130_and_the_old_state(
    tool: Tool, tiny, work: Path, shared: Path, silent: Index, tmp_path: Path, existing: bool, number: int
) -> None:
    before = old_environment(shared, work / "env") if existing else {}
    with tool.start("apply", "--yes", "--json", "--env", "env", **from_index(tiny, silent.url(), tmp_path / "uv")) as process:
        assert silent.asked.wait(30)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    ended = Ended(process.returncode, out, err)
    assert ended.code == 130, ended.err
    assert ended.json["error"]["code"] == 130
    assert "as it was before" in ended.json["error"]["message"]
    assert content(work / "env") == before if existing else list(work.iterdir()) == []


@pytest.mark.parametrize("existing", [pytest.param(False, marks=pytest.mark.slow), True], ids=["new", "existing"])
def test_after_kill_9_the_next_run_takes_back_and_begins_anew(
    tool: Tool, tiny, work: Path, shared: Path, silent: Index, tmp_path: Path, existing: bool
) -> None:
    before = old_environment(shared, work / "a" / "env") if existing else {}
    with tool.start("apply", "--yes", "--env", "a/env", **from_index(tiny, silent.url(), tmp_path / "uv")) as process:
        assert silent.asked.wait(30)
        process.kill()
        process.communicate(timeout=20)
    if existing:
        assert content(work / "a" / "env").items() >= before.items(), "nothing has moved yet"
    else:
        assert not (work / "a" / "env").exists()
    # Its installer lives on; nobody else may begin, and nobody can tell what it will have been.
    for command in (("plan",), ("apply", "--yes", "--wait", "0")):
        ended = tool(*command, "--env", "a/env", **tiny)
        assert ended.code == 1, command
        assert "another tfsetup is at work" in ended.err
    silent.close()
    shown = tool("plan", "--env", "a/env", **tiny)
    deadline = time.monotonic() + 30
    while shown.code == 1 and time.monotonic() < deadline:
        shown = tool("plan", "--env", "a/env", **tiny)
    assert shown.code == 0, shown.err
    assert "an earlier run was interrupted" in shown.out
    left = tool("plan", "--json", "--env", "a/env", **tiny).json["interrupted"]
    assert (left["state"], left["before"]) == ("old", "venv" if existing else "absent")
    ended = tool("apply", "--yes", "--env", "a/env", "--wait", "30", **tiny)
    assert ended.code == 14, ended.err
    assert "An earlier run was interrupted; what it had begun was taken back" in ended.err
    if existing:
        assert content(work / "a" / "env") == before
    else:
        assert list(work.iterdir()) == [], "the folder that the killed run made is gone, too"


def test_undo_after_kill_9_takes_the_beginning_back(tool: Tool, tiny, work: Path, shared: Path, silent: Index, tmp_path: Path) -> None:
    before = old_environment(shared, work / "env")
    with tool.start("apply", "--yes", "--env", "env", **from_index(tiny, silent.url(), tmp_path / "uv")) as process:
        assert silent.asked.wait(30)
        process.kill()
        process.communicate(timeout=20)
    silent.close()
    ended = tool("undo", "--yes", "--json", "--env", "env", "--wait", "30")
    assert ended.code == 0, ended.err
    assert ended.json["restored"] == "venv"
    assert ended.json["interrupted"]["state"] == "old"
    assert content(work / "env") == before


@pytest.mark.parametrize("existing", [pytest.param(False, marks=pytest.mark.slow), True], ids=["new", "existing"])
def test_of_two_runs_at_once_the_second_refuses(
    tool: Tool, tiny, work: Path, shared: Path, silent: Index, tmp_path: Path, existing: bool
) -> None:
    if existing:
        old_environment(shared, work / "env")
    with tool.start("apply", "--yes", "--env", "env", **from_index(tiny, silent.url(), tmp_path / "uv")) as first:
        assert silent.asked.wait(30)
        second = tool("apply", "--yes", "--env", "env", "--wait", "0.3", **tiny)
        assert second.code == 1
        assert "another tfsetup is at work on this environment" in second.err
        assert "--wait" in second.err
        assert first.poll() is None, "the first goes on"
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=20)
    assert first.returncode == 130


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "could not be reached, or the download broke off"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<html>",
            "could not be reached, or the download broke off",
        ),
        (refusal("403 Forbidden"), "refused the request"),
        (refusal("401 Unauthorized"), "refused the request"),
    ],
    ids=["closed", "cut", "forbidden", "unauthorized"],
)
def test_a_network_that_breaks_off_changes_nothing_and_tells_no_secret(
    tool: Tool, tiny, work: Path, shared: Path, tmp_path: Path, answer: bytes, told: str
) -> None:
    before = old_environment(shared, work / "env")
    index = Index(answer, hold=False)
    variables = from_index(tiny, index.url(f"ada:{SECRET}@"), tmp_path / "uv")
    try:
        ended = tool("apply", "--yes", "--env", "env", "--verbose", **variables)
        document = tool("apply", "--yes", "--json", "--env", "env", **variables)
        facts = tool("detect", "--json", **variables)
    finally:
        index.close()
    assert ended.code == document.code == 1
    assert told in ended.err, ended.err
    assert document.json["error"]["cause"] == "download-failed"
    for one in (ended, document, facts):
        assert SECRET not in one.out + one.err
    assert b"Basic " in index.headers, "uv itself was given the password"
    assert content(work / "env") == before
