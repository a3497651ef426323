"""Programs that are run: what they say, time limits, those who watch, and children."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from provisioner.host.local import LocalHost
from tests.host.processes import alive

HOST = LocalHost()
PYTHON = sys.executable


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
    time.sleep(600)
time.sleep(600)
"""


def test_a_time_limit_ends_a_process_and_its_children() -> None:
    """The parent obeys SIGTERM, its child does not: both are gone."""
    done = HOST.run([PYTHON, "-c", STUBBORN.format(session="")], timeout=1)
    assert done.timed_out
    assert not done.ok
    # By themselves they would be there for much longer.
    deadline = time.monotonic() + 60
    while alive(int(done.out)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(int(done.out))


@pytest.mark.slow
def test_a_child_that_left_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One with a session of its own keeps the pipes open."""
    monkeypatch.setattr("provisioner.host.processes.KILL_GRACE_SECONDS", 0.3)
    done = HOST.run([PYTHON, "-c", STUBBORN.format(session="os.setsid()")], timeout=1)
    assert done.timed_out
    assert alive(int(done.out))
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


def test_an_interrupt_ends_the_process(tmp_path: Path) -> None:
    def interrupt(_written: int) -> None:
        raise KeyboardInterrupt

    ended = tmp_path / "ended by itself"
    with pytest.raises(KeyboardInterrupt):
        HOST.run([PYTHON, "-c", f"import time; time.sleep(30); open({str(ended)!r}, 'w')"], watch=interrupt)
    assert not ended.exists()
