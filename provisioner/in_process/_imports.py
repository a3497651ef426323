"""Runs inside the target interpreter: imports modules one after the other, and writes what became of each.

Standard library only; parses on Python 3.6. ``PYTHON _imports.py OUT MARK SECONDS NAME…``: each line of OUT is ``MARK {json}``, written as
soon as it is known, so that a crash or a hang belongs to the module that was being imported. An import that takes longer than SECONDS ends the
process by SIGALRM.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Python puts the script's folder first on its path; our module names must not hide the environment's.
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
sys.dont_write_bytecode = True

import importlib  # noqa: E402 - after the path is clean
import json  # noqa: E402
import signal  # noqa: E402


def _fetch(name: str) -> object:
    """Import a module, or take something out of one (``package.module.Class``)."""
    try:
        return importlib.import_module(name)
    except ImportError as fault:
        parent, _, last = name.rpartition(".")
        # A module that is there and needs another one fails for itself.
        if not parent or fault.name != name:
            raise
        holder = _fetch(parent)
        if not hasattr(holder, last):
            raise
        return getattr(holder, last)


def main(out: str, mark: str, seconds: str, *names: str) -> None:
    """Import and record."""
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(**event: str) -> None:
        os.write(handle, f"{mark} {json.dumps(event)}\n".encode("ascii", "backslashreplace"))

    for name in names:
        write(event="importing", module=name)
        if hasattr(signal, "alarm"):
            signal.alarm(int(seconds))
        error = ""
        try:
            _fetch(name)
        except BaseException as fault:  # noqa: BLE001 - whatever a broken package raises is the result
            error = f"{type(fault).__name__}: {fault}"[:500]
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        write(event="imported", module=name, error=error)
    # What a package has begun must not keep the process from ending.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
