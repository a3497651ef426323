"""``tfsetup status`` and ``tfsetup list``: the environments that are here or that tfsetup made."""

from __future__ import annotations

from provisioner.cli import options
from provisioner.cli.output import print_json, print_text
from provisioner.commands import status as stages
from provisioner.host.machine import this_machine
from provisioner.model import codec
from provisioner.report.status_text import SCHEMA, list_text, status_text
from provisioner.session import Session


def status(
    env: options.AnyEnv = None,
    *,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Say how each environment stands that is here or that tfsetup made: TensorFlow, proof, drift, disk, what undo would do. Reads only."""
    host = this_machine()
    found = stages.status(Session(host), options.request(host, env=env))
    if as_json:
        print_json(codec.document(SCHEMA, found))
    else:
        print_text(status_text(found, verbose=verbose))
    return 0


def listed(*, as_json: options.Json = False) -> int:
    """List the environments that are here or that tfsetup made, one a line. Reads only."""
    host = this_machine()
    found = stages.status(Session(host), options.request(host), measured=False)
    if as_json:
        print_json(codec.document(SCHEMA, found))
    else:
        print_text(list_text(found))
    return 0
