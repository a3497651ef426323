"""The one real implementation of the port: processes and their children, files, locks, signals."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.host import PRIVATE, helper
from provisioner.host.local import LocalHost
from provisioner.host.reading import HASHED_AT_ONCE

HOST = LocalHost()
PYTHON = sys.executable


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"


def test_run_gives_output_code_and_time() -> None:
    done = HOST.run([PYTHON, "-c", "import sys; print('ü', sys.stdin.read()); print('e', file=sys.stderr); sys.exit(3)"], stdin="in")
    assert (done.code, done.out, done.err, done.ok, done.timed_out) == (3, "ü in\n", "e\n", False, False)
    assert done.seconds > 0


def test_run_replaces_the_environment_and_survives_any_bytes(tmp_path: Path) -> None:
    done = HOST.run(
        [PYTHON, "-c", "import os,sys; sys.stdout.buffer.write(b'\\xff' + os.environb[b'A']); print(os.getcwd())"],
        env={"A": "1"},
        cwd=str(tmp_path),
    )
    assert done.out == f"\\xff1{tmp_path}\n"


def test_a_signal_is_a_negative_code() -> None:
    assert HOST.run([PYTHON, "-c", "import os; os.kill(os.getpid(), 11)"]).code == -11


def test_what_cannot_be_started_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileNotFoundError):
        HOST.run(["/no/such/program"])
    with pytest.raises(PermissionError):
        HOST.run([str(tmp_path / "file")])


STUBBORN = """
import os, signal, sys, time
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    {session}
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""


