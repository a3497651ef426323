"""The command line: options to what is asked of a command, its stages, a report, an exit code. It decides nothing.

``run`` is the front door; a command is a module with a function of its name, whose one line of help stands in ``SUMMARIES``.
"""

from __future__ import annotations

import os
import posixpath
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import FrameType
from typing import Annotated, Any

import typer

from provisioner import __version__
from provisioner.base import called
from provisioner.cli.options import wants_json
from provisioner.cli.output import fail, print_text
from provisioner.errors import InterruptedRunError, OperationError, TfsetupError, UnforeseenError
from provisioner.errors.system import refused
from provisioner.host import user_folders
from provisioner.host.machine import this_machine

# In the order in which a person meets them; each is a module of this package with a function of the same name (but ``_ELSEWHERE``). What each does
# stands here, so that the list of commands imports none of them.
SUMMARIES = {
    "detect": "Say what this machine is. System, processor, GPUs, driver, CUDA copies, Pythons, disk; reads only.",
    "profiles": "List the known-good sets: releases, Pythons, devices. With what was run, and where; reads only.",
    "plan": "Show what would be done, and why. Reads only; no network, unless --with or --keep asks for packages beyond the profile, or for "
    "a conda channel's list.",
    "apply": "Make or change an environment, and prove it. Shown, agreed to, executed, verified; undone when the proof fails.",
    "verify": "Prove that an environment computes. Import, kernels, devices, libraries, integrity; changes nothing, "
    "and starts the environment's own Python.",
    "doctor": "Say what is wrong with an environment, root cause first. Looks at the machine, too; changes nothing, and "
    "starts the environment's own Python, but for --static.",
    "explain": "Say what an error or a log means, and what to do. Reads only; no network.",
    "fix": "Mend an environment by the smallest repair that does. Shown, agreed to, executed, verified; undone when the proof fails. It "
    "starts the environment's own Python.",
    "undo": "Bring back what was there before the last change. Files and all, after an apply or a fix.",
    "status": "Say how your environments stand. Those that are here or that tfsetup made: TensorFlow, proof, drift, disk, undo; reads only.",
    "list": "List your environments, one a line. Those that are here or that tfsetup made; reads only.",
    "run": "Run a command in the environment. With its exit code; one that fails is explained. As `tfsetup run -- python train.py`.",
    "shell": "Start your shell in the environment; `exit` leaves it.",
    "kernel": "Make a notebook kernel of the environment; undoable.",
    "init": "Write a first tfsetup.yaml for a team. From the environment that is there, or for this machine where there is none.",
    "lock": "Lock a team's environments, from one declaration. Exact, hashed files for every target.",
    "schema": "Print the JSON Schema of a document. Of each that this tool writes or reads.",
    "completion": "Print what makes bash, zsh or fish complete all this.",
    "help": "Say what a command does, and its options.",
    "version": "Print the version.",
}

_SAME_BYTES = {"encoding": "utf-8", "newline": "\n"}

_ELSEWHERE = {"list": ("status", "listed")}


def _root(
    *,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and exit.")] = False,
) -> None:
    """Plans, builds, proves and takes back TensorFlow environments."""
    if version:
        print_text(f"tfsetup {__version__}")
        raise typer.Exit


