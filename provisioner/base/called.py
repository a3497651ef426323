"""How this program is called: texts are written with ``tfsetup``, and a person is shown what they can type."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable

from provisioner.base.paths import is_on_drive, joined, spelt, turned

NAME = "tfsetup"
_SCRIPTS = {NAME, f"{NAME}.exe"}
# What ``python -m tfsetup`` puts into ``sys.argv[0]``.
_MODULE = f"{NAME}.py"
# What a person types as it is, a path below the home folder included.
_PLAIN = re.compile(r"[\w@%+=:,./~-]+", re.ASCII)
_PLAIN_THERE = re.compile(r"[\w@+:.\\~-]+", re.ASCII)
# The one thing that is set once a run: by the command line, which knows how it was started.
_run: dict[str, str] = {"name": NAME, "words": "", "uv": "uv", "windows": ""}
# A command of ours, or a step, to where it ends; a word in it that is quoted as POSIX shells have it (cmd knows no single quotes); and the program
# that a step begins with.
_COMMAND = re.compile(rf"(?:(?<![\w./-]){NAME} |^ *\$ )[^`\n]*", re.MULTILINE)
_QUOTED = re.compile(r"'([^'\"`\n]*)'")
_PROGRAM = re.compile(r"(?<=\$ )\"?[A-Za-z]:/[^\"\s]*")
# The one command of another program that hints name: uv comes with tfsetup, and need not be on PATH.
_UV = re.compile(r"(?<=`)uv(?= python install )")


def name_of(argv0: str, *, python: str, on_path: str, cwd: str, home: str) -> str:
    """Return the words that start this program again from a shell in ``cwd``.

    ``argv0`` is ``sys.argv[0]`` (absolute or relative to ``cwd``), ``python`` the interpreter, ``on_path`` what a shell starts as ``tfsetup`` (""
    for nothing); all with links as they are. Whatever else runs this code, a test for one, is shown the plain name.
    """
    argv0 = turned(argv0)
    if posixpath.basename(argv0) == _MODULE:
        return f"{short(python, cwd, home)} -m {NAME}"
    if posixpath.basename(argv0) not in _SCRIPTS:
        return NAME
    path = joined(cwd, argv0)
    return NAME if path in {on_path, on_path.removesuffix(".exe")} else short(path, cwd, home)


def short(path: str, cwd: str, home: str) -> str:
    """Return a path as one would type it: from the working folder, from the home folder, or in full.

    On Windows with backslashes, for cmd takes ``/`` for an option's sign, and without ``~``, which it does not know.
    """
    if is_on_drive(path):
        inner = path[len(cwd) + 1 :] if path.startswith(f"{cwd}/") else ""
        typed = spelt(path) if not inner else ".\\" + inner.replace("/", "\\")
        return typed if _PLAIN_THERE.fullmatch(typed) else f'"{typed}"'
    if cwd != "/" and path.startswith(f"{cwd}/"):
        inner = path[len(cwd) + 1 :]
        return shlex.quote(inner if "/" in inner else f"./{inner}")
    if home not in {"", "/"} and path.startswith(f"{home}/") and _PLAIN.fullmatch(path):
        return f"~{path[len(home) :]}"
    return shlex.quote(path)


def called(name: str, commands: Iterable[str], uv: str = "uv", *, windows: bool = False) -> None:
    """Note how this run was started, and the words that follow the name where it is a command and not the tool that is spoken of.

    ``uv`` is what starts the installer that comes along; ``windows`` says for which shells commands are written.
    """
    _run["name"], _run["uv"], _run["windows"] = name, uv, "yes" if windows else ""
    _run["words"] = rf"(?<![\w./-]){NAME}(?= (?:--?[a-z]|(?:{'|'.join(map(re.escape, commands))}|COMMAND)\b))"


def name() -> str:
    """Return the words that start this program."""
    return _run["name"]


def as_typed(text: str, *, script: bool = False) -> str:
    """Return ``text`` with each command of ours as the person can type it; a ``script`` keeps its quotes, for it says itself which shell reads it."""
    # Functions, so that no backslash of a path is read as a group.
    if _run["uv"] != "uv":
        text = _UV.sub(lambda _found: _run["uv"], text)
    if _run["windows"] and not script:
        text = _COMMAND.sub(lambda found: _typed_there(found[0]), text)
    if _run["name"] == NAME:
        return text
    return re.sub(_run["words"], lambda _found: _run["name"], text)


def _typed_there(command: str) -> str:
    """Return a command as cmd and PowerShell take it."""
    command = _QUOTED.sub(r'"\1"', command)
    return _PROGRAM.sub(lambda found: found[0].replace("/", "\\"), command)
