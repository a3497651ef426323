"""The command line with a terminal before it."""

from __future__ import annotations

import os
import pty
import select
import subprocess

from tests.cli.support import Ended, Tool


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
