"""The entry point: answers ``--version`` before anything heavy is imported, and turns every error into words and an exit code."""

from __future__ import annotations

import contextlib
import gc
import os
import sys

from provisioner import __version__


def main() -> None:
    """Run the command line and exit with a code of the contract."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"tfsetup {__version__}")  # noqa: T201 - nothing else is imported yet
        return
    # A command lives for moments and leaves no cycles worth finding; looking for them costs a twentieth of `tfsetup plan`.
    gc.disable()
    from provisioner.cli import run  # noqa: PLC0415 - 60 ms that --version does not need

    code = run(sys.argv[1:])
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    # Taking the interpreter apart costs another eighth, and nothing is left to be done.
    os._exit(code)


if __name__ == "__main__":
    main()
