"""``tfsetup shell``: a shell in the environment."""

from __future__ import annotations

from provisioner.cli import options
from provisioner.cli.output import say
from provisioner.cli.trusting import trusting
from provisioner.commands import shell as stages
from provisioner.host.machine import this_machine
from provisioner.session import Session


def shell(
    env: options.ActiveEnv = None,
    *,
    trust: options.Trust = False,
    quiet: options.Quiet = False,
) -> int:
    """Start your shell in the environment; `exit` leaves it."""
    host = this_machine()
    place, request = options.named_environment(host, env, "")
    start = stages.shell(Session(host, trusting(host, trust=trust)), request, place)
    if not quiet:
        say(f"In {start.env}; `exit` leaves it")
    return host.become(start.argv, start.variables)
