"""``tfsetup detect``: what this machine is."""

from __future__ import annotations

import json
import posixpath
from typing import Annotated

import typer

from provisioner.cli import options
from provisioner.cli.output import print_json, print_text, say
from provisioner.errors import InputError
from provisioner.host.local import LocalHost


def detect(
    env: options.Env = None,
    output: Annotated[
        str, typer.Option("--output", "-o", envvar="TFSETUP_OUTPUT", metavar="FILE", help="Write the facts to a file, to plan elsewhere.")
    ] = "",
    *,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Say what this machine is: system, processor, GPUs, driver, CUDA copies, Pythons, disk. Reads only."""
    from provisioner.commands import plan  # noqa: PLC0415 - start-up
    from provisioner.model import codec  # noqa: PLC0415 - start-up

    host = LocalHost()
    facts = plan.detect(host, env=options.environment(host, env))
    document = codec.document(plan.FACTS_SCHEMA, facts)
    if output:
        write_file(host, output, json.dumps(document, indent=2) + "\n")
        say(f"The facts are in {output}; plan for this machine elsewhere with `tfsetup plan --facts {output}`")
    if as_json:
        print_json(document)
    elif not output:
        from provisioner.report.facts_text import facts_text  # noqa: PLC0415 - start-up

        print_text(facts_text(facts, verbose=verbose))
    return 0


def write_file(host: LocalHost, path: str, text: str) -> None:
    """Write a file that a person named with ``-o``; a link is followed, and what is no file (``/dev/null``, a folder) is never replaced."""
    target = host.real(posixpath.join(host.cwd, path))
    try:
        if host.exists(target) and host.entry(target).kind != "file":
            raise InputError("is there already, and is not a file", place=path, hint="choose another file")
        host.write(target, text)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=path, hint="choose another file") from None
