"""What reaches the terminal: data on stdout, words on stderr, one JSON document at most."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any, TextIO

from provisioner.base.paths import joined
from provisioner.base.text import mask, shown
from provisioner.errors import DeclinedError, InputError, NoProfileError, TfsetupError, VerificationError
from provisioner.host import Host
from provisioner.host.machine import this_machine

ERROR_SCHEMA = "tfsetup/error/1"


def print_json(document: dict[str, Any]) -> None:
    """Print one document to stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def print_text(text: str) -> None:
    """Print data for a person to stdout."""
    sys.stdout.write(_for(sys.stdout, text) + "\n")
    sys.stdout.flush()


def print_script(text: str) -> None:
    """Print to stdout what a program reads, a terminal or not: as it is, but for what would steer it."""
    sys.stdout.write(shown(text.rstrip("\n"), script=True) + "\n")
    sys.stdout.flush()


def _for(stream: TextIO, text: str) -> str:
    """Return text as it is shown there: on a terminal broken between words, with colours where nobody wants none (https://no-color.org)."""
    plain = shown(text.rstrip("\n"))
    if not stream.isatty():
        return plain
    from provisioner.report.wrapping import COLUMNS, wrapped  # noqa: PLC0415 - only on a terminal

    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        width = COLUMNS
    # Whoever has less than half of it, or nothing, reads what the terminal itself breaks.
    plain = "\n".join(wrapped(plain.split("\n"), width)) if width >= COLUMNS // 2 else plain
    env = this_machine().env
    if env.get("NO_COLOR") or env.get("TERM", "dumb") == "dumb":
        return plain
    from provisioner.report.colour import coloured  # noqa: PLC0415 - only on a terminal

    return coloured(plain)


def say(text: str) -> None:
    """Print words to stderr; when nobody listens any more, the work goes on."""
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(_for(sys.stderr, text) + "\n")
        sys.stderr.flush()


def error_document(error: TfsetupError) -> dict[str, Any]:
    """Return the document that ``--json`` prints when a command fails."""
    content: dict[str, Any] = {"code": error.exit_code, "message": mask(error.message)}
    for name in ("place", "hint", "cause"):
        if getattr(error, name):
            content[name] = mask(getattr(error, name))
    if error.faults:
        content["faults"] = list(map(mask, error.faults))
    if isinstance(error, NoProfileError):
        content["refusals"] = list(map(mask, error.refusals))
        content["nearest"] = list(map(mask, error.nearest))
    return {"schema": ERROR_SCHEMA, "error": content}


def fail(error: TfsetupError, *, as_json: bool) -> int:
    """Tell an error and return its exit code."""
    if as_json and not isinstance(error, VerificationError):
        print_json(error_document(error))
        return error.exit_code
    if isinstance(error, NoProfileError):
        from provisioner.report.choice_text import refusal_lines  # noqa: PLC0415 - only where one is refused

        say("\n".join(refusal_lines(error)))
        return error.exit_code
    say("Nothing was changed" if isinstance(error, DeclinedError) else f"error: {error}")
    for fault in error.faults:
        say(f"  - {fault}")
    if error.hint:
        say(f"hint: {error.hint}")
    return error.exit_code


def write_file(host: Host, path: str, text: str, *, mode: int | None = None) -> None:
    """Write a file that a person named with ``-o``; a link is followed, and what is no file (``/dev/null``, a folder) is never replaced."""
    target = host.real(joined(host.cwd, path))
    try:
        if host.exists(target) and host.entry(target).kind != "file":
            raise InputError("is there already, and is not a file", place=path, hint="choose another file")
        host.write(target, text, mode=mode)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=path, hint="choose another file") from None
