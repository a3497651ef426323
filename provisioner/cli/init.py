"""``tfsetup init``: writes a first declaration from the environment that is there."""

from __future__ import annotations

import posixpath
from typing import Annotated

import typer

from provisioner.cli import options
from provisioner.cli.consent import ask
from provisioner.cli.output import print_json, print_text, say
from provisioner.environment.workspace import absolute
from provisioner.errors import CouldNotTellError, InputError
from provisioner.host.local import LocalHost


def init(
    env: options.Env = None,
    project: Annotated[
        str, typer.Option("--project", envvar="TFSETUP_PROJECT", metavar="FOLDER", help="Where the declaration is written (tfsetup.yaml).")
    ] = ".",
    *,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> int:
    """Write a first tfsetup.yaml for a team, from the environment that is there, or for this machine where there is none."""
    from provisioner.commands import plan  # noqa: PLC0415 - start-up
    from provisioner.environment.read import read_site  # noqa: PLC0415 - start-up
    from provisioner.lock import find, starter  # noqa: PLC0415 - start-up
    from provisioner.model import codec  # noqa: PLC0415 - start-up

    host = LocalHost()
    request = options.request(host, env=env)
    root = request.env
    if request.origins["env"] == "default" and not host.exists(root):
        root = host.env.get("VIRTUAL_ENV") or root
    folder = absolute(project, host, "--project")
    file = posixpath.join(folder, find.FILE)
    there = find.find(host, folder)
    if there is not None and not there.is_yaml:
        hint = f"add targets there; a {find.FILE} beside it would be a second declaration"
        raise InputError("has a [tool.tfsetup] already", place=there.file, hint=hint)
    platform = plan.platform_of(host)
    if not platform:
        raise CouldNotTellError("could not tell what platform this machine is", hint="write the file by hand: docs/teams.md")
    site = read_site(host, root)
    if site.state.exists:
        facts = plan.detect(host, env=root, full=False)
        said = starter.from_environment(host, site, facts, platform, plan.open_catalogue(host), file=file)
        origin = f"the environment {posixpath.relpath(root, folder)}"
    else:
        planned = plan.plan(host, request)
        choice = planned.plan.choice
        target = starter.make_target(platform, choice.device, choice.python, planned.facts)
        said = starter.First(file=file, tensorflow=choice.release, targets=(target,))
        origin = "what fits the machine it was called on"
    if there is not None:
        ask(f"{file} is there already. Replace it?", agreed=options.agreed(host, yes=yes))
    try:
        host.write(file, starter.text_of(said, origin))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=file) from None
    if as_json:
        print_json(codec.document(starter.SCHEMA, said))
        return 0
    counts = f"{len(said.requirements)} requirement{'' if len(said.requirements) == 1 else 's'}"
    print_text(f"{file}: TensorFlow {said.tensorflow} for {said.targets[0].name} with Python {said.targets[0].python}, {counts}")
    for warning in said.warnings:
        say(f"warning: {warning}")
    for name in said.left_out:
        say(f"warning: {name} was installed from no index, so it is not in the declaration")
    say("Add the other kinds of machines under `targets`, then run `tfsetup lock`")
    return 0
