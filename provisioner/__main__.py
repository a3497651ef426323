"""The entry point: answers ``--version`` before anything heavy is imported, and turns every error into words and an exit code."""

from __future__ import annotations

# What somebody put on the module path is to be examined, not to be run by: the first imports wait.
# ruff: noqa: E402
import _signal  # type: ignore[import-not-found]  # typeshed knows only `signal`
import os
import sys

INTERRUPTED = 130


def _end_quietly(_number: int, _frame: object) -> None:
    """End on Ctrl-C while nothing has begun: there is nothing to take back and nothing to say."""
    os._exit(INTERRUPTED)


# `_signal`, because `signal` costs as much as all that is imported until the version is told. What ``nohup`` ignores stays ignored.
if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _end_quietly)


def _own_modules_first() -> None:
    """Move what PYTHONPATH and the working folder bring behind the standard library and what is installed; our own folder stays in front."""
    own = os.path.dirname(os.path.dirname(_absolute(__file__)))
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]  # noqa: TID251 - before there is a host
    strange = {_absolute(entry) for entry in (*given, os.curdir)} - {own}
    sys.path.sort(key=lambda entry: _absolute(entry) in strange)


def _absolute(entry: str) -> str:
    """Return the absolute path, or the path itself where the working folder is gone."""
    try:
        return os.path.abspath(entry)
    except FileNotFoundError:
        return entry


_own_modules_first()

import contextlib
import gc

from provisioner import __version__


def main() -> None:
    """Run the command line and exit with a code of the contract."""
    if sys.argv[1:] in (["--version"], ["-V"], ["version"]):
        print(f"tfsetup {__version__}")  # noqa: T201 - nothing else is imported yet
        return
    # A command lives for moments and leaves no cycles worth finding; looking for them costs a twentieth of `tfsetup plan`.
    gc.disable()
    from provisioner.cli import run_command  # noqa: PLC0415 - 60 ms that --version does not need

    try:
        if _signal.getsignal(_signal.SIGINT) is _end_quietly:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        code = run_command(sys.argv[1:])
    except KeyboardInterrupt:
        # Before the command line listened, or after it had told all.
        code = INTERRUPTED
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    # Taking the interpreter apart costs another eighth, and nothing is left to be done.
    os._exit(code)


if __name__ == "__main__":
    main()
