"""Programs on Windows: where a name leads, how variables are spelt for one, and one that a person works with.

Sources: Microsoft's documentation, "CreateProcessW" (a name is looked for beside this process's own program and on its PATH, not on the PATH that
the new one is given) and "CTRL+C and CTRL+BREAK Signals" (all that work in a console are told).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from provisioner.base.paths import slashed, spelt
from provisioner.host.processes import deaf_to_interrupts

# For the last words of a program that has ended.
LAST_WORDS_SECONDS = 1.0


def become(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a program to its end and return its exit code; Ctrl-C is for it alone, which a shell outlives."""
    with deaf_to_interrupts():
        return subprocess.run([spelt(word) for word in argv], env=variables_of(env), check=False).returncode


def attend(argv: Sequence[str], env: Mapping[str, str], keep: int) -> tuple[int, bytes]:
    """As ``become``, and return the last ``keep`` bytes of its stderr, too; a name is looked for on the PATH of ``env``."""
    variables = variables_of(env)
    program = argv[0] if re.search(r"[/\\]", argv[0]) else found(argv[0], variables)
    if program is None:
        raise FileNotFoundError(errno.ENOENT, "it is not on PATH", argv[0])
    said: list[bytes] = [b""]
    with deaf_to_interrupts():
        # What the program leaves running may keep the pipe open, so it is neither read to its end nor closed.
        process = subprocess.Popen([spelt(program), *argv[1:]], env=variables, stderr=subprocess.PIPE)
        copying = threading.Thread(target=_copy, args=(process.stderr, said, keep), daemon=True)
        copying.start()
        code = process.wait()
        copying.join(LAST_WORDS_SECONDS)
    return code, said[0]


def variables_of(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables as programs there know them: paths with backslashes."""
    return {name: each(value, spelt) for name, value in env.items()}


def found(name: str, env: Mapping[str, str]) -> str | None:
    """Return the first program of that name in an absolute folder of PATH, with one of the endings of PATHEXT."""
    endings = env.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").lower().split(";")
    for folder in env.get("PATH", "").split(";"):
        if not os.path.isabs(folder):
            continue
        for ending in ["", *endings] if "." in name else endings:
            path = os.path.join(folder, name + ending)
            if os.path.isfile(path):
                return slashed(path)
    return None


def shell() -> str:
    """Return the name of the nearest shell among the processes that this one descends from, "" where there is none."""
    import shellingham  # noqa: PLC0415 - only where a command differs between shells

    try:
        return str(shellingham.detect_shell()[0])
    except (shellingham.ShellDetectionFailure, OSError):
        return ""


def each(value: str, turn: Callable[[str], str]) -> str:
    r"""Turn each path of a list that ``;`` parts: what begins with a drive, or with ``\\``."""
    return ";".join(turn(part) if part[1:3] in {":\\", ":/"} or part.startswith("\\\\") else part for part in value.split(";"))


def _copy(stream: IO[bytes], said: list[bytes], keep: int) -> None:
    """Show what comes at once, and keep the end of it."""
    with stream:
        while chunk := stream.read1(1 << 16):  # type: ignore[attr-defined]  # typeshed: IO has none
            said[0] = (said[0] + chunk)[-keep:]
            with contextlib.suppress(OSError):
                os.write(2, chunk)
