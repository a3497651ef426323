"""``tfsetup run``: the command's own streams and exit code; one that fails is explained."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import Inside, Tool
from tests.cli.terminal import on_terminal


@pytest.fixture
def env(work: Path) -> Path:
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(work / "tf-env")], check=True)
    return work / "tf-env"


def test_the_command_runs_with_its_own_options_streams_and_code(tool: Tool, env: Path) -> None:
    script = "import sys; print(sys.prefix, sys.argv[1:]); print('words', file=sys.stderr); sys.exit(7)"
    for sign in ((), ("--",)):
        ended = tool("run", "-e", "tf-env", *sign, "python", "-c", script, "--env", "x", "-v", "--json")
        assert (ended.code, ended.err) == (7, "words\n")
        assert ended.out == f"{env} ['--env', 'x', '-v', '--json']\n"


def test_one_that_fails_for_a_known_reason_is_explained(tool: Tool, env: Path) -> None:
    script = "raise ImportError('libcudnn.so.8: cannot open shared object file: No such file or directory')"
    ended = tool("run", "--env", "tf-env", "--", "python", "-c", script)
    assert ended.code == 1
    assert ended.err.index("Traceback") < ended.err.index("cudnn-missing")
    assert f"$ {env}/bin/python " in ended.err or "conda install" in ended.err
    crash = tool("run", "--env", "tf-env", "--", "python", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert crash.code == 132
    assert "cpu-no-avx" in crash.err
    quiet = tool("run", "--env", "tf-env", "-q", "--", "python", "-c", script)
    assert "cudnn-missing" not in quiet.err
    # What nobody knows, or what went well, gets no word.
    assert tool("run", "--env", "tf-env", "--", "python", "-c", "raise SystemExit('no')").err == "no\n"
    assert tool("run", "--env", "tf-env", "--", "python", "-c", f"import sys; print({script[18:-1]!r}, file=sys.stderr)").code == 0


def test_on_a_terminal_it_has_one(tool: Tool, env: Path) -> None:
    ended = on_terminal(
        tool, b"", "run", "--env", "tf-env", "--", "python", "-c", "import sys; print(sys.stderr.isatty(), file=sys.stderr)"
    )
    assert (ended.code, ended.err) == (0, "True\r\n")


def test_a_signal_ends_the_command_and_is_told_as_a_shell_does(tool: Tool, env: Path) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert tool("run", "--env", "tf-env", "--", "python", "-c", script).code == 137
    ready = "import sys, time; print('ready', flush=True); time.sleep(600)"
    with tool.start("run", "--env", "tf-env", "--", "python", "-c", ready) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        # The pipes end where the command has ended, too: it would sleep for longer than this waits.
        process.communicate(timeout=120)
    assert process.returncode == 130


def test_what_is_not_there_is_told(inside: Inside, tool: Tool, env: Path) -> None:
    ended = tool("run", "--env", "tf-env", "--", "no-such-program")
    assert (ended.code, ended.out) == (2, "")
    assert "no-such-program: cannot be started: No such file or directory" in ended.err
    assert inside("run", "--env", "none", "x").code == 2
    assert inside("run").code == 2
