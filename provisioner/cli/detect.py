"""``tfsetup detect``: what this machine is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from provisioner.cli import options
from provisioner.cli.output import print_json, print_text, say, write_file
from provisioner.model import codec
from provisioner.plan.fetching import to_record
from provisioner.report.facts_text import facts_text
from provisioner.session import FACTS_SCHEMA, Session


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
    host = options.patient(silent=False)
    facts = to_record(host, Session(host).detect(env=options.environment(host, env, silent=True)))
    document = codec.document(FACTS_SCHEMA, facts)
    if output:
        write_file(host, output, json.dumps(document, indent=2) + "\n")
        say(f"The facts are in {output}; plan for this machine elsewhere with `tfsetup plan --facts {output}`")
    if as_json:
        print_json(document)
    elif not output:
        print_text(facts_text(facts, verbose=verbose))
    return 0
