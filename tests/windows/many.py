"""Many command lines of the tool in one process, on whichever system starts it: what is asked comes as JSON lines, and so do the answers.

A line in is ``{"argv": […], "stdin": "…", "paused": …}``; a line out has the exit code and what went to stdout and to stderr. All of them find the
clock at one moment. A ``paused`` one waits before each effect on files: a line ``{"at": 7, "effect": "replace", "path": "…"}`` comes out, and the
next line in lets it go on, if it is empty; else it is the error of Windows (``32``) that the effect fails with. One with ``dies_after`` (seconds)
ends the process at that time, as another one would. The tool is the one that is
installed into the Python that runs this.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

from provisioner.cli import run_command
from provisioner.host.reading import LocalReader

IN, OUT = sys.stdin, sys.stdout
EFFECTS = ("replace", "rename", "unlink", "remove", "rmdir", "mkdir")


def tell(said: dict[str, Any]) -> None:
    """Write a line, in ASCII: the console between may have any encoding."""
    OUT.write(json.dumps(said) + "\n")
    OUT.flush()


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Wait before each effect."""
    count = 0

    def waiting(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def effect(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            tell({"at": count, "effect": name, "path": str(args[0]).replace("\\", "/")})
            if number := IN.readline().strip():
                raise PermissionError(13, "as on Windows", args[0], int(number))
            return real(*args, **options)

        return effect

    kept = {name: getattr(os, name) for name in EFFECTS}
    try:
        for name, real in kept.items():
            setattr(os, name, waiting(name, real))
        yield
    finally:
        for name, real in kept.items():
            setattr(os, name, real)


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Run one command line as if it were the only one; raises nothing but what is a bug."""
    if after := asked.get("dies_after"):
        threading.Timer(after, os.kill, (os.getpid(), 9)).start()
    out, err = io.BytesIO(), io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(asked.get("stdin", "").encode()), encoding="utf-8")
    sys.stdout, sys.stderr, kept = io.TextIOWrapper(out, encoding="utf-8"), io.TextIOWrapper(err, encoding="utf-8"), sys.stderr
    try:
        with paused() if asked.get("paused") else contextlib.nullcontext():
            code = run_command(asked["argv"])
        sys.stdout.flush()
        sys.stderr.flush()
        return {"code": code, "out": out.getvalue().decode(), "err": err.getvalue().decode()}
    finally:
        sys.stdin, sys.stdout, sys.stderr = IN, OUT, kept


def main() -> None:
    """Answer each line of stdin with one of stdout."""
    sys.argv[0] = "tfsetup-many"
    # A plan tells when it was made.
    LocalReader.now = lambda _self: datetime(2026, 1, 1, tzinfo=timezone.utc)  # type: ignore[method-assign]
    while line := IN.readline():
        tell(answer(json.loads(line)))


if __name__ == "__main__":
    main()
