"""``tfsetup plan``: the choice with its reasons, and the exact steps."""

from __future__ import annotations

import json
import shlex
from typing import Annotated

import typer

from provisioner.base import called
from provisioner.cli import options
from provisioner.cli.output import print_json, print_text, say, write_file
from provisioner.cli.trusting import trusting
from provisioner.commands import plan as stages
from provisioner.errors import NoProfileError
from provisioner.host import PRIVATE
from provisioner.host.machine import this_machine
from provisioner.model import codec
from provisioner.plan.seal import SCHEMA
from provisioner.report.plan_text import left_text, next_text, plan_text
from provisioner.session import Session

CHANGES_PENDING = 10


def plan(
    tensorflow: options.TensorFlow = None,
    python: options.Python = None,
    device: options.Device = None,
    kind: options.Kind = None,
    source: options.Source = None,
    channel: options.Channel = None,
    env: options.Env = None,
    with_: options.With = None,
    facts: options.FactsFile = "",
    output: Annotated[
        str, typer.Option("--output", "-o", envvar="TFSETUP_OUTPUT", metavar="FILE", help="Save the plan, for `tfsetup apply FILE`.")
    ] = "",
    *,
    keep: options.Keep = False,
    upgrade: options.Upgrade = False,
    gpu: options.Gpu = False,
    cpu: options.Cpu = False,
    offline: options.Offline = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", envvar="TFSETUP_EXIT_CODE", help="Exit with 10 when there is something to change.")
    ] = False,
    trust: options.Trust = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Show what would be done, and why. Reads only; no network, unless --with, --keep or a conda channel asks for what the catalogue lacks."""
    host = this_machine()
    device = options.device(device, gpu=gpu, cpu=cpu)
    named = {"tensorflow": tensorflow, "python": python, "device": device, "kind": kind, "env": env, "with": with_, "offline": offline}
    named |= {"source": source, "channel": channel, "keep": keep, "upgrade": upgrade}
    session = Session(host, trusting(host, trust=trust, programs=False), patient=options.patient(silent=as_json))
    if facts:
        called.for_another_machine()
    there = stages.elsewhere(session, facts) if facts else None
    request = options.request(host, there, **named)
    options.tell(request.env, request.origins["env"], silent=as_json or bool(facts))
    try:
        planned = stages.plan(session, request, there=there)
    except NoProfileError as error:
        # Without the facts it would be planned for this machine.
        error.nearest = tuple(f"--facts {shlex.quote(facts)} {near}" if facts else near for near in error.nearest)
        raise
    if output:
        write_file(host, output, json.dumps(codec.document(SCHEMA, planned.plan), indent=1) + "\n", mode=PRIVATE)
        from provisioner.commands.named import remember_plan  # noqa: PLC0415 - only where it is saved

        remember_plan(session, planned.plan)
    _tell(planned, elsewhere=bool(facts), saved=output, as_json=as_json, verbose=verbose)
    return CHANGES_PENDING if exit_code and planned.pending else 0


def _tell(planned: stages.Planned, *, elsewhere: bool, saved: str, as_json: bool, verbose: bool) -> None:
    if as_json:
        print_json(codec.document(SCHEMA, planned.plan))
        return
    print_text(plan_text(planned.plan, interrupted=planned.interrupted, verbose=verbose))
    print_text(
        "\n" + left_text(planned.plan.unmended) + next_text(planned.plan, elsewhere=elsewhere, saved=saved, whole=not planned.plan.unmended)
    )
    if saved:
        say(f"The plan is saved in {saved}")
