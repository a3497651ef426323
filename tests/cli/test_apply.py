"""``apply`` and ``undo`` as processes: consent, a proof that fails, Ctrl-C, kill -9, two at once, a network that breaks off, secrets."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from provisioner.base.progress import Silent
from provisioner.change.execute import execute
from provisioner.host.local import LocalHost
from tests.cli.support import Ended, Inside, Tool
from tests.support import make_plan, make_wheel, prove_by_import, snapshot

SECRET = "s3cr3t-pass"


def old_environment(shared: Path, env: Path) -> dict[str, tuple[object, ...]]:
    """An environment with another six and a package of its own."""
    wheels = shared / "old wheels"
    make_wheel(wheels, "six", "1.0", {"six.py": "VERSION = 1\n"})
    make_wheel(wheels, "my-own", "3.0", {"my_own.py": ""})
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(env)], check=True)
    command = [*uv, "pip", "install", "-q", "--offline", "--no-index", "--find-links", str(wheels), "--python", f"{env}/bin/python"]
    subprocess.run([*command, "six==1.0", "my-own"], check=True)
    return snapshot(env)


def content(env: Path) -> dict[str, tuple[object, ...]]:
    """The environment but for an empty ``.tfsetup`` with its lock."""
    return {name: value for name, value in snapshot(env).items() if name not in {".tfsetup", ".tfsetup/lock"}}


def on_terminal(tool: Tool, answer: bytes, *args: str, **env: str) -> Ended:
    """Run with a terminal for stdin and stderr; type ``answer`` when the question comes."""
    leader, follower = pty.openpty()
    command = [*tool.argv, *args]
    with subprocess.Popen(
        command, cwd=tool.cwd, env={**tool.env, "TERM": "xterm", **env}, stdin=follower, stdout=subprocess.PIPE, stderr=follower,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(follower)
        said = b""
        asked = False
        while True:
            ready, _, _ = select.select([leader], [], [], 30)
            if not ready:
                process.kill()
                raise AssertionError(f"it hangs after: {said!r}")
            try:
                chunk = os.read(leader, 4096)
            except OSError:
                break
            if not chunk:
                break
            said += chunk
            if b"[y/N]" in said and not asked:
                asked = True
                os.write(leader, answer)
        out = process.stdout.read()
    os.close(leader)
    return Ended(process.returncode, out.decode(), said.decode())


@pytest.mark.parametrize("answer", [b"\n", b"yes please\n", *(pytest.param(word, marks=pytest.mark.slow) for word in (b"n\n", b"\x04"))])
def test_no_is_no(tool: Tool, tiny, work: Path, answer: bytes) -> None:
    ended = on_terminal(tool, answer, "apply", **tiny)
    assert ended.code == 15
    assert ended.err.splitlines()[-1] == "Nothing was changed", "a no is not an error"
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_the_plan_is_shown_before_the_question(tool: Tool, tiny, json: tuple[str, ...]) -> None:
    ended = on_terminal(tool, b"n\n", "apply", *json, **tiny)
    assert ended.code == 15
    assert ended.err.index("undoable") < ended.err.index("Do this? [y/N]")
    if json:
        assert ended.json["error"]["code"] == 15


@pytest.mark.slow
def test_yes_is_yes_and_the_terminal_gets_its_cursor_back(tool: Tool, tiny, work: Path) -> None:
    ended = on_terminal(tool, b"y\n", "apply", **tiny)
    assert ended.code == 14, ended.err
    assert "\x1b[" in ended.err
    assert ended.err.count("\x1b[?25l") == ended.err.count("\x1b[?25h") > 0
    assert list(work.iterdir()) == []
    assert "was removed again" in ended.out


@pytest.mark.slow
def test_colours_are_left_out_when_asked(tool: Tool, tiny) -> None:
    ended = on_terminal(tool, b"y\n", "apply", **tiny, NO_COLOR="1")
    assert ended.code == 14
    assert "\x1b[3" not in ended.err
    assert "\x1b[1;3" not in ended.err
    ended = on_terminal(tool, b"y\n", "apply", **{**tiny, "TERM": "dumb"})
    assert "\x1b" not in ended.err


def test_a_stage_that_fails_on_a_terminal_gives_the_cursor_back(tool: Tool, tiny, tmp_path: Path) -> None:
    ended = on_terminal(tool, b"y\n", "apply", **{**tiny, "UV_FIND_LINKS": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "empty")})
    assert ended.code == 1
    assert ended.err.count("\x1b[?25l") == ended.err.count("\x1b[?25h") > 0


def test_a_tensorflow_that_cannot_compute_does_not_stay(tool: Tool, tiny, work: Path) -> None:
    """The tiny package can be imported; the proof still fails, honestly, and the environment goes again."""
    ended = tool("apply", "--yes", "--json", "--env", "a/env", **tiny)
    assert ended.code == 14, ended.err
    document = ended.json
    assert (document["changed"], document["state"]) == (False, "old")
    assert document["findings"]
    assert any(finding["severity"] == "error" for finding in document["findings"])
    assert list(work.iterdir()) == [], "the folder that was made for it goes too"


def test_an_existing_environment_comes_back_when_the_proof_fails(tool: Tool, tiny, work: Path, shared: Path) -> None:
    before = old_environment(shared, work / "env")
    ended = tool("apply", "--yes", "--env", "env", **tiny)
    assert ended.code == 14, ended.err
    assert "is as it was before" in ended.out
    assert "\n\n\n" not in ended.out, "two blank lines"
    assert content(work / "env") == before


def test_a_saved_plan_is_applied(tool: Tool, tiny, work: Path) -> None:
    assert tool("plan", "-o", "plan.json", **tiny).code == 0
    assert tool("apply", "plan.json", "--yes", **tiny).code == 14
    assert [path.name for path in work.iterdir()] == ["plan.json"]


def test_a_plan_that_is_not_there_is_refused_with_the_commands_that_go_on(tool: Tool, tiny, work: Path) -> None:
    ended = tool("apply", "my plan.json", **tiny)
    assert ended.code == 2
    assert "my plan.json: there is no such file" in ended.err
    assert "tfsetup plan -o 'my plan.json'" in ended.err, ended.err
    assert list(work.iterdir()) == []


def test_an_empty_folder_stays_the_one_it_is(tool: Tool, tiny, work: Path) -> None:
    (work / "env").mkdir(mode=0o2750)
    (work / "env").chmod(0o2750)
    before = (work / "env").stat()
    assert tool("apply", "--yes", "--env", "env", **tiny).code == 14
    after = (work / "env").stat()
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    assert content(work / "env") == {}


def good_environment(shared: Path, env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that was made from the catalogue's set, with a proof that the tiny set can pass."""
    from provisioner.catalogue import Catalogue

    monkeypatch.setenv("UV_FIND_LINKS", str(shared / "wheels"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(shared / "cache" / "uv"))
    host = LocalHost()
    catalogue = Catalogue.open(host, str(shared / "profiles"))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lock = catalogue.lock("2.20.0", python, "linux-x86_64", "cpu")
    assert execute(make_plan(host, env, lock), host, prove=prove_by_import, progress=Silent(), wait=0).kept


def test_a_second_apply_changes_nothing_and_says_why(
    inside: Inside, tiny, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    before = snapshot(work)
    ended = inside("apply", **tiny)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("Nothing to do: ")
    document = inside("apply", "--json", **tiny).json
    assert (document["changed"], document["state"], document["verification"]) == (False, "new", None)
    assert inside("plan", "--exit-code", **tiny).code == 0
    assert snapshot(work) == before


def test_what_a_plan_leaves_unmended_is_in_its_document(
    inside: Inside, tiny, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    (site,) = (work / "tf-env").glob("lib/python3*/site-packages")
    info = site / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\nRequires-Dist: not-there\n")
    (info / "RECORD").write_text("mine-1.0.dist-info/METADATA,,\n")
    ended = inside("plan", "--exit-code", "--json", **tiny)
    (mark,) = ended.json["unmended"]
    assert (ended.code, mark["kind"], mark["distribution"], mark["about"]) == (10, "requirement", "mine", "not-there")
    jsonschema.validate(ended.json, inside("schema", "plan").json)
    assert mark["words"] in inside("plan", **tiny).out


def test_undo_asks_then_takes_back(inside: Inside, tool: Tool, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    ended = inside("undo")
    assert ended.code == 15
    assert "it is removed, with all that is in it" in ended.err
    assert on_terminal(tool, b"n\n", "undo").code == 15
    assert (work / "tf-env").exists()
    document = inside("undo", "--yes", "--json").json
    assert document["restored"] == "absent"
    assert list(work.iterdir()) == []
    again = inside("undo", "--yes")
    assert (again.code, again.out.split(":")[0]) == (0, "Nothing to undo")


def test_an_environment_that_broke_meanwhile_can_be_undone(
    inside: Inside, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    (work / "tf-env" / "pyvenv.cfg").unlink()
    assert inside("undo", "--yes").code == 0
    assert list(work.iterdir()) == []


def test_undo_names_what_others_installed_since(inside: Inside, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    wheels = shared / "old wheels"
    make_wheel(wheels, "my-own", "3.0", {"my_own.py": ""})
    command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-index", "--find-links", str(wheels)]
    subprocess.run([*command, "--python", str(work / "tf-env/bin/python"), "my-own"], check=True)
    ended = inside("undo", "--yes")
    assert ended.code == 1
    assert "my-own 3.0 was installed since" in ended.err
    assert "--keep-new" in ended.err
    assert (work / "tf-env/bin/python").exists()
    assert "is moved to" in inside("undo", "--keep-new", "kept").err, "what becomes of it is said before anybody agrees"
    assert inside("undo", "--yes", "--keep-new", "kept").code == 0
    assert not (work / "tf-env").exists()
    assert list((work / "kept").glob("lib/python*/site-packages/my_own.py"))


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
    shown = tool("plan", "--env", "a/env", **tiny)
    assert shown.code == 0
    assert "an earlier run was interrupted" in shown.out
    left = tool("plan", "--json", "--env", "a/env", **tiny).json["interrupted"]
    assert (left["state"], left["before"]) == ("old", "venv" if existing else "absent")
    # Its installer lives on; nobody else may begin.
    ended = tool("apply", "--yes", "--env", "a/env", "--wait", "0", **tiny)
    assert ended.code == 1
    assert "another tfsetup is at work" in ended.err
    silent.close()
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
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "refused the request"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "refused the request"),
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


def test_a_file_with_another_hash_is_refused(tool: Tool, tiny, work: Path, tmp_path: Path) -> None:
    other = tmp_path / "wheels"
    make_wheel(other, "six", "2.0", {"six.py": "import os\n"})
    make_wheel(other, "tensorflow-cpu", "2.20.0", {"tensorflow/__init__.py": "import os\n"})
    ended = tool("apply", "--yes", **{**tiny, "UV_FIND_LINKS": str(other), "UV_CACHE_DIR": str(tmp_path / "uv")})
    assert ended.code == 1
    assert "its SHA-256 differs" in ended.err
    assert list(work.iterdir()) == []


def test_offline_with_an_empty_cache_says_what_to_do(tool: Tool, tiny, tmp_path: Path) -> None:
    variables = {"TFSETUP_PROFILES": tiny["TFSETUP_PROFILES"], "UV_CACHE_DIR": str(tmp_path / "uv")}
    ended = tool("apply", "--yes", "--offline", **variables)
    assert ended.code == 1
    assert "the network was forbidden" in ended.err
    assert "run once without --offline" in ended.err


def test_verify_says_what_an_environment_cannot_do(tool: Tool, tiny, work: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good_environment(shared, work / "tf-env", monkeypatch)
    before = snapshot(work)
    ended = tool("verify", "--json", **tiny)
    assert ended.code == 14
    assert ended.json["schema"] == "tfsetup/verify/1"
    assert ended.json["passed"] is False
    assert ended.json["findings"]
    assert snapshot(work) == before, "it only reads"
    assert "Result: failed" in tool("verify", **tiny).out


def test_a_listener_that_goes_away_does_not_stop_the_work(tool: Tool, tiny, work: Path) -> None:
    """With stderr closed the plan is still carried out to its end, here a proof that fails."""
    with tool.start("apply", "--yes", **tiny) as process:
        process.stderr.close()
        out = process.stdout.read()
        process.wait(30)
    assert process.returncode == 14, out
    assert list(work.iterdir()) == []