def make_app(asked: str) -> typer.Typer:
    """Return the application for a command line whose first word is ``asked``.

    Of a command that is asked for the real one alone; else all of them by name and summary, to be listed. A command that is not asked for is not
    imported, which saves most of the start.
    """
    app = typer.Typer(
        name="tfsetup",
        # Completion, rich help and pretty tracebacks cost start-up time; a traceback could also print secrets.
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    if asked in _OWN:
        app.command(asked, help=SUMMARIES[asked])(_OWN[asked])
        return app
    if asked in SUMMARIES:
        module, function = _ELSEWHERE.get(asked, (asked, asked))
        # What follows a command that is run belongs to that one.
        settings = {"ignore_unknown_options": True, "allow_interspersed_args": False} if asked == "run" else {}
        app.command(asked, help=SUMMARIES[asked], context_settings=settings)(getattr(import_module(f"provisioner.cli.{module}"), function))
        return app
    for name, summary in SUMMARIES.items():
        app.command(name, help=summary)(_listed)
    return app


def _listed() -> None:
    """Stand for a command that is only listed."""


def _help(command: Annotated[str, typer.Argument(metavar="[COMMAND]", help="All commands, if none is named.")] = "") -> int:
    """Say what a command does, and its options."""
    return _run_app([command, "--help"] if command else ["--help"])


def _version() -> None:
    """Print the version."""
    print_text(f"tfsetup {__version__}")


# The commands that are no module of their own.
_OWN: dict[str, Callable[..., Any]] = {"help": _help, "version": _version}


def _run_app(argv: list[str]) -> int:
    asked = next((word for word in argv if not word.startswith("-")), "")
    if asked and asked not in SUMMARIES:
        from provisioner.cli import words  # noqa: PLC0415 - only where something else is typed

        words.check(asked, argv, SUMMARIES)
    code = make_app(asked)(argv, prog_name=called.name(), standalone_mode=False)
    return code if isinstance(code, int) else 0


def _note_name() -> None:
    """Note how this program was started, for hints that can be typed."""
    host = this_machine()
    given = {"python": host.python, "on_path": host.which("tfsetup") or "", "cwd": host.cwd, "home": user_folders.home(host)}
    beside = posixpath.join(posixpath.dirname(host.python), "uv.exe" if host.platform == "win32" else "uv")
    uv = called.short(beside, host.cwd, given["home"]) if host.which("uv") is None and host.exists(beside) else "uv"
    called.called(called.name_of(sys.argv[0], **given), SUMMARIES, uv, shell=host.shell if host.platform == "win32" else None)


def run_command(argv: Sequence[str]) -> int:
    """Run one command and return its exit code; no exception leaves it but those of a programming error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal of another encoding gets escapes instead of a traceback; a file or a pipe gets the same bytes on every system.
            stream.reconfigure(errors="backslashreplace", **({} if stream.isatty() or os.linesep == "\n" else _SAME_BYTES))
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        # What ``nohup`` ignores stays ignored.
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), _interrupt)
    as_json = wants_json(argv)
    try:
        _note_name()
        code = _run_app(list(argv) or ["--help"])
        # Typer turns Ctrl-C into this code, without a word.
        return _interrupted(as_json=as_json) if code == InterruptedRunError.exit_code else code
    except TfsetupError as error:
        return fail(error, as_json=as_json)
    except KeyboardInterrupt:
        return _interrupted(as_json=as_json)
    except (BrokenPipeError, SystemExit):
        # The reader of our data has gone (``| head``), for which Typer exits; what is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - nobody is helped by a traceback in the terminal
        return fail(_expected(error), as_json=as_json)


def _interrupted(*, as_json: bool) -> int:
    """Commands that change an environment look at it, and say what they saw (``commands.telling``)."""
    return fail(InterruptedRunError("interrupted"), as_json=as_json)


def _expected(error: Exception) -> TfsetupError:
    """Return the error of ours that says what another one means."""
    if isinstance(error, OSError):
        return refused(error)
    if isinstance(error, UnforeseenError):
        return _bug(error.__cause__ or error, error.standing)
    # Typer's own usage errors are told apart by a method: their classes move from release to release.
    if hasattr(error, "format_message"):
        from provisioner.cli import words  # noqa: PLC0415 - only where something else is typed

        context = getattr(error, "ctx", None)
        command = context.info_name if context is not None and context.info_name in SUMMARIES else ""
        return words.usage_error(str(error.format_message()), option=getattr(error, "option_name", ""), command=command)
    return _bug(error)


def _bug(error: BaseException, standing: str = "") -> OperationError:
    """Keep the traceback of an error that nobody foresaw in a file, and say where it is, and how the environment stands."""
    import tempfile  # noqa: PLC0415 - only after a fault of the tool
    import traceback  # noqa: PLC0415 - only after a fault of the tool

    what = f"a bug in tfsetup: {type(error).__name__}: {error}{f'; {standing}' if standing else ''}"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="tfsetup-bug-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return OperationError(what, hint="please report it")
    return OperationError(what, hint=f"please report it with the file {file.name}")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
