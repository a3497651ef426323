"""What people type by habit of other tools: each word is answered with the command, or the option, that is meant."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from provisioner.errors import UsageError

# A word of other tools → our command for it.
MEANT = {
    "install": "apply", "create": "apply", "setup": "apply", "add": "apply", "new": "apply", "sync": "apply", "up": "apply", "upgrade": "apply",
    "update": "apply", "check": "doctor", "diagnose": "doctor", "examine": "doctor", "repair": "fix", "heal": "fix", "rollback": "undo",
    "uninstall": "undo", "remove": "undo", "revert": "undo", "restore": "undo", "delete": "undo", "destroy": "undo", "test": "verify",
    "prove": "verify", "info": "detect", "facts": "detect", "show": "profiles", "search": "profiles", "releases": "profiles", "freeze": "lock",
    "compile": "lock", "why": "explain", "activate": "shell", "enter": "shell", "environments": "list", "envs": "list", "preview": "plan",
    "schemas": "schema",
}  # fmt: skip
# An option of other tools → ours.
OPTIONS = {
    "--tf": "--tensorflow", "--tensorflow-version": "--tensorflow", "--python-version": "--python", "--prefix": "--env", "--path": "--env",
    "--name": "--env", "--environment": "--env", "--venv": "--env", "--package": "--with", "--packages": "--with", "--requirement": "--with",
    "--requirements": "--with", "--force": "--yes", "--assume-yes": "--yes", "--non-interactive": "--yes", "--no-network": "--offline",
    "--cuda": "--gpu", "--silent": "--quiet", "--debug": "--verbose", "-v": "--verbose, after a command, or --version",
}  # fmt: skip
_HELP = "`tfsetup --help` lists the commands, `tfsetup COMMAND --help` their options"
# A requirement, as people name packages: a name, and perhaps versions (PEP 508 in outline).
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z][\w.-]*?)(?:\[[\w,-]*\])?(?P<versions>(?:[=<>!~]=?[^\s]*)?)", re.ASCII)
_TENSORFLOW = {"tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf"}


def check(asked: str, argv: Sequence[str]) -> None:
    """Raise ``UsageError`` for a command of other tools, with the line that was meant."""
    if asked not in MEANT:
        return
    rest = list(argv)
    rest.remove(asked)
    command = MEANT[asked]
    if command == "apply":
        rest = [word for given in rest for word in as_options(given)]
    line = " ".join(shlex.quote(word) for word in ("tfsetup", command, *rest))
    raise UsageError(f"there is no command `{asked}`; what does that here is `tfsetup {command}`", hint=line)


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


def usage_error(message: str, option: str) -> UsageError:
    """Return our error for one of Typer's; ``option`` is the one that it does not know, if that is its matter."""
    told = message.strip().rstrip(".")
    if option in OPTIONS:
        told = f"No such option: {option}. Did you mean {OPTIONS[option]}?"
    return UsageError(told, hint=_HELP)
