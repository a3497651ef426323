"""The command line with a terminal before it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Sequence

from tests.cli.support import Ended, Tool

QUESTION = b"[y/N]"


def on_terminal(tool: Tool, answer: bytes, *args: str, **env: str) -> Ended:
    """Run with a terminal for stdin and stderr; type ``answer`` when the one question comes."""
    ended, asked = answering(tool, [answer], *args, **env)
    assert asked <= 1, f"it asks again: {ended.err!r}"
    return ended


def answering(tool: Tool, answers: Sequence[bytes], *args: str, question: bytes = QUESTION, **env: str) -> tuple[Ended, int]:
    """Run with a terminal for stdin and stderr, answer each question in turn (then with no), and return how often it asked.

    ``question`` is how each of them is known.
    """
    leader, follower = pty.openpty()
    command = [*tool.argv, *args]
    with subprocess.Popen(
        command, cwd=tool.cwd, env={**tool.env, "TERM": "xterm", **env}, stdin=follower, stdout=subprocess.PIPE, stderr=follower,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(follower)
        said, asked = b"", 0
        while True:
            ready, _, _ = select.select([leader], [], [], 60)
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
            if said.count(question) > asked:
                os.write(leader, answers[asked] if asked < len(answers) else b"n\n")
                asked += 1
        out = process.stdout.read()
    os.close(leader)
    return Ended(process.returncode, out.decode(), said.decode(errors="replace")), asked
