"""``tfsetup run``: a command in the environment."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options
from provisioner.cli.output import say
from provisioner.cli.trusting import trusting
from provisioner.commands import shell as stages
from provisioner.errors import UsageError
from provisioner.host.machine import this_machine
from provisioner.report.explain_text import explanation_text
from provisioner.session import Session

# Of what a command says on stderr: a stack with all that TensorFlow says before it.
KEPT = 1 << 18
BY_SIGNAL = 128
# SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV (POSIX): the process did something that it cannot do.
_CRASHES = frozenset({4, 5, 6, 7, 8, 10, 11})


def run(
    command: Annotated[list[str], typer.Argument(metavar="[--] COMMAND...", help="The command and its arguments.")],
    env: options.ActiveEnv = None,
    *,
    trust: options.Trust = False,
    quiet: options.Quiet = False,
) -> int:
    """Run a command in the environment, with its exit code; one that fails is explained."""
    host = this_machine()
    session = Session(host, trusting(host, trust=trust))
    place, request = options.named_environment(host, env, "")
    start = stages.command(session, request, place, tuple(command))
    try:
        code, said = host.attend(start.argv, env=start.variables, keep=KEPT)
    except OSError as error:
        hint = "the first word after the options is the command: `tfsetup run -- python train.py`"
        raise UsageError(f"cannot be started: {error.strerror}", place=command[0], hint=hint) from None
    # A signal of the kernel's (a crash) is explained, too; one that a person sent is not.
    crashed = code < 0 and -code in _CRASHES
    if crashed:
        said += f"\nProcess finished with exit code {BY_SIGNAL - code}\n".encode()
    if (code > 0 or crashed) and said and not quiet and (explanation := stages.explained(session, start, said)):
        say("\n" + explanation_text(explanation, verbose=False))
    return code if code >= 0 else BY_SIGNAL - code
