"""``tfsetup init``: writes a first declaration from the environment that is there."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.base.paths import absolute
from provisioner.choose.obstacles import listed
from provisioner.cli import indexes, options
from provisioner.cli.consent import ask
from provisioner.cli.output import print_json, print_text, say
from provisioner.cli.trusting import trusting
from provisioner.commands import init as stages
from provisioner.host.machine import this_machine
from provisioner.lock import starter
from provisioner.model import codec
from provisioner.report.progress import progress_for
from provisioner.session import Session


def init(
    env: options.Env = None,
    project: Annotated[
        str, typer.Option("--project", envvar="TFSETUP_PROJECT", metavar="FOLDER", help="Where the declaration is written (tfsetup.yaml).")
    ] = ".",
    kind: options.Kind = None,
    *,
    offline: options.Offline = False,
    trust: options.Trust = False,
    quiet: options.Quiet = False,
    no_progress: options.NoProgress = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> int:
    """Write a first tfsetup.yaml for a team, from the environment that is there, or for this machine where there is none."""
    host = this_machine()
    agreed = options.agreed(host, yes=yes)
    request = options.request(host, env=env, kind=kind, offline=offline or None)
    options.tell(request.env, request.origins["env"], silent=as_json)
    folder = absolute(project, host, "--project")
    said = stages.init(
        Session(host, trusting(host, trust=trust), patient=options.patient(silent=as_json)),
        request,
        folder,
        agree=lambda file: ask(f"{file} is there already. Replace it?", agreed=agreed),
        answer=indexes.asking(agreed=agreed),
        progress=progress_for(as_json=as_json, host=host, quiet=quiet, plain=no_progress),
    )
    if as_json:
        print_json(codec.document(starter.SCHEMA, said))
        return 0
    counts = f"{len(said.requirements)} requirement{'' if len(said.requirements) == 1 else 's'}"
    counts += f", {len(said.conda)} conda package{'' if len(said.conda) == 1 else 's'}" if said.conda else ""
    named = [*said.files, *(["pyproject.toml"] if said.project else [])]
    counts += f", and those of {listed(named)}" if named else ""
    print_text(f"{said.file}: TensorFlow {said.tensorflow} for {said.targets[0].name} with Python {said.targets[0].python}, {counts}")
    for note in said.notes:
        say(note)
    for warning in said.warnings:
        say(f"warning: {warning}")
    for name in said.left_out:
        say(f"warning: {name} was installed from no index, so it is not in the declaration")
    say("Add the other kinds of machines under `targets`, then run `tfsetup lock`")
    return 0
