"""Many command lines of the tool in one process, on whichever system starts it: what is asked comes as JSON lines, and so do the answers.

A line in is ``{"argv": […], "stdin": "…"}``; a line out has the exit code and what went to stdout and to stderr. All of them find the clock at one
moment. The tool is the one that is installed into the Python that runs this.
"""

from __future__ import annotations

import io
import json
import sys
from datetime import datetime, timezone
from typing import Any

from provisioner.cli import run_command
from provisioner.host.reading import LocalReader


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Run one command line as if it were the only one; raises nothing but what is a bug."""
    real = sys.stdin, sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(asked.get("stdin", "").encode()), encoding="utf-8")
    sys.stdout, sys.stderr = io.TextIOWrapper(out, encoding="utf-8"), io.TextIOWrapper(err, encoding="utf-8")
    try:
        code = run_command(asked["argv"])
        sys.stdout.flush()
        sys.stderr.flush()
        return {"code": code, "out": out.getvalue().decode(), "err": err.getvalue().decode()}
    finally:
        sys.stdin, sys.stdout, sys.stderr = real


def main() -> None:
    """Answer each line of stdin with one of stdout, in ASCII: the console between may have any encoding."""
    sys.argv[0] = "tfsetup-many"
    # A plan tells when it was made.
    LocalReader.now = lambda _self: datetime(2026, 1, 1, tzinfo=timezone.utc)  # type: ignore[method-assign]
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
