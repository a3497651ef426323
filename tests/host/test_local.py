"""The one real implementation of the port: files, locks, signals, and the rest of the machine."""

from __future__ import annotations

import fcntl
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

from provisioner.host import PRIVATE
from provisioner.host.local import LocalHost
from provisioner.host.reading import HASHED_AT_ONCE

HOST = LocalHost()
PYTHON = sys.executable


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


def test_whether_a_lock_is_held_is_asked_without_making_or_holding_it(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert not HOST.held(path)
    assert not Path(path).exists()
    with HOST.lock(path, wait=0):
        assert HOST.held(path)
    assert not HOST.held(path)
    # Two who ask at once are none who hold it.
    asking = os.open(path, os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    assert not HOST.held(path)
    os.close(asking)
    assert not HOST.held(str(tmp_path))


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