def test_a_time_limit_ends_a_process_and_its_children() -> None:
    """The parent obeys SIGTERM, its child does not: both are gone."""
    started = time.monotonic()
    done = HOST.run([PYTHON, "-c", STUBBORN.format(session="")], timeout=1)
    assert done.timed_out
    assert not done.ok
    assert time.monotonic() - started < 10
    deadline = time.monotonic() + 5
    while alive(int(done.out)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(int(done.out))


@pytest.mark.slow
def test_a_child_that_left_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One with a session of its own keeps the pipes open."""
    monkeypatch.setattr("provisioner.host.processes.KILL_GRACE_SECONDS", 0.3)
    started = time.monotonic()
    done = HOST.run([PYTHON, "-c", STUBBORN.format(session="os.setsid()")], timeout=1)
    assert done.timed_out
    assert time.monotonic() - started < 10
    os.kill(int(done.out), signal.SIGKILL)


@pytest.mark.slow
def test_a_watcher_hears_of_the_bytes_that_are_written(tmp_path: Path) -> None:
    heard: list[int] = []
    script = (
        f"import time; f = open({str(tmp_path / 'f')!r}, 'wb', buffering=0); [(f.write(b'x' * 100000), time.sleep(0.1)) for _ in range(10)]"
    )
    assert HOST.run([PYTHON, "-c", script], watch=heard.append).ok
    assert heard == sorted(heard)
    assert heard[-1] > 100_000


def test_a_watched_process_has_its_time_limit_too() -> None:
    done = HOST.run([PYTHON, "-c", "import time; time.sleep(30)"], timeout=0.5, watch=lambda _written: None)
    assert done.timed_out


def test_an_interrupt_ends_the_process() -> None:
    def interrupt(_written: int) -> None:
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        HOST.run([PYTHON, "-c", "import time; time.sleep(30)"], watch=interrupt)
    assert time.monotonic() - started < 10


def test_writing_replaces_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    inode = path.stat().st_ino
    HOST.write(str(path), "nëw\udcff", durable=True)
    assert path.read_bytes() == "nëw".encode() + b"\xff"
    assert path.stat().st_ino != inode
    assert path.stat().st_mode & 0o777 == 0o644
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        HOST.write(str(path), "\ud800")
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]
    with pytest.raises(FileNotFoundError):
        HOST.write(str(tmp_path / "no" / "file"), "")


def test_reading_a_part_a_pipe_and_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc\xff")
    path = str(tmp_path / "file")
    assert HOST.read_bytes(path, 2, 1) == b"bc"
    assert HOST.read_text(path) == "abc\udcff"
    os.mkfifo(tmp_path / "pipe")
    assert HOST.read_bytes(str(tmp_path / "pipe")) == b"", "nobody writes"
    with subprocess.Popen([PYTHON, "-c", f"import time; f = open({str(tmp_path / 'pipe')!r}, 'w'); time.sleep(0.3); f.write('late')"]):
        deadline = time.monotonic() + 10
        text = ""
        while not text and time.monotonic() < deadline:
            text = HOST.read_text(str(tmp_path / "pipe"))
    assert text == "late"
    assert HOST.sha256(path) == hashlib.sha256(b"abc\xff").hexdigest()


@pytest.mark.parametrize("more", [-1, 0, 1, HASHED_AT_ONCE])
def test_files_of_any_length_are_hashed(tmp_path: Path, more: int) -> None:
    content = random.Random(more).randbytes(HASHED_AT_ONCE + more)
    (tmp_path / "file").write_bytes(content)
    assert HOST.sha256(str(tmp_path / "file")) == hashlib.sha256(content).hexdigest()


def test_entries_and_walks_follow_no_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("xy")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = {
        os.path.relpath(entry.path, tmp_path): (entry.kind, entry.size if entry.kind == "file" else 0) for entry in HOST.walk(str(tmp_path))
    }
    assert found == {
        "dangling": ("link", 0),
        "folder": ("directory", 0),
        "folder/file": ("file", 2),
        "link": ("link", 0),
        "pipe": ("other", 0),
    }
    assert HOST.exists(str(tmp_path / "dangling"))
    assert HOST.read_link(str(tmp_path / "link")) == "folder"
    assert HOST.real(str(tmp_path / "link" / "file")) == str(tmp_path / "folder" / "file")


def test_removing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("")
    (tmp_path / "link").symlink_to("kept")
    HOST.remove(str(tmp_path / "link"))
    HOST.remove(str(tmp_path / "folder"))
    with pytest.raises(OSError, match="not empty"):
        HOST.remove(str(tmp_path / "kept"))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to("../kept")
    HOST.remove_tree(str(tmp_path / "tree"))
    HOST.remove_tree(str(tmp_path / "tree"))
    assert (tmp_path / "kept" / "file").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_until_the_shielded_block_is_left(number: int) -> None:
    heard: list[int] = []
    before = signal.signal(number, lambda received, _frame: heard.append(received))
    try:
        with HOST.shielded():
            os.kill(os.getpid(), number)
            time.sleep(0.01)
            assert heard == []
        assert heard == [number]
        assert signal.getsignal(number) is not before
    finally:
        signal.signal(number, before)


def test_a_lock_has_one_holder_and_ends_with_its_process(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    script = (
        f"from provisioner.host.local import LocalHost\nwith LocalHost().lock({path!r}, wait=0):\n    print('held', flush=True); input()"
    )
    with subprocess.Popen([PYTHON, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError), HOST.lock(path, wait=0.2):
            pass
        threading.Timer(0.3, other.kill).start()
        with HOST.lock(path, wait=10):
            other.wait(5)
        with HOST.lock(path, wait=0):
            pass


@pytest.mark.slow
def test_a_lock_outlives_its_holder_in_the_programs_it_started(tmp_path: Path) -> None:
    """Should the tool be killed, its installer still writes; nobody else may begin."""
    path = str(tmp_path / "lock")
    script = (
        f"import os\nfrom provisioner.host.local import LocalHost\nhost = LocalHost()\nwith host.lock({path!r}, wait=0):\n"
        f"    host.run(['/bin/sh', '-c', 'kill -9 $PPID; sleep 1'])"
    )
    subprocess.run([PYTHON, "-c", script], check=False)
    with pytest.raises(BlockingIOError), HOST.lock(path, wait=0):
        pass
    with HOST.lock(path, wait=10):
        pass


def test_a_lock_whose_file_was_removed_is_taken_anew(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with HOST.lock(str(path), wait=0):
        path.unlink()
        with HOST.lock(str(path), wait=0):
            assert path.exists()


def test_the_rest_of_the_machine(tmp_path: Path) -> None:
    assert HOST.space(str(tmp_path)).free > 0
    assert HOST.writable(str(tmp_path))
    assert HOST.which("sh")
    assert HOST.which("no-such-program") is None
    assert HOST.now().tzinfo is not None
    assert HOST.glob(f"{tmp_path}/*") == ()


# Answers each line with its own number, the line, how many locks came along, and, when asked, what a test wants to see.
ANSWERS = """
import os, socket, sys, time
control = socket.socket(fileno=int(sys.argv[1]))
for line in sys.stdin:
    locks = socket.recv_fds(control, 1, 16)[1]
    word = line.strip()
    if word == "sleep":
        time.sleep(60)
    if word == "crash":
        sys.stderr.write("it crashed")
        sys.stderr.flush()
        os.abort()
    if word == "end":
        sys.stdout.write("the last answer")
        sys.exit(3)
    for lock in locks:
        os.close(lock)
    print(os.getpid(), word * 100_000 if word == "long" else word, len(locks), flush=True)
"""


def ask(request: str, timeout: float = 30, **env: str):
    return LocalHost().ask([sys.executable, "-c", ANSWERS], request, env={"PATH": "/usr/bin", **env}, timeout=timeout)


@pytest.fixture
def let_go():
    yield
    helper._let_go()


@pytest.mark.usefixtures("let_go")
class TestAsk:
    def test_the_same_program_answers_again(self):
        first, second = ask("one"), ask("two")
        assert (first.code, first.out.split()[1:], second.out.split()[1:]) == (0, ["one", "0"], ["two", "0"])
        assert first.out.split()[0] == second.out.split()[0]

    def test_another_environment_is_another_program_and_the_first_one_ends(self):
        first, second = int(ask("one").out.split()[0]), int(ask("one", X="1").out.split()[0])
        assert first != second
        assert not alive(first)

    def test_long_answers_and_requests(self):
        assert len(ask("long").out) > 400_000
        assert ask("x" * 300_000).out.split()[1] == "x" * 300_000

    def test_one_that_crashes_says_how_and_the_next_one_is_another(self):
        done = ask("crash")
        assert (done.code, done.out, done.err) == (-signal.SIGABRT, "", "it crashed")
        assert ask("one").out.split()[1] == "one"

    def test_an_answer_may_be_the_last(self):
        done = ask("end")
        assert (done.code, done.out) == (3, "the last answer")
        assert ask("one").code == 0

    def test_one_that_takes_too_long_is_ended(self):
        pid = int(ask("one").out.split()[0])
        assert ask("sleep", timeout=0.2).timed_out
        assert not alive(pid)

    def test_locks_are_kept_while_it_works_and_no_longer(self, tmp_path):
        host = LocalHost()
        with host.lock(str(tmp_path / "lock"), wait=0):
            assert ask("one").out.split()[2] == "1"
        with host.lock(str(tmp_path / "lock"), wait=0):
            pass

    def test_it_ends_with_who_asked(self):
        program = f"""
import os, sys
from provisioner.host.local import LocalHost
from provisioner.host.reading import HASHED_AT_ONCE
print(LocalHost().ask([sys.executable, "-c", {ANSWERS!r}], "one", env={{}}, timeout=30).out.split()[0], flush=True)
os.kill(os.getpid(), 9)
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
        pid = int(done.stdout)
        for _ in range(100):
            if not alive(pid):
                break
            time.sleep(0.05)
        assert not alive(pid), "it still waits for questions"


@pytest.fixture
def masked() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("masked")
def test_the_umask_is_honoured(tmp_path: Path) -> None:
    """S13: files were readable by everybody, whatever the person had set."""
    HOST.write(str(tmp_path / "new"), "x")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    (tmp_path / "own").write_text("x")
    (tmp_path / "own").chmod(0o640)
    HOST.write(str(tmp_path / "own"), "y")
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o640
    HOST.write(str(tmp_path / "given"), "x", mode=0o755)
    assert (tmp_path / "given").stat().st_mode & 0o777 == 0o755


def test_what_is_private_is_so_for_everybody_else(tmp_path: Path) -> None:
    (tmp_path / "plan").write_text("x")
    (tmp_path / "plan").chmod(0o666)
    HOST.write(str(tmp_path / "plan"), "y", mode=PRIVATE)
    assert (tmp_path / "plan").stat().st_mode & 0o777 == 0o600
    HOST.write(str(tmp_path / "other"), "y")
    assert (tmp_path / "other").stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "plan"]


