"""A program that answers again and again, kept until who asks has ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from provisioner.host import helper
from provisioner.host.local import LocalHost
from tests.host.processes import alive

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
