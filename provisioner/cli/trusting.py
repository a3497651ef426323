"""Who agrees to that which only a file names: the word of option or variable, or the person at the terminal."""

from __future__ import annotations

import sys

from provisioner.cli import settings
from provisioner.cli.output import say
from provisioner.host import Host
from provisioner.session.trust import VARIABLE, Trust


def trusting(host: Host, *, trust: bool = False, programs: bool = True) -> Trust:
    """Return what agrees to that which only a file names: in advance, by option or variable, or by asking where there is a terminal.

    With ``programs`` false, as for a command that starts none, programs are not asked about.
    """
    given = trust or settings.parse_flag(host.env.get(VARIABLE, ""), f"variable {VARIABLE}")
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return Trust(given=given, show=say, ask=_ask if terminal else None, programs=programs)


def _ask(question: str) -> None:
    from provisioner.cli.consent import ask  # noqa: PLC0415 - brings what takes changes back, which a plan does without

    ask(question, agreed=False)