def test_asking_for_a_rename_moves_nothing(tmp_path: Path) -> None:
    held, folder = tmp_path / "held", tmp_path / "folder"
    (held / "something").mkdir(parents=True)
    (folder / "inner").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    assert LocalHost().would_rename(str(folder), str(held))
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(FileNotFoundError):
        LocalHost().would_rename(str(tmp_path / "missing"), str(held))


def test_a_folder_is_settled_without_following_a_link(tmp_path: Path) -> None:
    folder, link = tmp_path / "in" / "folder", tmp_path / "in" / "link"
    folder.mkdir(parents=True)
    (tmp_path / "out").mkdir(mode=0o755)
    link.symlink_to(tmp_path / "out")
    found = folder.stat()
    what = {"mode": 0o2750, "mtime": 10**18, "owner": found.st_uid, "group": found.st_gid, "inside": str(tmp_path)}
    LocalHost().settle(str(folder), **what)
    assert (folder.stat().st_mode & 0o7777, folder.stat().st_mtime_ns) == (0o2750, 10**18)
    with pytest.raises(OSError, match="directory"):
        LocalHost().settle(str(link), **what)
    assert (tmp_path / "out").stat().st_mode & 0o7777 == 0o755


def test_copies_have_modes_times_and_links(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("x")
    (source / "file").chmod(0o640)
    os.utime(source / "file", ns=(5, 10**18 + 7))
    (source / "link").symlink_to("nowhere")
    LocalHost().copy(str(source), str(tmp_path / "copy"))
    LocalHost().copy(str(source / "link"), str(tmp_path / "alone"))
    copy = tmp_path / "copy" / "file"
    assert (copy.read_text(), copy.stat().st_mode & 0o777, copy.stat().st_mtime_ns) == ("x", 0o640, 10**18 + 7)
    assert (tmp_path / "copy" / "link").readlink() == (tmp_path / "alone").readlink() == Path("nowhere")
