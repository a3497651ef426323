"""How this program is called: texts are written with ``tfsetup``, and a person is shown what they can type."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterable
from functools import cache

from provisioner.base.paths import is_on_drive, joined, spelt, turned

NAME = "tfsetup"
_SCRIPTS = {NAME, f"{NAME}.exe"}
# What ``python -m tfsetup`` puts into ``sys.argv[0]``.
_MODULE = f"{NAME}.py"
# What a person types as it is, a path below the home folder included.
_PLAIN = re.compile(r"[\w@%+=:,./~-]+", re.ASCII)
_PLAIN_THERE = re.compile(r"[\w@+:.\\~-]+")
# The one thing that is set once a run: by the command line, which knows how it was started.
_run: dict[str, str] = {"name": NAME, "words": "", "uv": "uv"}
# On Windows, what says which shell a person types into: it is asked where that makes a difference.
_shell: dict[str, Callable[[], str]] = {}
# A command of ours, or a step, to where it ends; a word in it that is quoted as POSIX shells have it (cmd knows no single quotes); and the program
# that a step begins with.
_COMMAND = re.compile(rf"(?:(?<![\w./-]){NAME} |^ *\$ )[^`\n]*", re.MULTILINE)
# (``shlex.quote``: ``'it'"'"'s'`` is ``it's``)
_QUOTED = re.compile(r"'[^'\"`\n]*'(?:\"'\"'[^'\"`\n]*')*")
_PROGRAM = re.compile(r"(?<=\$ )(?:\"[A-Za-z]:/[^\"]*|[A-Za-z]:/[^\"\s]*)")
# What PowerShell takes in another way than cmd: a program in quotes, which is a text to it; and a variable. Each at the begin of a step or a command.
_BEGIN = r"(?:(?<=^\$ )|(?<= \$ )|(?<=`))"
_QUOTED_PROGRAM = re.compile(rf'{_BEGIN}(?="[^"\n`]+" [^`\n])', re.MULTILINE)
_VALUE, _ENV = re.compile(r"%(\w+)%"), r"$env:\1"
_SET = re.compile(rf"{_BEGIN}set (\w+)=([^`\n]*)", re.MULTILINE)
_POWERSHELLS = {"powershell", "pwsh"}
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
        return program_there(typed)
    if cwd != "/" and path.startswith(f"{cwd}/"):
        inner = path[len(cwd) + 1 :]
        return shlex.quote(inner if "/" in inner else f"./{inner}")
    if home not in {"", "/"} and path.startswith(f"{home}/") and _PLAIN.fullmatch(path):
        return f"~{path[len(home) :]}"
    return shlex.quote(path)


def program_there(typed: str) -> str:
    """Return a program of Windows, spelt with backslashes, as cmd starts it: in quotes where it has a sign that a shell reads (``&``, a blank)."""
    return typed if _PLAIN_THERE.fullmatch(typed) else f'"{typed}"'


def called(name: str, commands: Iterable[str], uv: str = "uv", *, shell: Callable[[], str] | None = None) -> None:
    """Note how this run was started, and the words that follow the name where it is a command and not the tool that is spoken of.

    ``uv`` is what starts the installer that comes along. ``shell`` is given on Windows: it returns the name of the shell there, "" where it is not
    known, and commands are written for cmd then.
    """
    _run["name"], _run["uv"] = name, uv
    _shell.clear()
    if shell is not None:
        _shell["of the person"] = cache(shell)
    _run["words"] = rf"(?<![\w./-]){NAME}(?= (?:--?[a-z]|(?:{'|'.join(map(re.escape, commands))}|COMMAND)\b))"


def for_another_machine() -> None:
    """Note that what is told is typed elsewhere, where the installer lies in another place."""
    _run["uv"] = "uv"


def name() -> str:
    """Return the words that start this program."""
    return _run["name"]


def as_typed(text: str, *, script: bool = False) -> str:
    """Return ``text`` with each command of ours as the person can type it; a ``script`` keeps its quotes, for it says itself which shell reads it."""
    # Functions, so that no backslash of a path is read as a group.
    if _run["uv"] != "uv":
        text = _UV.sub(lambda _found: _run["uv"], text)
    there = bool(_shell) and not script
    if there:
        text = _COMMAND.sub(lambda found: _typed_there(found[0]), text)
    if _run["name"] != NAME:
        text = re.sub(_run["words"], lambda _found: _run["name"], text)
    return _for_powershell(text) if there else text


def _typed_there(command: str) -> str:
    """Return a command as cmd and PowerShell take it."""
    command = _QUOTED.sub(lambda found: _quoted_there("'".join(found[0][1:-1].split("'\"'\"'"))), command)
    return _PROGRAM.sub(lambda found: found[0].replace("/", "\\"), command)


def _quoted_there(word: str) -> str:
    """Return a word in quotes: double ones, which both shells know; single ones in PowerShell where it would put a variable in place of ``$NAME``.

    By Microsoft's documentation, "about_Quoting_Rules": between single quotes everything is as it stands, and two of them are one.
    """
    if "$" in word and _shell["of the person"]() in _POWERSHELLS:
        doubled = word.replace("'", "''")
        return f"'{doubled}'"
    return f'"{word}"'


def _for_powershell(text: str) -> str:
    """Return ``text`` with its commands as PowerShell takes them, where that is the person's shell.

    By Microsoft's documentation: "about_Operators" (the call operator ``&``) and "about_Environment_Variables".
    """
    if not (_QUOTED_PROGRAM.search(text) or _SET.search(text)) or _shell["of the person"]() not in _POWERSHELLS:
        return text
    text = _SET.sub(lambda found: f'$env:{found[1]} = "{_VALUE.sub(_ENV, found[2])}"' if found[2] else f"Remove-Item Env:{found[1]}", text)
    return _QUOTED_PROGRAM.sub("& ", text)
