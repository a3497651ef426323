"""What people type by habit of other tools: each word is answered with the command, or the option, that is meant."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from provisioner.errors import UsageError

# A word of other tools → our command for it, with its option where there is one.
MEANT = {
    "install": "apply", "create": "apply", "setup": "apply", "add": "apply", "new": "apply", "sync": "apply", "up": "apply",
    "upgrade": "apply --upgrade", "update": "apply --upgrade",
    "check": "doctor", "diagnose": "doctor", "examine": "doctor", "repair": "fix", "heal": "fix", "rollback": "undo",
    "uninstall": "undo", "remove": "undo", "revert": "undo", "restore": "undo", "delete": "undo", "destroy": "undo", "test": "verify",
    "prove": "verify", "info": "detect", "facts": "detect", "show": "profiles", "search": "profiles", "releases": "profiles", "freeze": "lock",
    "compile": "lock", "why": "explain", "activate": "shell", "enter": "shell", "environments": "list", "envs": "list", "preview": "plan",
    "schemas": "schema", "env": "status", "ls": "list", "exec": "run", "rm": "undo", "export": "lock", "start": "shell", "catalogue": "profiles",
    "versions": "profiles", "gpu": "detect", "cuda": "detect",
}  # fmt: skip
# An option of other tools → ours.
OPTIONS = {
    "--tf": "--tensorflow", "--tensorflow-version": "--tensorflow", "--python-version": "--python", "--prefix": "--env", "--path": "--env",
    "--name": "--env", "--environment": "--env", "--venv": "--env", "--package": "--with", "--packages": "--with", "--requirement": "--with",
    "--requirements": "--with", "--force": "--yes", "--assume-yes": "--yes", "--non-interactive": "--yes", "--no-network": "--offline",
    "--cuda": "--gpu", "--silent": "--quiet", "--debug": "--verbose", "-v": "--verbose, after a command, or --version",
}  # fmt: skip
# A word that no command of ours answers → what does.
ELSEWHERE = {
    "self": "tfsetup is updated as it was installed: `uv tool upgrade tfsetup`, `pipx upgrade tfsetup`, or a newer clone",
    "clean": "`tfsetup undo` takes an environment away, `uv cache clean` the downloads that all share",
    "cache": "`uv cache dir` says where the downloads lie, `uv cache clean` removes them",
    "config": "settings stand in the tfsetup.yaml of the working folder (`tfsetup init` writes a first one) and in TFSETUP_ variables",
    "bundle": "a lock and uv's cache do for a machine without a network: `tfsetup lock`, then `tfsetup apply --locked --offline` there",
    "fleet": "run `tfsetup apply --locked --yes` on each machine, by what starts commands there",
}
_HELP = "`tfsetup --help` lists the commands, `tfsetup COMMAND --help` their options"
# A requirement, as people name packages: a name, and perhaps versions (PEP 508 in outline).
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z][\w.-]*?)(?:\[[\w,-]*\])?(?P<versions>(?:[=<>!~]=?[^\s]*)?)", re.ASCII)
_RELEASE = re.compile(r"\d[\w.]*", re.ASCII)
# What Typer says of words that nobody takes.
_EXTRA = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)")
# An option that a command takes as a word, with an example.
_AS_A_WORD = {("profiles", "--tensorflow"): "2.15", ("profiles", "-t"): "2.15", ("explain", "--file"): "error.log"}
# Commands that take packages and releases, by option.
_TAKE_PACKAGES = {"plan", "apply"}
_TENSORFLOW = {"tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf"}


def check(asked: str, argv: Sequence[str], commands: Iterable[str]) -> None:
    """Raise ``UsageError`` for a command that is none of ours, with the line that was meant."""
    if asked in ELSEWHERE:
        raise UsageError(f"there is no command `{asked}`", hint=ELSEWHERE[asked])
    if asked in MEANT:
        raise UsageError(f"there is no command `{asked}`", hint=f"tfsetup {_line(asked, argv)}")
    near = {word: MEANT.get(word, word) for word in get_close_matches(asked, [*commands, *MEANT], cutoff=0.7)}
    if near:
        # What one letter is wrong in comes first; two words may mean one command.
        found = list(dict.fromkeys(f"`tfsetup {command}`" for command in near.values()))
        raise UsageError(f"there is no command `{asked}`; did you mean {' or '.join(found)}?", hint=_HELP)


def _line(asked: str, argv: Sequence[str]) -> str:
    """Return our words for a line that begins with a word of other tools."""
    rest = list(argv)
    rest.remove(asked)
    command, *options = MEANT[asked].split()
    if command == "apply":
        rest = [word for given in rest for word in as_options(given)]
    return " ".join(shlex.quote(word) for word in (command, *options, *rest))


def as_options(given: str) -> list[str]:
    """Return what asks ``apply`` for a package that was named as other tools want it: ``tensorflow==2.15`` as ``--tensorflow 2.15``."""
    found = _REQUIREMENT.fullmatch(given)
    if found is None:
        return [given]
    if found["name"].lower() not in _TENSORFLOW:
        return ["--with", given]
    wanted = found["versions"].removeprefix("==")
    return ["--tensorflow", wanted] if wanted else []


def check_plan(given: str) -> None:
    """Raise ``UsageError`` for what ``apply`` was given in place of a plan's file that is there: a package, or a file that is not."""
    if "/" in given or given.endswith(".json") or not _REQUIREMENT.fullmatch(given):
        hint = f"`tfsetup plan -o {shlex.quote(given)}` saves one there; `tfsetup apply` alone plans now"
        raise UsageError("there is no such file", place=given, hint=hint)
    line = " ".join(shlex.quote(word) for word in ("tfsetup", "apply", *as_options(given)))
    raise UsageError("is no file; `tfsetup apply` takes the file of a saved plan, and packages by options", place=given, hint=line)


def usage_error(message: str, *, option: str = "", command: str = "") -> UsageError:
    """Return our error for one of Typer's.

    ``option`` is the one that it does not know, if that is its matter; ``command`` is the one that it was given to, if it got so far.
    """
    told = message.strip().rstrip(".")
    extra = _EXTRA.fullmatch(told)
    told = re.sub(r" \(Possible options?: ([^)]{0,400})\)", r". Did you mean \1?", told)
    hint = f"`tfsetup {command} --help` lists its options" if command else _HELP
    if option in OPTIONS:
        told = f"No such option: {option}. Did you mean {OPTIONS[option]}?"
    elif (command, option) in _AS_A_WORD:
        told = f"`tfsetup {command}` has no option {option}; it takes that as a word: `tfsetup {command} {_AS_A_WORD[command, option]}`"
    elif option and command:
        told = told.replace(f"No such option: {option}", f"`tfsetup {command}` has no option {option}")
    elif extra and command:
        told = f"`tfsetup {command}` does not take {extra[1]}"
        asked = [word for given in extra[1].split() for word in _as_wanted(given)]
        hint = f"tfsetup {command} {shlex.join(asked)}" if asked and command in _TAKE_PACKAGES else hint
    return UsageError(told, hint=hint)


def _as_wanted(given: str) -> list[str]:
    """Return the option for a release or a package that was named by itself."""
    return ["--tensorflow", given] if _RELEASE.fullmatch(given) else as_options(given)
