"""The folder for what is passing: where a proof works, and is gone afterwards."""

from __future__ import annotations

from provisioner.errors import OperationError
from provisioner.host import Reader, files
from provisioner.model.record import record

# A proof with TensorFlow 2.21 takes under 1 MB and about 40 files; with room to spare.
NEEDED_BYTES, NEEDED_FILES = 8 << 20, 128
# In the order of Python's ``tempfile.gettempdir``, which what is started there would take, too.
_VARIABLES = ("TMPDIR", "TEMP", "TMP")
_USUAL = ("/tmp", "/var/tmp")  # noqa: S108 - a folder of a random name is made in it


@record
class Passing:
    """The ``folder`` (links followed; "" where none will do), and why others that come before it will not, a sentence each."""

    folder: str
    passed_over: tuple[str, ...]


def look(reader: Reader) -> Passing:
    """Take the first folder that will do; the working folder is the last resort."""
    over: list[str] = []
    for name, path in _candidates(reader):
        why = _why_not(reader, path)
        if not why:
            return Passing(folder=files.real(reader, path), passed_over=tuple(over))
        over.append(f"{name + ' is ' if name else ''}{path}, which {why}")
    return Passing(folder="", passed_over=tuple(over))


def usual(reader: Reader) -> str:
    """Return the folder in which programs put what is passing, whether or not it will do."""
    return _candidates(reader)[0][1]


def folder_for(reader: Reader) -> str:
    """Return the folder; raises ``OperationError`` where none will do."""
    found = look(reader)
    if not found.folder:
        raise none_will_do(found)
    return found.folder


def none_will_do(found: Passing) -> OperationError:
    """Say that there is no folder for what is passing, and why."""
    return OperationError(
        f"there is no folder for what is passing: {'; '.join(found.passed_over)}",
        hint="name one that you may write, with 8 MB free, in the variable TMPDIR",
        cause="disk-full" if any("has no room" in why for why in found.passed_over) else "permission-denied",
    )


def _candidates(reader: Reader) -> list[tuple[str, str]]:
    named = [(name, reader.env.get(name, "")) for name in _VARIABLES]
    usual = [] if reader.platform == "win32" else [("", path) for path in _USUAL]
    return [(name, path) for name, path in [*named, *usual, ("", reader.cwd)] if path]


def _why_not(reader: Reader, path: str) -> str:
    real = files.real(reader, path)
    entry = files.entry(reader, real)
    if entry is None or entry.kind != "directory":
        return "is no folder" if entry is not None else "is not there"
    if not reader.writable(real):
        return "cannot be written"
    try:
        space = reader.space(real)
    except OSError as error:
        return f"cannot be asked ({files.reason(error)})"
    full = space.free < NEEDED_BYTES or 0 <= space.inodes < NEEDED_FILES
    return "has no room" if full else ""
