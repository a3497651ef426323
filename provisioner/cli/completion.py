"""``tfsetup completion``: what a shell completes commands with, and the answers that it asks for."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner import payload
from provisioner.cli.completing import complete
from provisioner.cli.output import print_script
from provisioner.errors import UsageError
from provisioner.host.machine import this_machine

SHELLS = ("bash", "zsh", "fish")


def completion(
    shell: Annotated[
        str, typer.Argument(metavar="bash|zsh|fish", help='The shell; bash and zsh take it by eval "$(tfsetup completion bash)".')
    ],
    words: Annotated[list[str] | None, typer.Argument(metavar="[-- WORD...]", help="What is typed so far, to be completed.")] = None,
) -> int:
    """Print what a shell completes the commands with, releases, causes and environments among it."""
    if shell not in SHELLS:
        raise UsageError(f"`{shell}` is not one of {', '.join(SHELLS)}", hint='eval "$(tfsetup completion bash)"')
    if words is None:
        print_script(payload.text(f"completion.{shell}"))
        return 0
    answer = complete(words, this_machine())
    # The kind first; then a word a line, with what it means where there is room for that.
    print_script("\n".join([answer.kind, *(f"{word}\t{meaning}" for word, meaning in answer.words)]))
    return 0
