"""The entry point: answers ``--version`` before anything heavy is imported, and turns every error into words and an exit code."""

from __future__ import annotations

import sys

from provisioner import __version__


def main() -> None:
    """Run the command line and exit with a code of the contract."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"tfsetup {__version__}")  # noqa: T201 - nothing else is imported yet
        return
    from provisioner.cli import run  # noqa: PLC0415 - 60 ms that --version does not need

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
